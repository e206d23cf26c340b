/** Sequences of plausible inputs to the core, drawn by fast-check. */
import fc from 'fast-check';
import type { Input } from '../../../brain/core/input.ts';
import type { Migration } from '../../../brain/core/migration.ts';
import { reduce, startMigration } from '../../../brain/core/reduce.ts';
import { deepFreeze } from './rehearsal.ts';
import {
  activeSample,
  hostSample,
  mebibyte,
  migrateOrder,
  probeReport,
  randomCurve,
  vmFacts,
} from './support.ts';

/** Something that happens; what input it makes depends on how far the migration is. */
type Event = (scene: Scene) => Input;

interface Scene {
  readonly migration: Migration;
  readonly atMilliseconds: number;
}

const sides = fc.constantFrom('source' as const, 'destination' as const);
const outcomes = fc.oneof(
  { weight: 8, arbitrary: fc.constant('applied' as const) },
  { weight: 1, arbitrary: fc.constantFrom('refused' as const, 'failed', 'indeterminate') },
);
const probes = fc
  .tuple(
    fc.integer({ min: 1, max: 128 }),
    fc.integer({ min: 0, max: 400 }),
    fc.double({ min: 1, max: 10, noNaN: true }),
  )
  .map(([bytes, rate, ratio]) =>
    probeReport({
      dirtyCurve: randomCurve(bytes * mebibyte, rate * mebibyte),
      compressionRatio: ratio,
      dirtyCompressionRatio: ratio,
      xbzrleDeltaShare: 1 / ratio,
    }),
  );

/** The answer to what is pending, or a stray one when nothing is. */
const answer: fc.Arbitrary<Event> = fc
  .tuple(outcomes, probes)
  .map(([outcome, probe]) => (scene) => {
    const pending = scene.migration.pending?.decision;
    const decision = pending?.number ?? 1;
    const found = {
      ...(pending?.operation.kind === 'probe' && { probe }),
      ...(pending?.operation.kind === 'start-destination' && { facts: vmFacts('destination') }),
    };
    const result = { id: `m.${decision}`, outcome, ...(outcome === 'applied' && found) };
    return { kind: 'result', atMilliseconds: scene.atMilliseconds, decision, result };
  });

const statuses = fc.oneof(
  { weight: 40, arbitrary: fc.constant('active') },
  {
    weight: 1,
    arbitrary: fc.constantFrom('setup', 'device', 'completed', 'failed', 'cancelled', 'none'),
  },
  { weight: 2, arbitrary: fc.constantFrom('postcopy-active', 'postcopy-paused') },
);

const sample: fc.Arbitrary<Event> = fc
  .record({
    status: statuses,
    sentPages: fc.integer({ min: 0, max: 20_000 }),
    remainingPages: fc.integer({ min: 0, max: 32_768 }),
    isSync: fc.boolean(),
    throttlePercent: fc.integer({ min: 0, max: 99 }),
  })
  .map(({ status, sentPages, remainingPages, isSync, throttlePercent }) => (scene) => {
    const ram = scene.migration.last?.ram ?? activeSample().ram;
    const normalPages = (ram?.normalPages ?? 0) + sentPages;
    const now = activeSample({
      normalPages,
      transferredBytes: normalPages * 4096,
      remainingBytes: remainingPages * 4096,
      dirtySyncCount: (ram?.dirtySyncCount ?? 0) + Number(isSync),
    });
    return {
      kind: 'sample',
      atMilliseconds: scene.atMilliseconds,
      side: 'source',
      sample: { ...now, status, throttlePercent },
    };
  });

const other: fc.Arbitrary<Event> = fc.oneof(
  fc.tuple(sides, fc.boolean()).map(([side, canStartDestination]): Event => (scene) => {
    const facts = vmFacts(side, { canStartDestination });
    return { kind: 'attach', atMilliseconds: scene.atMilliseconds, side, facts };
  }),
  sides.map((side): Event => ({ atMilliseconds }) => {
    return { kind: 'detach', atMilliseconds, side, reason: 'QEMU exited' };
  }),
  fc.integer({ min: 0, max: 8 }).map((idleCpuCores): Event => ({ atMilliseconds }) => {
    return { kind: 'host', atMilliseconds, side: 'source', host: hostSample({ idleCpuCores }) };
  }),
  fc.constant<Event>(({ atMilliseconds }) => {
    return { kind: 'order', atMilliseconds, order: { verb: 'abort', reason: 'interrupted' } };
  }),
);
const tick = fc.constant<Event>(({ atMilliseconds }) => ({ kind: 'tick', atMilliseconds }));

const events = fc.array(
  fc.tuple(
    fc.oneof(
      { weight: 20, arbitrary: fc.constant(100) },
      { weight: 1, arbitrary: fc.constant(20_000) },
    ),
    fc.oneof(
      { weight: 40, arbitrary: sample },
      { weight: 40, arbitrary: answer },
      { weight: 10, arbitrary: tick },
      { weight: 1, arbitrary: other },
    ),
  ),
  { minLength: 10, maxLength: 80 },
);

const objectives = fc.record({
  maxThrottlePercent: fc.constantFrom(20, 60, 90, 99),
  throttle: fc.constantFrom('auto' as const, 'qemu', 'cgroup'),
  ioSensitive: fc.boolean(),
  deadlineMilliseconds: fc.constantFrom(5000, 600_000),
  postCopy: fc.constantFrom('never' as const, 'last-resort'),
});

/** A policy, an objective, and what happens after the order. */
export const performances = fc.record({
  policy: fc.constantFrom('adaptive', 'ladder', 'none', 'auto-converge'),
  objective: objectives,
  events,
});

export interface Performance {
  readonly inputs: readonly Input[];
  readonly states: readonly Migration[];
  readonly last: Migration;
}

/** Plays the events from the order on. Every state and every input is frozen: mutating one throws. */
export function perform({
  policy,
  objective,
  events,
}: Parameters<Parameters<typeof performances.map>[0]>[0]): Performance {
  const inputs: Input[] = [];
  const states = [startMigration({ id: 'm', policy, atMilliseconds: 0 })];
  let last = states[0] as Migration;
  const feed = (input: Input) => {
    last = reduce(deepFreeze(last), deepFreeze(input)).migration;
    inputs.push(input);
    states.push(last);
  };
  const atMilliseconds = 0;
  for (const side of ['source', 'destination'] as const) {
    feed({ kind: 'attach', atMilliseconds, side, facts: vmFacts(side) });
  }
  feed({ kind: 'order', atMilliseconds, order: migrateOrder(objective) });
  let now = 0;
  for (const [passed, event] of events) {
    now += passed;
    feed(event({ migration: last, atMilliseconds: now }));
  }
  return { inputs, states, last };
}
