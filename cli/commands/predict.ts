import { Command } from 'commander';
import type { MigrationPrediction } from '../../brain/core/prediction.ts';
import { createLog } from '../../shared/log.ts';
import { explainRule } from '../../brain/words/explain.ts';
import { exitCodes, type Finish } from '../exit.ts';
import { predictStandalone, type PredictFlags } from '../predict.ts';
import type { Output } from '../reporters/reporter.ts';
import { addObjectiveOptions } from '../run-options.ts';
import { styleFor } from '../terminal/style.ts';
import { renderPrediction } from '../terminal/prediction.ts';

/** `ferryman predict`: what a migration would come to, by method, before anything is set. */
export function predictCommand(finish: Finish): Command {
  const command = new Command('predict')
    .description('say what a migration would come to with each method; the VM is only looked at')
    .requiredOption('--source-qmp <path>', 'QMP socket of the QEMU that runs the VM');
  command.option('--to <host>', 'the host it would go to, if earlier runs have learned the link');
  addObjectiveOptions(command);
  return command
    .option('--json', 'one JSON object on standard output')
    .action(async (flags: PredictFlags) => {
      const prediction = await predictStandalone(flags, createLog('predict', 'silent'), say);
      const print = flags.json === true ? printJson : printTable;
      print(prediction, process.stdout);
      finish(exitCodes.ok);
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
