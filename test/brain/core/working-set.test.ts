import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  fitWorkingSet,
  type Lean,
  type WorkingSetPoint,
} from '../../../brain/core/working-set-fit.ts';
import {
  dirtiedBytes,
  dirtyBytesPerSecond,
  newlyDirtiedBytes,
} from '../../../brain/core/working-set.ts';
import { mebibyte } from './support.ts';

type Curve = (runSeconds: number) => number;

const exponential =
  (bytes: number, seconds: number): Curve =>
  (run) =>
    bytes * (1 - Math.exp(-run / seconds));
const sweep =
  (bytes: number, seconds: number): Curve =>
  (run) =>
    bytes * Math.min(1, run / seconds);
const sum =
  (...curves: readonly Curve[]): Curve =>
  (run) =>
    curves.reduce((total, curve) => total + curve(run), 0);

const windowsSeconds = [0.1, 0.25, 0.5, 1, 2, 4];
/** The error of a sample, alternating so that it has a direction nowhere. */
const noise = [0.02, -0.03, 0.01, -0.02, 0.03, -0.01];

function pointsOf(curve: Curve, error: readonly number[] = noise): WorkingSetPoint[] {
  return windowsSeconds.map((runSeconds, index) => ({
    runSeconds,
    dirtyBytes: curve(runSeconds) * (1 + (error[index] ?? 0)),
    weight: 1,
  }));
}

/** Largest error within what was seen, as a share of the largest value. */
function worstError(curve: Curve, points: readonly WorkingSetPoint[]): number {
  const set = fitWorkingSet(points, Infinity);
  const largest = curve(4);
  const seconds = Array.from({ length: 40 }, (_, index) => (index + 1) / 10);
  return Math.max(...seconds.map((run) => Math.abs(dirtiedBytes(set, run) - curve(run)) / largest));
}

const curves: Readonly<Record<string, Curve>> = {
  'random writes over a working set': exponential(60 * mebibyte, 0.8),
  'a sweep that comes round': sweep(80 * mebibyte, 1.6),
  'a sweep that is not round yet': sweep(800 * mebibyte, 16),
  'a hot set over a slow background': sum(
    exponential(8 * mebibyte, 0.1),
    exponential(100 * mebibyte, 6),
  ),
  'a hot set over a sweep': sum(exponential(20 * mebibyte, 0.2), sweep(60 * mebibyte, 3)),
};

const point: fc.Arbitrary<WorkingSetPoint> = fc.record({
  runSeconds: fc.double({ min: 0.01, max: 20, noNaN: true }),
  dirtyBytes: fc.double({ min: 0, max: 1e9, noNaN: true }),
  weight: fc.double({ min: 0.1, max: 3, noNaN: true }),
});
const fits = fc
  .tuple(
    fc.array(point, { minLength: 1, maxLength: 6 }),
    fc.double({ min: 1e6, max: 1e9, noNaN: true }),
  )
  .map(([points, limitBytes]) => ({ points, limitBytes, set: fitWorkingSet(points, limitBytes) }));
const runs = fc.double({ min: 0, max: 100, noNaN: true });
const few = { numRuns: 40 };

