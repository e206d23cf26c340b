/**
 * `adaptive` judged on drawn workloads by what the simulated guests really went through, against what
 * fixed choices did to the same guests. The bounds are the product's goals, not what it does today.
 * A few dozen seeds are drawn in the inner loop (`sweep.test.ts`), hundreds with the system tests.
 */
import assert from 'node:assert/strict';
import { defaultObjective } from '../../../shared/objective.ts';
import type { VmFacts } from '../../../shared/sample.ts';
import { reduce, startMigration } from '../../../brain/core/reduce.ts';
import type { LinkEstimate } from '../../../brain/core/input.ts';
import type { Migration } from '../../../brain/core/migration.ts';
import { plainArming, runChoice, type Choice } from '../../simulator/baseline.ts';
import { drawScenario } from '../../simulator/scenarios.ts';
import type { Scenario, Truth } from '../../simulator/simulation.ts';
import { mebibyte } from '../../simulator/workload.ts';
import { runWorld, type WorldRun } from '../../simulator/world.ts';

const core = { start: startMigration, reduce };
const baselineMilliseconds = 30_000;

interface Judged {
  readonly seed: number;
  readonly scenario: Scenario;
  readonly run: WorldRun<Migration>;
  /** Cost of the untouched run and of the best static throttle, from the same moment on. */
  readonly untouched: Truth;
  readonly bestStaticCost: number;
}

/** Migrates a drawn guest with `adaptive`; `facts` replaces what its host offers. */
export function migrate(
  scenario: Scenario,
  facts: Partial<VmFacts> = {},
  link?: LinkEstimate,
): WorldRun<Migration> {
  const order = { policy: 'adaptive', objective: defaultObjective };
  return runWorld({ ...scenario, ...core, ...order, facts, ...(link && { link }) });
}

/** The same guest under a fixed choice that starts when `run` started. */
function without(run: WorldRun<Migration>, scenario: Scenario, choice: Choice): Truth {
  const leadMilliseconds = run.migration.attempts[0]?.startedAtMilliseconds ?? 0;
  return runChoice(scenario, { leadMilliseconds, ...choice }, baselineMilliseconds).truth;
}

function judge(seed: number): Judged {
  const scenario = drawScenario(seed);
  const run = migrate(scenario);
  const untouched = without(run, scenario, {});
  const hardest = without(run, scenario, { throttlePercent: defaultObjective.maxThrottlePercent });
  return {
    seed,
    scenario,
    run,
    untouched,
    bestStaticCost: Math.min(untouched.cost, hardest.cost),
  };
}

const otherFamilies: readonly Choice[] = [
  { arming: { ...plainArming, autoConverge: true } },
  { arming: { ...plainArming, family: 'xbzrle', xbzrleCacheBytes: 128 * mebibyte } },
  { arming: { ...plainArming, family: 'multifd-zstd' } },
];

function someChoiceCompletes({ run, scenario, bestStaticCost }: Judged): boolean {
  if (Number.isFinite(bestStaticCost)) return true;
  return otherFamilies.some((choice) => without(run, scenario, choice).completed);
}

/** QEMU 7.2 counts what multifd sends before it is compressed. */
function countsUncompressed({ migration }: WorldRun<Migration>): boolean {
  const isOld = migration.source?.qemuVersion.startsWith('7.2') === true;
  return isOld && migration.attempts.some(({ arming }) => arming.family.startsWith('multifd-'));
}

/** Ends by itself soon after the first pass: its backlogs shrink fast without any help. */
function convergesByItself({ untouched, scenario }: Judged): boolean {
  const link = scenario.linkBytesPerSecond as number;
  const firstPassMilliseconds = (1000 * scenario.workload.ramBytes) / link;
  return untouched.completed && untouched.totalMilliseconds < 1.5 * firstPassMilliseconds;
}

/** Cost over that of the best static throttle; half a second is forgiven. */
function regret({ run, bestStaticCost }: Judged): number {
  return (run.truth.cost - 0.5) / bestStaticCost;
}

