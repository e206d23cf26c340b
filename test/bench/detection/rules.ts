/** The detectors that are compared: ours, ours with patience, and the plain rules in use elsewhere. */
import type { Migration } from '../../../brain/core/migration.ts';
import {
  divergingContraction,
  isCalledEndless,
  lastContraction,
} from '../../../brain/core/tendency.ts';

/** The migration as it was known at the end of each round so far; the last is now. */
export type Moments = readonly Migration[];

export interface Rule {
  readonly name: string;
  /** Whether it says now that the migration will not end by itself. */
  readonly calls: (moments: Moments) => boolean;
}

/** The call as the product makes it. */
export const ours: Rule = {
  name: 'ferryman',
  calls: (moments) => moments.slice(-1).some(isCalledEndless),
};

/** A round that leaves less than this share of what it found is a lull. */
const lullContraction = 0.8;

/** The same, once so many times the length of the first pass went by without a lull. */
function patient(passes: number): Rule {
  return {
    name: `ferryman, after ${passes} first pass${passes === 1 ? '' : 'es'} without a lull`,
    calls: (moments) => {
      const now = moments.at(-1);
      const since = moments[moments.findLastIndex(isLull) + 1];
      return (
        now !== undefined &&
        since !== undefined &&
        now.nowMilliseconds - since.nowMilliseconds >= passes * firstPassMilliseconds(now) &&
        isCalledEndless(now)
      );
    },
  };
}

function isLull(migration: Migration): boolean {
  return (lastContraction(migration) ?? 0) < lullContraction;
}

function firstPassMilliseconds({ rounds: [first] }: Migration): number {
  return first ? first.endedAtMilliseconds - first.startedAtMilliseconds : Infinity;
}

/** The talk's: the dirty page rate has risen from one sync to the next. */
const risingDirtyRate: Rule = {
  name: 'dirty page rate rising',
  calls: (moments) => {
    const [before, now] = moments.slice(-2).map(({ last }) => last?.ram?.dirtyPagesPerSecond ?? 0);
    return before !== undefined && before > 0 && now !== undefined && now > before;
  },
};

const contractionOnce: Rule = {
  name: `contraction >= ${divergingContraction} once`,
  calls: (moments) => {
    const now = moments.at(-1);
    return now !== undefined && (lastContraction(now) ?? 0) >= divergingContraction;
  },
};

const stallMilliseconds = 40_000;
const stallImprovement = 0.04;

/** KubeVirt's: no backlog 4 % below the least one that is older than 40 s. */
const stall: Rule = {
  name: '40 s stall',
  calls: (moments) => {
    const now = moments.at(-1);
    if (now === undefined) return false;
    const isOld = (round: { readonly endedAtMilliseconds: number }) =>
      round.endedAtMilliseconds <= now.nowMilliseconds - stallMilliseconds;
    const least = (old: boolean) =>
      Math.min(
        ...now.rounds.filter((each) => isOld(each) === old).map((each) => each.endRemainingBytes),
      );
    return Number.isFinite(least(true)) && least(false) > (1 - stallImprovement) * least(true);
  },
};

/** Another rule is one more entry. */
export const rules: readonly Rule[] = [
  ours,
  ...[1, 2, 3].map(patient),
  contractionOnce,
  risingDirtyRate,
  stall,
];
