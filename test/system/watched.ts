/** What a migration by `ferryman run` cost the guest, seen from outside. */
import { setTimeout as sleep } from 'node:timers/promises';
import { assessMigration, watchMilliseconds, type GuestCost } from '../guests/assess.ts';
import type { Pair } from '../rig/pair.ts';
import { operationOf, type Line, type Migrated, type Stage } from './support.ts';

/** The guest's cost of a migration from first `migrate` to end, and its gaps but the throttle's. */
export interface WatchedCost extends GuestCost {
  readonly longestUnthrottledGapMilliseconds: number;
}

/** Migrates while the guest is watched, long enough before and after to tell what it lost. */
export async function migrateWatched(
  stage: Stage,
  pair: Pair,
  ...flags: readonly string[]
): Promise<Migrated & { readonly cost: WatchedCost }> {
  await sleep(watchMilliseconds.before);
  const migrated = await stage.migrate(pair, ...flags);
  await sleep(watchMilliseconds.after);
  const { lines, result } = migrated;
  const begin = Number(
    lines.find((line) => operationOf(line)?.kind === 'migrate')?.['atMilliseconds'],
  );
  const observed = await pair.observer.observe();
  const cost = assessMigration(observed, begin, begin + result.totalMilliseconds);
  const throttled = throttledSpan(lines);
  const unthrottled = cost.gaps.filter(
    ({ startMilliseconds: start, durationMilliseconds: duration }) =>
      !(start >= throttled.from && start + duration <= throttled.to),
  );
  const longest = Math.max(0, ...unthrottled.map((gap) => gap.durationMilliseconds));
  return { ...migrated, cost: { ...cost, longestUnthrottledGapMilliseconds: longest } };
}

/** From the first sample with a throttle to the last one taken while pages were sent. */
function throttledSpan(lines: readonly Line[]): { readonly from: number; readonly to: number } {
  const active = lines.filter(({ side, status }) => side === 'source' && status === 'active');
  const throttled = active.filter(({ throttlePercent }) => Number(throttlePercent) > 1);
  // The sample that saw it first came after it.
  const before = active[active.indexOf(throttled[0] ?? {}) - 1] ?? throttled[0];
  const at = (line: Line | undefined) => Number(line?.['atMilliseconds'] ?? Infinity);
  return { from: at(before), to: throttled.length > 0 ? at(active.at(-1)) : -Infinity };
}