/** Lists what was violated in one line each, so that a failing seed can be run alone. */
function assertNone(offenders: readonly Judged[], what: string): void {
  const lines = offenders.map(({ seed, scenario, run, untouched, bestStaticCost }) => {
    const families = run.migration.attempts.map(({ arming }) => arming.family).join('>');
    const costs = [run.truth.cost, untouched.cost, bestStaticCost].map((cost) => cost.toFixed(1));
    const throttle = run.truth.throttleSeconds.toFixed(2);
    return `seed ${String(seed)} ${scenario.workload.name} ${families}: cost ${costs.join(' / ')}, throttled ${throttle} s`;
  });
  assert.equal(lines.length, 0, `${what} (cost / untouched / best static):\n${lines.join('\n')}`);
}

function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN;
}

/** Seeds of which it is known that they break a law, and how far. */
export interface Exceptions {
  /** End by themselves and are throttled all the same, at less cost than untouched. */
  readonly throttledAtAGain: readonly number[];
  /** Bursts that cost up to this many times the best. */
  readonly dearBursts: { readonly seeds: readonly number[]; readonly bound: number };
}

const none: Exceptions = { throttledAtAGain: [], dearBursts: { seeds: [], bound: 0 } };

/** Registers the tests that must hold over the guests of these seeds. */
export function itHoldsOver(seeds: readonly number[], known: Exceptions = none): void {
  let judged: readonly Judged[] = [];

  before(function () {
    this.timeout(600_000);
    judged = seeds.map(judge);
  });

  it('completes whatever any fixed choice completes', () => {
    const failed = judged.filter(({ run }) => !run.truth.completed);
    assertNone(failed.filter(someChoiceCompletes), 'not completed');
  });

  it('tells the user what really happened', () => {
    for (const { seed, run } of judged.filter((each) => each.run.truth.completed)) {
      const { result } = run.migration;
      const about = `seed ${String(seed)}`;
      assert.equal(result?.outcome, 'completed', about);
      const lateMilliseconds = result.totalMilliseconds - run.truth.totalMilliseconds;
      assert.ok(Math.abs(lateMilliseconds) < 250, about);
      assert.ok(Math.abs(result.throttleSeconds - run.truth.throttleSeconds) < 0.3, about);
      const bytes = result.transferredBytes / run.truth.transferredBytes;
      assert.ok(Math.abs(bytes - 1) < 0.05 || countsUncompressed(run), about);
    }
  });

  it('stays within the objective, and is refused nothing', () => {
    for (const { seed, run } of judged) {
      assert.deepEqual(run.rejections, [], `seed ${String(seed)}`);
      assert.ok(run.truth.maxThrottlePercent <= defaultObjective.maxThrottlePercent);
    }
  });

  it('leaves a guest alone that converges by itself', () => {
    const gentle = judged.filter(convergesByItself);
    assert.ok(gentle.length >= seeds.length / 5);
    const throttled = gentle.filter(({ run }) => run.truth.throttleSeconds > 0);
    const isKnownToPay = ({ seed, run, untouched }: Judged): boolean =>
      known.throttledAtAGain.includes(seed) && run.truth.cost < untouched.cost;
    assertNone(
      throttled.filter((each) => !isKnownToPay(each)),
      'throttled without need',
    );
  });

  it('costs no more than the best static throttle in hindsight, on nineteen of twenty', () => {
    assert.ok(percentile(judged.map(regret), 0.95) <= 1.1);
  });

  it('costs at most half as much again on any; three quarters where a burst ends unannounced', () => {
    // Hindsight knows that the guest is about to stop writing; four rounds of proof say it will not.
    const { dearBursts } = known;
    const bound = ({ seed, scenario }: Judged): number => {
      if (scenario.workload.name !== 'bursty') return 1.5;
      return dearBursts.seeds.includes(seed) ? dearBursts.bound : 1.75;
    };
    assertNone(
      judged.filter((each) => regret(each) > bound(each)),
      'far costlier',
    );
  });

  it('costs clearly less on most', () => {
    assert.ok(percentile(judged.map(regret), 0.5) < 0.95);
  });

  it('gives the same decisions for the same inputs', () => {
    for (const { run } of judged.filter(({ seed }) => seed % 10 === 3)) {
      let migration = startMigration({ id: 'simulated', policy: 'adaptive', atMilliseconds: 0 });
      const decisions = run.inputs.flatMap((input) => {
        const reduced = reduce(migration, input);
        migration = reduced.migration;
        return reduced.decisions;
      });
      assert.deepEqual(decisions, run.decisions);
    }
  });
}
