import assert from 'node:assert/strict';
import type { Span } from '../../../brain/core/prediction.ts';
import {
  accuracyOf,
  backlogAccuracy,
  endingsForetold,
  quantile,
  totalTime,
  type Foretold,
  type Happened,
} from './foretold.ts';
import { reasonOf } from './reason.ts';
import { reportOf } from './report.ts';

const span = (likely: number, low = likely, high = likely): Span => ({ likely, low, high });

function told(
  total: Span,
  happened: Partial<Happened> = {},
  change: Partial<Foretold['predicted']> = {},
): Foretold {
  return {
    name: 'seed 1',
    workload: 'working-set',
    isSteady: true,
    run: 'held',
    link: 'configured',
    predicted: {
      family: 'plain',
      finishes: true,
      finishingShare: 1,
      totalMilliseconds: total,
      downtimeMilliseconds: span(100),
      transferredBytes: span(1e8),
      ratio: span(1),
      firstPassMilliseconds: 2000,
      guestWorkLostSeconds: span(0),
      throttlePercent: span(0),
      cost: 3,
      ...change,
    },
    happened: {
      completed: true,
      totalMilliseconds: 4000,
      transferredBytes: 1e8,
      ratio: 1,
      throttleSeconds: 0,
      firstPassMilliseconds: 2000,
      rounds: 3,
      ...happened,
    },
  };
}

describe('bench of predictions', () => {
  it('takes errors of what ended as foretold, and ranges of all that ended', () => {
    const cases = [
      told(span(3000, 2000, 5000)),
      told(span(4400, 4200, 4600)),
      told(span(600_000, 3000, 600_000), {}, { finishes: false }),
      told(span(4000), { completed: false }),
    ];
    const { count, median, medianBias, coverage } = accuracyOf(cases, totalTime);
    assert.equal(count, 2);
    assert.ok(Math.abs(median - 0.175) < 1e-9);
    assert.ok(Math.abs(medianBias + 0.075) < 1e-9);
    assert.ok(Math.abs(coverage - 2 / 3) < 1e-9);
    assert.equal(endingsForetold(cases), 0.5);
  });

  it('knows quantiles between two values, and none of nothing', () => {
    assert.equal(quantile([3, 1, 2], 0.5), 2);
    assert.equal(quantile([1, 2], 0.75), 1.75);
    assert.ok(Number.isNaN(quantile([], 0.5)));
  });

  it('says of backlogs whether too much or too little is expected', () => {
    const guesses = [80, 90, 110].map((predictedBytes) => ({
      round: 2,
      predictedBytes,
      happenedBytes: 100,
    }));
    const { median, medianBias } = backlogAccuracy(guesses);
    assert.ok(Math.abs(median - 0.1) < 1e-9 && Math.abs(medianBias + 0.1) < 1e-9);
  });

  it('names the part of the run that was foretold wrongly', () => {
    assert.match(
      reasonOf(told(span(5000), {}, { firstPassMilliseconds: 3000 })),
      /^first pass \+1/,
    );
    assert.match(reasonOf(told(span(2500))), /^free rounds after it -1\.5 s$/);
    const throttled = { throttlePercent: span(90), guestWorkLostSeconds: span(1.8) };
    assert.match(reasonOf(told(span(6000), {}, throttled)), /^time under the throttle \+2\.0 s$/);
    assert.equal(reasonOf(told(span(4000), { completed: false })), 'it did not end');
    assert.match(reasonOf({ ...told(span(2500)), isSteady: false }), /^the guest changed its ways/);
  });

  it('shows each guest once among the worst, the worst first', () => {
    const cases = [told(span(3000)), told(span(1000)), { ...told(span(4400)), name: 'seed 2' }];
    const lines = reportOf(cases, []).split('\n');
    const worst = lines.filter((line) => line.startsWith('| seed'));
    assert.equal(worst.length, 2);
    assert.match(worst[0] ?? '', /seed 1.*1\.00 s \| 4\.00 s/);
    assert.ok(!lines.join().includes('NaN'));
  });
});
