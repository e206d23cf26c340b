/** The simulated migrations that bear witness in talk.test.ts. */
import assert from 'node:assert/strict';
import { defaultObjective, type Objective } from '../shared/objective.ts';
import type { Decision } from '../brain/core/decision.ts';
import type { Migration } from '../brain/core/migration.ts';
import { reduce, startMigration } from '../brain/core/reduce.ts';
import { contents, mebibyte, workingSet, type Content } from './simulator/workload.ts';
import { runWorld, type WorldOptions, type WorldRun } from './simulator/world.ts';

export type Run = WorldRun<Migration>;
type Change = Partial<Omit<WorldOptions<Migration>, 'objective'>> & {
  readonly objective?: Partial<Objective>;
};

/** Writes 59 MiB/s at random over 80 of its 128 MiB. */
export function guest(content: Content, pagesPerSecond = 15_000) {
  const bytes = 80 * mebibyte;
  const pages = { writtenContent: content, restContent: content, scattered: true };
  return workingSet({ ramBytes: 128 * mebibyte, bytes, pagesPerSecond, ...pages });
}

/** Random pages over 32 MiB/s, which plain pre-copy cannot move, unless told otherwise. */
export function migrate({ objective, ...change }: Change = {}): Run {
  return runWorld({
    workload: guest(contents.random),
    seed: 1,
    version: '10.0',
    linkBytesPerSecond: 32 * mebibyte,
    policy: 'adaptive',
    start: startMigration,
    reduce,
    ...change,
    objective: { ...defaultObjective, ...objective },
  });
}

/** Each run is made once, however many claims it bears witness to. */
function once(change: Change = {}): () => Run {
  let run: Run | undefined;
  return () => (run ??= migrate(change));
}

export const byDefault = once();
export const byAutoConverge = once({ policy: 'auto-converge' });
export const compressible = once({ workload: guest(contents.text) });
export const counting = once({ workload: guest(contents.counters) });
/** Every method is too weak for this guest: nothing compresses, and the throttle is held down. */
const hopeless = { maxThrottlePercent: 30, postCopy: 'last-resort' } as const;
export const climbing = once({ policy: 'ladder', objective: hopeless });

export const kinds = ({ decisions }: Run) => decisions.map(({ operation }) => operation.kind);
export const rules = ({ decisions }: Run) => decisions.map(({ rule }) => rule);

export function decisionOf<Kind extends Decision['operation']['kind']>(
  { decisions }: Run,
  kind: Kind,
) {
  const operation = decisions.map((each) => each.operation).find((each) => each.kind === kind);
  assert.ok(operation);
  return operation as Extract<Decision['operation'], { readonly kind: Kind }>;
}

export const armingOf = (run: Run) => decisionOf(run, 'arm').arming;
export const throttlesOf = ({ decisions }: Run) =>
  decisions.flatMap(({ operation }) => (operation.kind === 'throttle' ? operation.percent : []));
/** Levels of QEMU's own throttle, one after the other. */
export const throttleStepsOf = ({ decisions }: Run) =>
  decisions.flatMap(({ operation }) =>
    operation.kind === 'tune' ? (operation.tuning.autoConverge?.maxPercent ?? []) : [],
  );
