/** One simulated guest: what became of it untouched, and when each rule would have called. */
import { defaultObjective } from '../../../shared/objective.ts';
import type { Migration } from '../../../brain/core/migration.ts';
import { reduce, startMigration } from '../../../brain/core/reduce.ts';
import type { SyncRecord } from '../../simulator/qemu.ts';
import { drawScenario } from '../../simulator/scenarios.ts';
import type { Scenario } from '../../simulator/simulation.ts';
import { runWorld } from '../../simulator/world.ts';
import { rules, type Moments } from './rules.ts';
import { leftAlone, linkOf, patienceMilliseconds, twin, whenTruthShows } from './truth.ts';

/** So that the round in which the time runs out is seen to its end. */
const graceMilliseconds = 2000;

export interface Call {
  readonly rule: string;
  readonly atMilliseconds: number;
  /** Backlog over the switchover threshold at the call. */
  readonly backlogShare: number;
  /** Had the guest gone on as it did at the call, the migration would not have ended by itself. */
  readonly isTrueOfTheMoment: boolean;
}

/** What was seen of a guest; times in milliseconds of the world, in which the guest began at 0. */
export interface Watched {
  readonly seed: number;
  readonly workload: string;
  readonly diverges: boolean;
  /**
   * A guest that did just the same until one round after the truth shows, and went on like that,
   * diverges: who is never later than that and misses none must call this one too.
   */
  readonly mustBeCalled: boolean;
  /** When the untouched run ended, or was given up. */
  readonly endMilliseconds: number;
  readonly syncs: readonly SyncRecord[];
  readonly calls: readonly Call[];
}

/** Watches the guest of a seed, with or without the right to probe it. */
export function watch(seed: number, canProbe: boolean): Watched {
  const scenario = drawScenario(seed);
  const { moments, run } = observe(scenario, canProbe);
  const startMilliseconds = run.migration.attempts[0]?.startedAtMilliseconds ?? 0;
  const truth = leftAlone(scenario, startMilliseconds);
  const goesOn = (atMilliseconds: number) =>
    !truth.completed || !leftAlone(twin(scenario, atMilliseconds), startMilliseconds).completed;
  const shown = whenTruthShows(run.rounds);
  const latest = shown === -1 ? undefined : run.rounds[shown + 1];
  const deadline = startMilliseconds + patienceMilliseconds(scenario);
  const inTime = moments.filter(({ nowMilliseconds }) => nowMilliseconds <= deadline);
  return {
    seed,
    workload: scenario.workload.name,
    diverges: !truth.completed,
    mustBeCalled: latest !== undefined && goesOn(latest.atMilliseconds),
    endMilliseconds: startMilliseconds + truth.totalMilliseconds,
    syncs: run.rounds,
    calls: callsOf(inTime, scenario).map((call) => ({
      ...call,
      isTrueOfTheMoment: goesOn(call.atMilliseconds),
    })),
  };
}

/** Runs the world with nobody at the wheel, and keeps what was known at the end of each round. */
function observe(scenario: Scenario, canProbe: boolean) {
  const moments: Migration[] = [];
  const run = runWorld<Migration>({
    ...scenario,
    objective: defaultObjective,
    facts: canProbe ? {} : { canProbe },
    // `none` does not probe: another policy begins, and hands over before it has a plan.
    policy: canProbe ? 'ladder' : 'none',
    maxMilliseconds: patienceMilliseconds(scenario) + graceMilliseconds,
    start: startMigration,
    reduce: (before, input) => {
      const handed = before.phase === 'probing' ? { ...before, policy: 'none' } : before;
      const reduced = reduce(handed, input);
      if (reduced.migration.rounds.length > before.rounds.length) moments.push(reduced.migration);
      return reduced;
    },
  });
  return { moments, run };
}

/** The first call of each rule. */
function callsOf(moments: Moments, scenario: Scenario) {
  const threshold = (linkOf(scenario) * defaultObjective.downtimeLimitMilliseconds) / 1000;
  return rules.flatMap(({ name, calls }) => {
    const now = moments.find((_, index) => calls(moments.slice(0, index + 1)));
    if (now === undefined) return [];
    const backlogBytes = now.rounds.at(-1)?.endRemainingBytes ?? 0;
    return {
      rule: name,
      atMilliseconds: now.nowMilliseconds,
      backlogShare: backlogBytes / threshold,
    };
  });
}
