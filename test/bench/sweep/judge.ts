/** One seed: what `adaptive` cost its guest, what every other choice would have cost it, and why. */
import { defaultObjective } from '../../../shared/objective.ts';
import { reduce, startMigration } from '../../../brain/core/reduce.ts';
import type { Migration } from '../../../brain/core/migration.ts';
import { runChoice } from '../../simulator/baseline.ts';
import type { Scenario, Truth } from '../../simulator/simulation.ts';
import { drawWideScenario } from '../../simulator/wide-scenarios.ts';
import { mebibyte } from '../../simulator/workload.ts';
import { runWorld, type WorldRun } from '../../simulator/world.ts';
import { choicesWithin, type NamedChoice } from './choices.ts';
import { reasonOf } from './reason.ts';

/** A choice, and what it did to the guest. */
export interface Played {
  readonly name: string;
  readonly truth: Truth;
  /** The last one, when there were more. */
  readonly family: string;
}

export interface Verdict {
  readonly seed: number;
  readonly workload: string;
  readonly chosen: string;
  readonly cost: number | null;
  readonly best: string;
  readonly bestCost: number | null;
  /** J less 0.3, over the best other J; null when nobody completed. */
  readonly ratio: number | null;
  readonly reason: string;
  /** J of every other choice that completed before it had cost more than the best so far. */
  readonly others: Readonly<Record<string, number>>;
}

const mostMilliseconds = 240_000;
const workLostWeight = 5;
/** Forgiven on every seed, in units of J. */
const forgiven = 0.3;

/** Runs everything on the scenario of `seed`; throttles up to `maxThrottlePercent` are allowed. */
export function judge(seed: number, maxThrottlePercent: number): Verdict {
  const scenario = drawWideScenario(seed);
  const run = runPolicy(scenario, 'adaptive', maxThrottlePercent, mostMilliseconds);
  const others = playOthers(scenario, run, maxThrottlePercent);
  const completed = others.filter(({ truth }) => truth.completed);
  const best = completed.reduce<Played | undefined>(
    (least, each) => (least && least.truth.cost <= each.truth.cost ? least : each),
    undefined,
  );
  return {
    seed,
    workload: describe(scenario),
    chosen: chosenBy(run),
    cost: finite(run.truth.cost),
    best: best?.name ?? 'nobody',
    bestCost: finite(best?.truth.cost),
    ratio: finite(best && (run.truth.cost - forgiven) / best.truth.cost),
    reason: best ? reasonOf(run, best) : 'nobody completes',
    others: Object.fromEntries(completed.map(({ name, truth }) => [name, truth.cost])),
  };
}

/** JSON has no infinity. */
function finite(value: number | undefined): number | null {
  return value !== undefined && Number.isFinite(value) ? value : null;
}

function runPolicy(
  scenario: Scenario,
  policy: string,
  maxThrottlePercent: number,
  maxMilliseconds: number,
): WorldRun<Migration> {
  const core = { start: startMigration, reduce };
  const objective = { ...defaultObjective, maxThrottlePercent };
  return runWorld({ ...scenario, ...core, policy, objective, maxMilliseconds });
}

/**
 * All from the moment at which `adaptive` began to move the guest, so that each meets the same
 * phases. A choice is given up once its time alone makes it dearer than the best before it.
 */
function playOthers(
  scenario: Scenario,
  run: WorldRun<Migration>,
  maxThrottlePercent: number,
): readonly Played[] {
  const leadMilliseconds = run.migration.attempts[0]?.startedAtMilliseconds ?? 0;
  const played: Played[] = [];
  const patience = (): number =>
    Math.min(mostMilliseconds, ...played.map(({ truth }) => 1000 * truth.cost)) + 1;
  for (const choice of choicesWithin(scenario, maxThrottlePercent)) {
    played.push(play(scenario, { ...choice, leadMilliseconds }, patience()));
  }
  const until = leadMilliseconds + patience();
  const ladder = runPolicy(scenario, 'ladder', maxThrottlePercent, until);
  return [...played, { name: 'ladder', truth: ladder.truth, family: lastFamily(ladder) }];
}

function play(scenario: Scenario, choice: NamedChoice, patienceMilliseconds: number): Played {
  const costPerSecond = 1 + (workLostWeight * (choice.throttlePercent ?? 0)) / 100;
  const { truth } = runChoice(scenario, choice, patienceMilliseconds / costPerSecond);
  return { name: choice.name, truth, family: choice.arming?.family ?? 'plain' };
}

export function lastFamily({ migration }: WorldRun<Migration>): string {
  return migration.attempts.at(-1)?.arming.family ?? 'plain';
}

function chosenBy(run: WorldRun<Migration>): string {
  const families = run.migration.attempts.map(({ arming }) => arming.family).join(' > ');
  const { maxThrottlePercent } = run.truth;
  return maxThrottlePercent > 0 ? `${families}, ${maxThrottlePercent} %` : families;
}

function describe({ workload, version, linkBytesPerSecond: link }: Scenario): string {
  const rate = (bytes: number) => (bytes / mebibyte).toFixed(0);
  const speed = typeof link === 'number' ? rate(link) : `${rate(link(0))}, falling to a quarter`;
  return `${workload.name} of ${rate(workload.ramBytes)} MiB, QEMU ${version}, ${speed} MiB/s`;
}
