/** Small sums over cells. */
import type { BenchRecord, Cell } from './record.ts';
import { isStaticPreCopy } from './policies.ts';

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = (sorted.length - 1) / 2;
  const [low = NaN, high = NaN] = [sorted[Math.floor(middle)], sorted[Math.ceil(middle)]];
  return (low + high) / 2;
}

export function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

/** All runs of one policy on one scene. */
export interface Entry {
  readonly policy: string;
  readonly cells: readonly Cell[];
  /** More than half of the runs completed. */
  readonly completes: boolean;
  /** The median over its runs of a figure that each has. */
  of(figure: (cell: Cell) => number): number;
}

/** One workload over one link on one QEMU, under all policies that ran. */
export interface Scene {
  readonly qemu: string;
  readonly linkBytesPerSecond: number;
  readonly workload: string;
  readonly entries: readonly Entry[];
}

export const costOf = (cell: Cell): number => cell.costSeconds;

/** In the order in which they were measured first. */
export function scenesOf({ cells }: Pick<BenchRecord, 'cells'>): Scene[] {
  const groups = groupBy(cells, ({ qemu, linkBytesPerSecond, workload }) =>
    [qemu, linkBytesPerSecond, workload].join('/'),
  );
  return groups.flatMap((group): Scene[] => {
    const [first] = group;
    if (first === undefined) return [];
    const { qemu, linkBytesPerSecond, workload } = first;
    const entries = groupBy(group, ({ policy }) => policy).map(entryOf);
    return [{ qemu, linkBytesPerSecond, workload, entries }];
  });
}

function entryOf(cells: readonly Cell[]): Entry {
  const completed = cells.filter(({ outcome }) => outcome === 'completed');
  return {
    policy: cells[0]?.policy ?? '',
    cells,
    completes: 2 * completed.length > cells.length,
    of: (figure) => median(cells.map(figure)),
  };
}

export function entryFor({ entries }: Scene, policy: string): Entry | undefined {
  return entries.find((entry) => entry.policy === policy);
}

/** The static choice of least J, known only afterwards; post-copy does not take part. */
export function bestStatic({ entries }: Scene): Entry | undefined {
  const candidates = entries.filter(({ policy }) => isStaticPreCopy(policy));
  return candidates.reduce<Entry | undefined>(
    (best, entry) => (best === undefined || entry.of(costOf) < best.of(costOf) ? entry : best),
    undefined,
  );
}

function groupBy<T>(values: readonly T[], keyOf: (value: T) => string): T[][] {
  const groups = new Map<string, T[]>();
  for (const value of values) {
    const key = keyOf(value);
    groups.set(key, [...(groups.get(key) ?? []), value]);
  }
  return [...groups.values()];
}

/** Scenes of one QEMU over one link belong together. */
export function sceneGroups(scenes: readonly Scene[]): Scene[][] {
  return groupBy(scenes, ({ qemu, linkBytesPerSecond }) => `${qemu}/${linkBytesPerSecond}`);
}
