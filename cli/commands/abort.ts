import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import type { Migration } from '../../brain/core/migration.ts';
import { exitCodes, ExitError, type ExitCode, type Finish } from '../exit.ts';
import { addFleetOptions, type FleetFlags } from '../fleet/address.ts';
import { withFleet, type FleetClient } from '../fleet/client.ts';
import { isOver } from '../fleet/follow.ts';
import { printable } from '../terminal/style.ts';

interface AbortFlags extends FleetFlags {
  readonly reason?: string;
}

const lookMilliseconds = 200;
/** QEMU cancels within seconds; a brain that waits longer waits for an agent. */
const patienceMilliseconds = 30_000;

/** `ferryman abort`: cancels a migration, and waits until the VM is as it was. */
export function abortCommand(finish: Finish): Command {
  const command = new Command('abort')
    .description('cancel a migration; the VM goes on at the source (never in post-copy: exit 5)')
    .argument('<migration>', 'its id, or the VM by name or UUID')
    .option('--reason <text>', 'goes into the record');
  return addFleetOptions(command, 'one JSON object on standard output').action(
    async (name: string, flags: AbortFlags) => {
      finish(await withFleet(flags, (fleet) => abort(fleet, name, flags)));
    },
  );
}

async function abort(
  fleet: FleetClient,
  name: string,
  { reason, json }: AbortFlags,
): Promise<ExitCode> {
  const before = await show(fleet, name);
  refuseBeyondReach(before);
  const order = { id: before.id, ...(reason !== undefined && { reason }) };
  if (!isOver(before)) await fleet.ask('abort', order);
  const end = await ended(fleet, before.id);
  const outcome = end.result?.outcome ?? end.phase;
  const line = { type: 'abort', id: end.id, outcome, reason: end.result?.reason };
  const text = `${end.id} ${outcome}${end.result?.reason ? `: ${end.result.reason}` : ''}`;
  process.stdout.write(`${json === true ? JSON.stringify(line) : printable(text)}\n`);
  return outcome === 'cancelled' ? exitCodes.ok : exitCodes.incomplete;
}

async function ended(fleet: FleetClient, id: string): Promise<Migration> {
  const giveUpAt = performance.now() + patienceMilliseconds;
  for (;;) {
    const migration = await show(fleet, id);
    if (isOver(migration) || performance.now() > giveUpAt) return migration;
    refuseBeyondReach(migration);
    await sleep(lookMilliseconds);
  }
}

async function show(fleet: FleetClient, name: string): Promise<Migration> {
  return (await fleet.ask<{ migration: Migration }>('show', { migration: name })).migration;
}

/** Throws ExitError for what must not be cancelled, or not from here. */
function refuseBeyondReach({ id, phase, last, order }: Migration): void {
  const isInPostCopy = phase === 'post-copy' || last?.status.startsWith('postcopy') === true;
  const why = isInPostCopy
    ? 'is in post-copy: the guest runs at the destination, a cancel would lose it'
    : order?.verb === 'follow' && phase !== 'settled'
      ? 'was started by somebody else: cancel it where it was started'
      : undefined;
  if (why !== undefined) throw new ExitError(exitCodes.refused, `${id} ${why}. Nothing was sent.`);
}
