import { Command } from 'commander';
import type { Migration } from '../../brain/core/migration.ts';
import type { Dispatched } from '../../brain/desk/dispatch.ts';
import { adviseInterrupt, leftBehind, onInterrupt } from '../interrupt.ts';
import { exitCodes, type ExitCode, type Finish } from '../exit.ts';
import { addFleetOptions, type FleetFlags } from '../fleet/address.ts';
import { DeskError, withFleet, type FleetClient } from '../fleet/client.ts';
import { follow, isOver } from '../fleet/follow.ts';
import { outcomeCode } from '../outcome.ts';
import { policyOption } from '../options.ts';
import { chooseReporter } from '../reporters/choose.ts';
import type { Reporter } from '../reporters/reporter.ts';
import { addObjectiveOptions, givenObjective } from '../run-options.ts';
import { printJson, printTable } from './predict.ts';

interface MigrateFlags extends FleetFlags {
  readonly to: string;
  readonly from?: string;
  readonly policy?: string;
  readonly sharedStorage?: boolean;
  readonly detach?: boolean;
}

/** How long an interrupt waits for the brain to say that all is put back. */
const interruptMilliseconds = 10_000;

/** `ferryman migrate`: has the brain of a fleet bring a VM to another host. */
export function migrateCommand(finish: Finish): Command {
  const command = new Command('migrate')
    .description('move a VM to another host; what is not said is as configured for the VM')
    .argument('<vm>', 'its name or UUID')
    .requiredOption('--to <host>', 'the host it shall run on')
    .option('--from <host>', 'the host it runs on, where several VMs have the name')
    .addOption(policyOption().default(undefined, "the brain's"));
  addObjectiveOptions(command);
  command
    .option('--shared-storage', "local files are the same on both hosts: the operator's word")
    .option('--detach', 'print the id and end; `ferryman watch ID` follows it');
  return addFleetOptions(command, 'NDJSON on standard output, the result last').action(
    async (vm: string, flags: MigrateFlags) => {
      const order = orderOf(vm, flags, command);
      finish(await withFleet(flags, (fleet) => migrate(fleet, order, flags)));
    },
  );
}

function orderOf(vm: string, { to, from, policy, sharedStorage }: MigrateFlags, command: Command) {
  return {
    ...{ vm, to, objective: givenObjective(command) },
    ...(from !== undefined && { from }),
    ...(policy !== undefined && { policy }),
    ...(sharedStorage !== undefined && { sharedStorage }),
  };
}

async function migrate(fleet: FleetClient, order: object, flags: MigrateFlags): Promise<ExitCode> {
  const reporter = chooseReporter({
    json: flags.json ?? false,
    output: process.stdout,
    messages: process.stderr,
    environment: process.env,
  });
  try {
    const begun = await fleet.ask<Dispatched>('migrate', order);
    for (const caution of begun.cautions) reporter.say(caution);
    if (flags.detach === true) return detached(begun, flags);
    return await accompany(fleet, begun.id, reporter);
  } catch (error) {
    if (error instanceof DeskError && error.advice) {
      (flags.json === true ? printJson : printTable)(error.advice, process.stdout);
    }
    throw error;
  } finally {
    reporter.close();
  }
}

function detached({ id, source, destination }: Dispatched, { json }: MigrateFlags): ExitCode {
  const line = { type: 'migration', id, source: source.host, destination: destination.host };
  process.stdout.write(json === true ? `${JSON.stringify(line)}\n` : `${id}\n`);
  return exitCodes.ok;
}

/** Follows it to its end. An interrupt cancels it where that is safe, as in `ferryman run`. */
async function accompany(fleet: FleetClient, id: string, reporter: Reporter): Promise<ExitCode> {
  let latest: Migration | undefined;
  let interrupts = 0;
  const leave = new AbortController();
  const leaveIn = (milliseconds: number) => {
    setTimeout(() => leave.abort(), milliseconds).unref();
  };
  const stopListening = onInterrupt(() => {
    const endpoint = latest?.order?.endpoint ?? { kind: 'unix', path: '/dev/null' };
    const { action, message } = adviseInterrupt(latest, endpoint);
    interrupts += 1;
    if (action === 'abort' && interrupts > 1) {
      reporter.say('still cancelling, please wait');
      return;
    }
    reporter.say(message);
    leaveIn(action === 'leave' ? 0 : interruptMilliseconds);
    if (action !== 'abort') return;
    fleet
      .ask('abort', { id, reason: 'interrupted by the operator' })
      .catch((error: unknown) => reporter.say(String(error)));
  });
  try {
    const onLook = (migration: Migration) => void (latest = migration);
    const end = await follow({ fleet, id, reporter, onLook, signal: leave.signal });
    if (end.result === undefined) tellEnd(end, reporter);
    return isOver(end) ? outcomeCode(end) : exitCodes.incomplete;
  } finally {
    stopListening();
  }
}

/** The last line is a result, also of a migration that goes on without us. */
function tellEnd(migration: Migration, reporter: Reporter): void {
  const left = leftBehind(migration);
  if (left.result !== undefined) reporter.onSettled?.(left, left.result);
}
