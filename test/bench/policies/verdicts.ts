/** What the record shows of the goals of `adaptive`, each with its figures. */
import { defaultWeights } from '../../../brain/core/cost.ts';
import { firstPayingRound } from './bounds.ts';
import { isStaticPreCopy } from './policies.ts';
import type { BenchRecord, Cell } from './record.ts';
import {
  bestStatic,
  costOf,
  entryFor,
  geometricMean,
  scenesOf,
  type Entry,
  type Scene,
} from './statistics.ts';
import { workloads } from './workloads.ts';

export interface Verdict {
  readonly goal: string;
  /** Undefined: nothing in the record to judge it by. */
  readonly holds?: boolean;
  readonly figures: string;
}

const largestRatio = 10;
const goals = { totalRatio: 3.5, bytesRatio: 3.5, workLostRatio: 3 };
/** Ratio, the allowance in seconds, and the share of scenes that must be within. */
const regrets = [
  { ratio: 1.1, share: 0.95 },
  { ratio: 1.5, share: 1 },
] as const;
const allowanceSeconds = 0.3;
const calm = { ratio: 1.03, seconds: 0.15 };
const roundBound = { ratio: 1.3, seconds: 0.15 };
const gapAllowanceMilliseconds = 150;
const largestFerrymanShare = 0.03;
/** Less than this is the noise of measuring. */
const leastWorkLostSeconds = 0.02;

/** A scene that has both sides of the comparison. */
interface Duel {
  readonly scene: Scene;
  readonly adaptive: Entry;
  readonly none: Entry | undefined;
  readonly autoConverge: Entry | undefined;
}

export function verdictsOf(record: BenchRecord): Verdict[] {
  const duels = scenesOf(record).flatMap((scene): Duel[] => {
    const adaptive = entryFor(scene, 'adaptive');
    if (adaptive === undefined) return [];
    const [none, autoConverge] = [entryFor(scene, 'none'), entryFor(scene, 'auto-converge')];
    return [{ scene, adaptive, none, autoConverge }];
  });
  const diverging = duels.filter(({ none }) => none !== undefined && !none.completes);
  const converging = duels.filter(({ none }) => none?.completes === true);
  return [
    completesAll(duels),
    ...ratios(diverging),
    withinRoundBound(diverging),
    throttlesInTime(diverging),
    ...regrets.map(({ ratio, share }) => regret(duels, ratio, share)),
    leavesCalmAlone(converging),
    keepsItsGap(duels, record.downtimeLimitMilliseconds),
    costsLittle(duels),
  ];
}

function completesAll(duels: readonly Duel[]): Verdict {
  const movable = duels.filter(({ scene }) =>
    scene.entries.some(({ policy, completes }) => isStaticPreCopy(policy) && completes),
  );
  const misses = movable.filter(
    ({ adaptive }) => !adaptive.completes || adaptive.cells.some(({ postCopy }) => postCopy),
  );
  return judged(
    '1. completes what any pre-copy choice completes, without post-copy',
    movable,
    misses,
  );
}

function ratios(diverging: readonly Duel[]): Verdict[] {
  const against = (figure: (cell: Cell) => number, ours = figure): number[] =>
    diverging.flatMap(({ adaptive, autoConverge }) => {
      if (autoConverge === undefined) return [];
      return [Math.min(largestRatio, autoConverge.of(figure) / adaptive.of(ours))];
    });
  const verdict = (what: string, values: readonly number[], goal: number): Verdict => {
    const mean = geometricMean(values);
    return {
      goal: `2. diverging: ${what} at least ${goal} times less than auto-converge's`,
      ...(values.length > 0 && { holds: mean >= goal }),
      figures: values.length === 0 ? 'no cells' : `${mean.toFixed(2)} over ${values.length} scenes`,
    };
  };
  const workLost = (cell: Cell) => Math.max(leastWorkLostSeconds, cell.guestWorkLostSeconds);
  // What nobody gets beyond who throttles where adaptive did.
  const atBound = against(workLost, (cell) =>
    Math.min(workLost(cell), cell.roundBoundSeconds ?? Infinity),
  );
  const gentler = verdict('guest work lost', against(workLost), goals.workLostRatio);
  const most = `${geometricMean(atBound).toFixed(2)} if no throttled one lost more than V_n/R`;
  return [
    verdict(
      'total time',
      against(({ totalSeconds }) => totalSeconds),
      goals.totalRatio,
    ),
    verdict(
      'bytes',
      against(({ transferredBytes }) => transferredBytes),
      goals.bytesRatio,
    ),
    atBound.length === 0 ? gentler : { ...gentler, figures: `${gentler.figures}; ${most}` },
  ];
}

