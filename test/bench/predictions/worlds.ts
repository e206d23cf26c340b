/** Simulated migrations, as they are and as a prediction describes them, with what is seen on the way. */
import { defaultObjective } from '../../../shared/objective.ts';
import type { Decision } from '../../../brain/core/decision.ts';
import { runningCourse } from '../../../brain/core/estimate.ts';
import type { Input, LinkEstimate } from '../../../brain/core/input.ts';
import { around } from '../../../brain/core/link.ts';
import type { Migration } from '../../../brain/core/migration.ts';
import { forecast } from '../../../brain/core/pre-copy-model.ts';
import type { FamilyPrediction } from '../../../brain/core/prediction.ts';
import { reduce, startMigration } from '../../../brain/core/reduce.ts';
import type { FactOverrides } from '../../simulator/facts.ts';
import type { Scenario } from '../../simulator/simulation.ts';
import { runWorld, type WorldRun } from '../../simulator/world.ts';
import type { BacklogGuess, Happened } from './foretold.ts';

export interface Watched {
  readonly run: WorldRun<Migration>;
  /** As it was when the probe's report had just come. */
  readonly probed: Migration;
  readonly backlogs: readonly BacklogGuess[];
}

interface Changes {
  readonly facts?: FactOverrides;
  readonly link?: LinkEstimate;
  /** What is ordered beside the decisions of the core. */
  readonly interfere?: (before: Migration, after: Migration) => readonly Decision[];
}

const watchedMilliseconds = 60_000;

/** `adaptive` at the wheel. Throws when the guest was not probed. */
export function watchWorld(scenario: Scenario, changes: Changes = {}): Watched {
  const { facts, link, interfere = () => [] } = changes;
  let probed: Migration | undefined;
  const roundStarts = new Map<string, Migration>();
  const run = runWorld({
    ...scenario,
    ...(facts && { facts }),
    ...(link && { link }),
    policy: 'adaptive',
    objective: defaultObjective,
    maxMilliseconds: watchedMilliseconds,
    start: startMigration,
    reduce: (before: Migration, input: Input) => {
      const { migration, decisions } = reduce(before, input);
      if (before.probe === undefined && migration.probe) probed = migration;
      keepFirst(roundStarts, migration);
      return { migration, decisions: [...decisions, ...interfere(before, migration)] };
    },
  });
  if (probed === undefined) throw new Error('the guest was not probed');
  return { run, probed, backlogs: backlogGuesses(run.migration, [...roundStarts.values()]) };
}

/** The guest in one family, throttled as the prediction says. */
export function heldWorld(
  scenario: Scenario,
  { family, throttlePercent: { likely: percent }, throttleFromRound }: FamilyPrediction,
): Watched {
  return watchWorld(scenario, {
    facts: { families: [family], throttles: [], canStartDestination: false },
    link: configuredLink(scenario),
    interfere: (before, after) =>
      startsRound(before, after) && after.openRound?.number === throttleFromRound
        ? [throttleOrder(percent, after.nowMilliseconds)]
        : [],
  });
}

/** The link as its operator would know it. */
export function configuredLink({ linkBytesPerSecond: link }: Scenario): LinkEstimate {
  return around(typeof link === 'number' ? link : link(0), 'configured');
}

/** The first state of each round in which the link's speed has been measured. */
function keepFirst(states: Map<string, Migration>, migration: Migration): void {
  const { openRound, attempts, bandwidthBytesPerSecond } = migration;
  if (openRound === undefined || bandwidthBytesPerSecond === undefined) return;
  const key = `${String(attempts.length)}.${String(openRound.number)}`;
  if (!states.has(key)) states.set(key, migration);
}

function startsRound(before: Migration, after: Migration): boolean {
  return (after.openRound?.number ?? 0) > (before.openRound?.number ?? 0);
}

/** Not one of the core's own: it takes no notice of the answer. */
function throttleOrder(percent: number, atMilliseconds: number): Decision {
  return {
    number: 0,
    atMilliseconds,
    side: 'source',
    operation: { kind: 'throttle', percent, mechanism: 'cgroup' },
    method: 'auto-converge',
    rule: 'as-predicted',
    evidence: {},
  };
}

/** What was expected early in each round of the next one's backlog, under the throttle that it then had. */
function backlogGuesses(
  { rounds }: Migration,
  roundStarts: readonly Migration[],
): readonly BacklogGuess[] {
  return roundStarts.flatMap((state): BacklogGuess[] => {
    const course = runningCourse(state);
    const round = rounds.find(
      ({ number, attempt }) =>
        number === state.openRound?.number && attempt === state.attempts.length,
    );
    if (!course || !round || round.endRemainingBytes === 0) return [];
    const ranShare =
      round.guestRunMilliseconds / (round.endedAtMilliseconds - round.startedAtMilliseconds);
    const throttle = Math.max(0, 1 - ranShare);
    const { nextRoundBytes } = forecast({ ...course, throttles: [throttle, throttle, throttle] });
    return [
      {
        round: round.number,
        predictedBytes: nextRoundBytes,
        happenedBytes: round.endRemainingBytes,
      },
    ];
  });
}

export function happenedIn({ truth, migration, rounds }: WorldRun<Migration>): Happened {
  const [start, firstSync] = rounds;
  return {
    completed: truth.completed,
    totalMilliseconds: truth.totalMilliseconds,
    transferredBytes: truth.transferredBytes,
    ...(migration.result && { downtimeMilliseconds: migration.result.downtimeMilliseconds }),
    ratio: guestBytesSent(migration) / Math.max(1, truth.transferredBytes),
    throttleSeconds: truth.throttleSeconds,
    firstPassMilliseconds: (firstSync?.atMilliseconds ?? NaN) - (start?.atMilliseconds ?? NaN),
    rounds: rounds.length,
  };
}

/** Pages that were sent with content, whatever they took on the wire. */
function guestBytesSent({ last }: Migration): number {
  if (!last?.ram) return NaN;
  const coded = (last.xbzrle?.encodedPages ?? 0) + (last.compression?.pages ?? 0);
  return (last.ram.normalPages + coded) * last.ram.pageBytes;
}