describe('core/working-set', () => {
  for (const [name, curve] of Object.entries(curves)) {
    it(`recovers ${name} from a noisy sample`, () => {
      assert.ok(worstError(curve, pointsOf(curve)) < 0.08);
    });
  }

  it('tells a short window rate from a long one', () => {
    const set = fitWorkingSet(pointsOf(exponential(60 * mebibyte, 0.5), []), Infinity);
    const slow = dirtyBytesPerSecond(set, 2);
    assert.ok(dirtyBytesPerSecond(set) > 3 * slow);
  });

  it('reads a single observation as a constant rate', () => {
    const set = fitWorkingSet([{ runSeconds: 1, dirtyBytes: 1e7, weight: 1 }], Infinity);
    assert.ok(Math.abs(dirtiedBytes(set, 2) / 2e7 - 1) < 0.02);
    assert.ok(Math.abs(dirtiedBytes(set, 0.1) / 1e6 - 1) < 0.02);
  });

  it('takes a guest that writes nothing, or is not known, for one without a working set', () => {
    for (const points of [[], [{ runSeconds: 1, dirtyBytes: 0, weight: 1 }]]) {
      const set = fitWorkingSet(points, 1e9);
      assert.equal(set.bytes, 0);
      assert.equal(dirtiedBytes(set, 10), 0);
    }
  });

  it('believes a heavy point more than a light one', () => {
    const points = (weight: number) => [
      { runSeconds: 1, dirtyBytes: 1e7, weight: 1 },
      { runSeconds: 1, dirtyBytes: 2e7, weight },
    ];
    const light = dirtiedBytes(fitWorkingSet(points(0.1), Infinity), 1);
    const heavy = dirtiedBytes(fitWorkingSet(points(3), Infinity), 1);
    assert.ok(light < 1.3e7 && heavy > 1.5e7);
  });

  it('reads what it cannot have as all that the guest has, and keeps the pace before it', () => {
    const points = pointsOf(exponential(100 * mebibyte, 2), []);
    const [free, bound] = [fitWorkingSet(points, Infinity), fitWorkingSet(points, 50 * mebibyte)];
    assert.ok(Math.abs(dirtiedBytes(bound, 0.5) / dirtiedBytes(free, 0.5) - 1) < 0.1);
    assert.ok(dirtiedBytes(bound, 4) > 45 * mebibyte);
  });

  it('leaves a hot set as it is when what lies behind it cannot be as large as it seems', () => {
    const curve = sum(exponential(8 * mebibyte, 0.1), exponential(72 * mebibyte, 8));
    const seen = pointsOf(curve, []).filter(({ runSeconds }) => runSeconds <= 2);
    const set = fitWorkingSet(seen, 128 * mebibyte);
    assert.ok(Math.abs(dirtiedBytes(set, 0.3) / curve(0.3) - 1) < 0.1);
    assert.ok(Math.abs(dirtiedBytes(set, 3) / curve(3) - 1) < 0.2);
  });

  it('leans to the least and to the most that the points allow beyond what was seen', () => {
    const curve = exponential(64 * mebibyte, 4);
    const seen = pointsOf(curve).filter(({ runSeconds }) => runSeconds < 2);
    const after = (lean: Lean) => dirtiedBytes(fitWorkingSet(seen, 128 * mebibyte, lean), 8);
    assert.ok(after('least') < after('likely') && after('likely') < after('most'));
    assert.ok(after('least') < curve(8) && curve(8) < after('most'));
  });

  it('meets pages that wait to be sent at random, or by a sweep when it has come round', () => {
    const left = { share: 0.25, madeInSeconds: 0.5, ofBacklogShare: 0.5 };
    const set = (shape: 'random' | 'sweep') => ({
      classes: [{ shape, bytes: 64, seconds: 1 }],
      bytes: 64,
    });
    const swept = (run: number) => newlyDirtiedBytes(set('sweep'), run, left);
    assert.ok(Math.abs(newlyDirtiedBytes(set('random'), 100, left) - 48) < 1e-6);
    assert.deepEqual([0.5, 0.75, 1].map(swept), [32, 40, 48]);
  });

  it('never finds more than the guest has', () => {
    fc.assert(
      fc.property(fits, runs, ({ set, limitBytes }, run) => {
        assert.ok(set.bytes <= limitBytes * 1.000001);
        assert.ok(dirtiedBytes(set, run) <= limitBytes * 1.000001);
      }),
      few,
    );
  });

  it('is monotone and concave through the origin, whatever was seen', () => {
    fc.assert(
      fc.property(fits, runs, runs, ({ set }, one, other) => {
        const [left, right] = [Math.min(one, other), Math.max(one, other)];
        const slack = 1e-6 * set.bytes + 1e-6;
        const [atLeft, atRight] = [dirtiedBytes(set, left), dirtiedBytes(set, right)];
        assert.equal(dirtiedBytes(set, 0), 0);
        assert.ok(atRight >= atLeft - slack);
        assert.ok(dirtiedBytes(set, (left + right) / 2) >= (atLeft + atRight) / 2 - slack);
      }),
      few,
    );
  });
});
