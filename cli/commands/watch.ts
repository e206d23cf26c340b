import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import type { FleetView } from '../../brain/desk/views.ts';
import { exitCodes, type ExitCode, type Finish } from '../exit.ts';
import { addFleetOptions, type FleetFlags } from '../fleet/address.ts';
import { withFleet, type FleetClient } from '../fleet/client.ts';
import { follow, isOver } from '../fleet/follow.ts';
import { onInterrupt } from '../interrupt.ts';
import { outcomeCode } from '../outcome.ts';
import { chooseReporter } from '../reporters/choose.ts';
import type { Reporter } from '../reporters/reporter.ts';

const lookMilliseconds = 500;

/** `ferryman watch`: looks on; an interrupt ends the looking and nothing else. */
export function watchCommand(finish: Finish): Command {
  const command = new Command('watch')
    .description('follow a migration to its end, or each that begins until interrupted')
    .argument('[migration]', 'its id, or a VM by name or UUID, of which the latest is meant');
  return addFleetOptions(command, 'NDJSON on standard output, the result last').action(
    async (name: string | undefined, flags: FleetFlags) => {
      finish(await withFleet(flags, (fleet) => watch(fleet, name, flags)));
    },
  );
}

async function watch(
  fleet: FleetClient,
  name: string | undefined,
  { json }: FleetFlags,
): Promise<ExitCode> {
  const reporter = chooseReporter({
    json: json ?? false,
    output: process.stdout,
    messages: process.stderr,
    environment: process.env,
  });
  const leave = new AbortController();
  const stopListening = onInterrupt(() => {
    leave.abort();
  });
  const { signal } = leave;
  try {
    if (name === undefined) return await watchAll(fleet, reporter, signal);
    const end = await follow({ fleet, id: name, reporter, signal });
    return isOver(end) ? outcomeCode(end) : exitCodes.ok;
  } finally {
    stopListening();
    reporter.close();
  }
}

/** One after the other: who runs several at once follows each by its id, or the live page. */
async function watchAll(
  fleet: FleetClient,
  reporter: Reporter,
  signal: AbortSignal,
): Promise<ExitCode> {
  const seen = new Set<string>();
  for (let isFirst = true; !signal.aborted; isFirst = false) {
    const { migrations } = await fleet.ask<FleetView>('list');
    const fresh = migrations.filter(({ id, phase }) => !seen.has(id) && phase !== 'settled');
    if (isFirst && fresh.length === 0) reporter.say('no migration runs; waiting for one');
    for (const { id } of fresh) {
      seen.add(id);
      await follow({ fleet, id, reporter, signal });
    }
    await sleep(lookMilliseconds, undefined, { signal }).catch(() => undefined);
  }
  return exitCodes.ok;
}