function onlyThrottlingHelps({ scene: { workload } }: Duel): boolean {
  return workloads.some(({ name, isIncompressible }) => name === workload && isIncompressible);
}

function withinRoundBound(diverging: readonly Duel[]): Verdict {
  const judgedOnes = diverging.filter(
    (duel) => onlyThrottlingHelps(duel) && Number.isFinite(duel.adaptive.of(boundOf)),
  );
  const misses = judgedOnes.filter(({ adaptive }) => {
    const most = roundBound.ratio * adaptive.of(boundOf) + roundBound.seconds;
    return adaptive.of(({ guestWorkLostSeconds }) => guestWorkLostSeconds) > most;
  });
  return judged(
    '2. only throttling helps: work lost at most 1.3 x V_n/R + 0.15 s',
    judgedOnes,
    misses,
  );
}

const boundOf = ({ roundBoundSeconds }: Cell): number => roundBoundSeconds ?? NaN;

function throttlesInTime(diverging: readonly Duel[]): Verdict {
  const judgedOnes = diverging.filter(onlyThrottlingHelps);
  const misses = judgedOnes.filter(({ adaptive, none }) => {
    const paying = none?.of(({ backlogBytes }) => {
      return firstPayingRound(backlogBytes, defaultWeights.guestWorkLost) ?? Infinity;
    });
    const begun = adaptive.of(({ throttledFromRound }) => throttledFromRound ?? Infinity);
    return adaptive.completes && begun !== Infinity && begun > (paying ?? Infinity) + 1;
  });
  return judged('2. only throttling helps: throttles at most a round late', judgedOnes, misses);
}

function regret(duels: readonly Duel[], ratio: number, share: number): Verdict {
  const judgedOnes = duels.filter(({ scene }) => bestStatic(scene) !== undefined);
  const misses = judgedOnes.filter(({ scene, adaptive }) => {
    const best = bestStatic(scene)?.of(costOf) ?? NaN;
    return adaptive.of(costOf) > ratio * best + allowanceSeconds;
  });
  const goal = `3. J at most ${ratio} x the best static choice + 0.3 on ${100 * share} %`;
  const allowed = Math.floor((1 - share) * judgedOnes.length + 1e-9);
  return { ...judged(goal, judgedOnes, misses), ...holdsIf(judgedOnes, misses.length <= allowed) };
}

function leavesCalmAlone(converging: readonly Duel[]): Verdict {
  const total = ({ totalSeconds }: Cell) => totalSeconds;
  const misses = converging.filter(({ adaptive, none }) => {
    const base = none?.of(total) ?? NaN;
    const most = Math.max(calm.ratio * base, base + calm.seconds);
    return adaptive.of(total) > most || adaptive.of((cell) => cell.throttleSeconds) > 0;
  });
  return judged(
    '4. self-converging: within 3 % or 150 ms of none, no throttle',
    converging,
    misses,
  );
}

function keepsItsGap(duels: readonly Duel[], limitMilliseconds: number): Verdict {
  const most = limitMilliseconds + gapAllowanceMilliseconds;
  const misses = duels.filter(({ adaptive }) =>
    adaptive.cells.some(
      ({ outcome, downtimeSeenMilliseconds }) =>
        outcome === 'completed' && downtimeSeenMilliseconds > most,
    ),
  );
  return judged(`8. gap seen at switchover at most ${most} ms in every run`, duels, misses);
}

function costsLittle(duels: readonly Duel[]): Verdict {
  const misses = duels.filter(
    ({ adaptive }) => adaptive.of((cell) => cell.ferrymanCpuShare ?? 0) > largestFerrymanShare,
  );
  return judged('10. ferryman uses at most 3 % of a core', duels, misses);
}

function judged(goal: string, all: readonly Duel[], misses: readonly Duel[]): Verdict {
  const names = misses.map(({ scene }) => sceneName(scene)).join(', ');
  const figures = `${all.length - misses.length} of ${all.length} scenes`;
  return {
    goal,
    ...holdsIf(all, misses.length === 0),
    figures: names === '' ? figures : `${figures}; not: ${names}`,
  };
}

function holdsIf(all: readonly Duel[], holds: boolean): Pick<Verdict, 'holds'> {
  return all.length === 0 ? {} : { holds };
}

/** `random at 32 MiB/s on 7.2`. */
export function sceneName({ workload, linkBytesPerSecond, qemu }: Omit<Scene, 'entries'>): string {
  return `${workload} at ${linkBytesPerSecond / 2 ** 20} MiB/s on ${qemu}`;
}
