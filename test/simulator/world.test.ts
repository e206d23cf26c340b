import assert from 'node:assert/strict';
import type { Operation } from '../../shared/command.ts';
import { defaultObjective } from '../../shared/objective.ts';
import type { Decision, Side } from '../../brain/core/decision.ts';
import type { Input } from '../../brain/core/input.ts';
import { plainArming, untouched } from './baseline.ts';
import { mebibyte, workingSet } from './workload.ts';
import { runWorld, type Core, type WorldOptions } from './world.ts';

/** A reducer that walks through a list of operations, each upon the success of the one before. */
interface Stub {
  readonly step: number;
  readonly result?: string;
}

type Step = readonly [Side, Operation];

const endpoint = { kind: 'tcp', host: 'destination', port: 4444 } as const;
const arm: Operation = { kind: 'arm', arming: plainArming, tuning: {} };
const moveSteps: readonly Step[] = [
  ['destination', arm],
  ['destination', { kind: 'listen', endpoint }],
  ['source', arm],
  ['source', { kind: 'migrate', endpoint }],
];

function walker(steps: readonly Step[]): Core<Stub> {
  const begin = (step: number, atMilliseconds: number) => {
    const next = steps[step];
    return {
      migration: { step },
      decisions: next ? [decision(step, next, atMilliseconds)] : [],
    };
  };
  return {
    start: () => ({ step: 0 }),
    reduce: (stub, input) => {
      if (input.kind === 'order') return begin(0, input.atMilliseconds);
      if (input.kind === 'result' && input.result.outcome !== 'applied')
        return { migration: { ...stub, result: input.result.reason ?? '' }, decisions: [] };
      if (input.kind === 'result') return begin(stub.step + 1, input.atMilliseconds);
      if (isCompleted(input)) return { migration: { ...stub, result: 'completed' }, decisions: [] };
      return { migration: stub, decisions: [] };
    },
  };
}

function isCompleted(input: Input): boolean {
  return input.kind === 'sample' && input.side === 'source' && input.sample.status === 'completed';
}

function decision(step: number, [side, operation]: Step, atMilliseconds: number): Decision {
  const why = { method: 'plan', rule: 'next-step', evidence: {} } as const;
  return { number: step + 1, atMilliseconds, side, operation, ...why };
}

function options(steps: readonly Step[]): WorldOptions<Stub> {
  return {
    workload: workingSet({ bytes: 40 * mebibyte, pagesPerSecond: 3000 }),
    seed: 1,
    version: '10.0',
    linkBytesPerSecond: 32 * mebibyte,
    objective: defaultObjective,
    policy: 'none',
    ...walker(steps),
  };
}

describe('the simulated world', () => {
  it('carries a migration from the order to its end, as if nobody were there', () => {
    const world = runWorld(options(moveSteps));
    const alone = untouched(options(moveSteps));
    assert.equal(world.migration.result, 'completed');
    assert.equal(world.decisions.length, moveSteps.length);
    assert.ok(Math.abs(world.truth.cost / alone.truth.cost - 1) < 0.1);
  });

  it('samples every 100 ms and at every sync', () => {
    const { inputs, rounds } = runWorld(options(moveSteps));
    const samples = inputs.filter((input) => input.kind === 'sample' && input.side === 'source');
    const times = new Set(samples.map(({ atMilliseconds }) => atMilliseconds));
    for (const { atMilliseconds } of rounds.slice(1)) assert.ok(times.has(atMilliseconds));
    const end = inputs.at(-1)?.atMilliseconds ?? 0;
    for (let time = 100; time < end; time += 100) assert.ok(times.has(time));
  });

  it('answers a probe with figures near the truth', () => {
    const probe: Operation = { kind: 'probe', budgetMilliseconds: 1000 };
    const { inputs } = runWorld(options([['source', probe], ...moveSteps]));
    const answer = inputs.find((input) => input.kind === 'result');
    const report = answer?.kind === 'result' ? answer.result.probe : undefined;
    assert.ok(report);
    const second = report.dirtyCurve.find(({ windowMilliseconds }) => windowMilliseconds === 910);
    const expected = 40 * mebibyte * (1 - Math.exp((-0.91 * 3000 * 4096) / (40 * mebibyte)));
    assert.ok(second && Math.abs(second.dirtyBytes / expected - 1) < 0.3);
    assert.equal(report.zeroShare, 0);
    assert.ok((report.compressionRatio ?? 0) < 1.1);
  });

  it('throttles by cgroup at once and lets go when the guest has moved', () => {
    const throttle: Step = ['source', { kind: 'throttle', percent: 50, mechanism: 'cgroup' }];
    const { truth } = runWorld(options([...moveSteps, throttle]));
    assert.equal(truth.maxThrottlePercent, 50);
    assert.ok(Math.abs(truth.throttleSeconds - truth.totalMilliseconds / 2000) < 0.5);
  });

  it('refuses what the gate and QEMU refuse', () => {
    const result = (...steps: Step[]) => runWorld(options(steps)).migration.result ?? '';
    const beyond: Operation = { kind: 'throttle', percent: 95, mechanism: 'cgroup' };
    assert.match(result(['source', beyond]), /above 90 %/);
    assert.match(result(['source', { kind: 'migrate', endpoint }]), /does not listen/);
    assert.match(result(...moveSteps, ['source', arm]), /migration process in progress/);
    const compress: Operation = {
      kind: 'arm',
      arming: { ...plainArming, family: 'compress' },
      tuning: {},
    };
    assert.match(result(['source', compress]), /has no compress/);
  });

  it('needs a fresh destination after a cancel, and counts both attempts', () => {
    const cancel: Step = ['source', { kind: 'cancel' }];
    assert.match(
      runWorld(options([...moveSteps, cancel, ...moveSteps])).migration.result ?? '',
      /gone/,
    );
    const fresh: Step = ['destination', { kind: 'start-destination', family: 'plain' }];
    const wait: Step = ['source', { kind: 'probe', budgetMilliseconds: 1000 }];
    const again = [...moveSteps, wait, cancel, fresh, ...moveSteps];
    const { migration, truth, inputs } = runWorld(options(again));
    assert.equal(migration.result, 'completed');
    assert.ok(inputs.some((input) => input.kind === 'detach' && input.side === 'destination'));
    const once = runWorld(options(moveSteps)).truth;
    assert.ok(truth.totalMilliseconds > once.totalMilliseconds + 1000);
    assert.ok(truth.transferredBytes > once.transferredBytes + 25 * mebibyte);
  });

  it('ends by post-copy whatever the guest does, with a gap that shows', () => {
    const workload = workingSet({ bytes: 80 * mebibyte, pagesPerSecond: 15_000 });
    const armed: Operation = { ...arm, arming: { ...plainArming, postCopy: true } };
    const steps = moveSteps.map(([side, operation]): Step => [
      side,
      operation.kind === 'arm' ? armed : operation,
    ]);
    const switchStep: Step = ['source', { kind: 'start-postcopy' }];
    const { migration, truth } = runWorld({ ...options([...steps, switchStep]), workload });
    assert.equal(migration.result, 'completed');
    assert.ok(truth.longestGapMilliseconds > 500 && truth.guestWorkLostSeconds > 0.5);
  });

  it('gives up at its time limit', () => {
    const run = runWorld({ ...options([]), maxMilliseconds: 2000 });
    assert.equal(run.migration.result, undefined);
    assert.equal(run.inputs.at(-1)?.atMilliseconds, 2000);
  });
});
