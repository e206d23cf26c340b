import { Command } from 'commander';
import type { MigrationPrediction } from '../../brain/core/prediction.ts';
import { createLog } from '../../shared/log.ts';
import { explainRule } from '../../brain/words/explain.ts';
import { exitCodes, ExitError, type Finish } from '../exit.ts';
import { addFleetOptions, type FleetFlags } from '../fleet/address.ts';
import { withFleet } from '../fleet/client.ts';
import { predictStandalone, type PredictFlags } from '../predict.ts';
import type { Output } from '../reporters/reporter.ts';
import { addObjectiveOptions, givenObjective } from '../run-options.ts';
import { styleFor } from '../terminal/style.ts';
import { renderPrediction } from '../terminal/prediction.ts';

type Flags = Partial<PredictFlags> & FleetFlags & { readonly from?: string };

/** `ferryman predict`: what a migration would come to, by method, before anything is set. */
export function predictCommand(finish: Finish): Command {
  const command = new Command('predict')
    .description('say what a migration would come to with each method; the VM is only looked at')
    .argument('[vm]', 'a VM of the fleet, by name or UUID')
    .option('--source-qmp <path>', 'instead: the QMP socket of a QEMU of this host')
    .option('--to <host>', 'the host it would go to, if the link there is known')
    .option('--from <host>', 'the host it runs on, where several VMs have the name');
  addObjectiveOptions(command);
  return addFleetOptions(command, 'one JSON object on standard output').action(
    async (vm: string | undefined, flags: Flags) => {
      const prediction = await predictWhich(vm, flags, command);
      const print = flags.json === true ? printJson : printTable;
      print(prediction, process.stdout);
      finish(exitCodes.ok);
    },
  );
}

async function predictWhich(vm: string | undefined, flags: Flags, command: Command) {
  const { sourceQmp } = flags;
  if ((vm === undefined) === (sourceQmp === undefined)) {
    throw new ExitError(exitCodes.usage, 'name a VM of the fleet, or --source-qmp, and not both');
  }
  if (sourceQmp !== undefined) {
    return predictStandalone(flags as PredictFlags, createLog('predict', 'silent'), say);
  }
  const { to, from } = flags;
  const order = {
    ...{ vm, objective: givenObjective(command) },
    ...(to !== undefined && { to }),
    ...(from !== undefined && { from }),
  };
  return withFleet(flags, async (fleet) => {
    return (await fleet.ask<{ prediction: MigrationPrediction }>('predict', order)).prediction;
  });
}

function say(text: string): void {
  process.stderr.write(`ferryman: ${text}\n`);
}

/** One line of JSON. */
export function printJson(prediction: MigrationPrediction, output: Output): void {
  const { chosen } = prediction;
  const explained = { ...chosen, explanation: explainRule(chosen.rule, chosen.evidence) };
  const line = { type: 'prediction', ...prediction, chosen: explained };
  output.write(`${JSON.stringify(line)}\n`);
}

/** The same for people. */
export function printTable(prediction: MigrationPrediction, output: Output): void {
  for (const line of renderPrediction(prediction, styleFor(output, process.env))) {
    output.write(`${line}\n`);
  }
}
