/** Takes InfluxDB or NATS away for some seconds amid a migration, and says what came of it. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { MigrationResult } from '../../brain/core/migration.ts';
import type { OperationKind } from '../../shared/command.ts';
import { startWitnessed } from './outages.ts';
import type { HistoryCounts, OutageGuest, WitnessedFleet } from './outages.ts';
import { mebibyte, until, type Stage } from './support.ts';

export interface OutageReport {
  readonly result: MigrationResult;
  /** Commands that agents applied while it was away. */
  readonly appliedMeanwhile: readonly OperationKind[];
  /** From the failure to the first sample that shows the guest run freely. */
  readonly floorMilliseconds?: number;
  /** From the return to the first command that was applied. */
  readonly resumedMilliseconds?: number;
  readonly history: HistoryCounts;
}

/** Diverges, and would be held back for longer than NATS is away. */
export const squeezedGuest: OutageGuest = {
  guest: {
    workingSetBytes: 40 * mebibyte,
    dirtyBytesPerSecond: 8 * mebibyte,
    content: 'random',
  },
  linkBytesPerSecond: 5 * mebibyte,
};

/** Under way for a minute and a half. */
export const slowGuest: OutageGuest = {
  guest: { ...squeezedGuest.guest, dirtyBytesPerSecond: mebibyte },
  linkBytesPerSecond: 0.8 * mebibyte,
};

const endMilliseconds = 300_000;

/** NATS is killed while the guest is held back; `isFrozen`: it takes what is sent before, and says nothing. */
export async function loseNats(
  stage: Stage,
  on: OutageGuest,
  seconds: number,
  isFrozen = false,
): Promise<OutageReport> {
  const fleet = await startWitnessed(stage, on);
  const throttlePercent = () => fleet.samples().at(-1)?.throttlePercent ?? 0;
  await until('the guest is held back', () => throttlePercent() > 1, endMilliseconds);
  await sleep(500);
  const goneAt = Date.now();
  if (isFrozen) fleet.bus.freeze();
  else await fleet.bus.kill();
  await sleep(1_000 * seconds);
  if (isFrozen) await fleet.bus.kill();
  await fleet.bus.start();
  const backAt = Date.now();
  const report = await ended(fleet, goneAt, backAt);
  const free = fleet
    .samples()
    .find((sample) => sample.atMilliseconds > goneAt && sample.throttlePercent <= 1);
  const next = fleet.answered.find((each) => each.atMilliseconds >= backAt && isApplied(each));
  return {
    ...report,
    ...(free && { floorMilliseconds: free.atMilliseconds - goneAt }),
    ...(next && { resumedMilliseconds: next.atMilliseconds - backAt }),
  };
}

/** InfluxDB is killed as soon as the source sends. */
export async function loseInflux(
  stage: Stage,
  on: OutageGuest,
  seconds: number,
): Promise<OutageReport> {
  const fleet = await startWitnessed(stage, on);
  const isMoving = () => fleet.samples().at(-1)?.status === 'active';
  await until('it moves', isMoving);
  const goneAt = Date.now();
  await fleet.influx.kill();
  await sleep(1_000 * seconds);
  await fleet.influx.start();
  return ended(fleet, goneAt, Date.now());
}

const isApplied = ({ outcome }: WitnessedFleet['answered'][number]) => outcome === 'applied';

async function ended(fleet: WitnessedFleet, goneAt: number, backAt: number): Promise<OutageReport> {
  await until('it settles', () => fleet.result() !== undefined, endMilliseconds);
  const result = fleet.result();
  if (result === undefined) throw new Error('it has settled without a result');
  const meanwhile = fleet.answered.filter(
    ({ atMilliseconds }) => atMilliseconds > goneAt && atMilliseconds < backAt,
  );
  return {
    result,
    appliedMeanwhile: meanwhile.filter(isApplied).map(({ operation }) => operation),
    history: await fleet.checkHistory(),
  };
}
