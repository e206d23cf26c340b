import assert from 'node:assert/strict';
import type { Verdict } from './judge.ts';
import { reportOf, summaryOf } from './report.ts';

function verdict(seed: number, ratio: number | null, bestCost: number | null = 10): Verdict {
  const cost = ratio === null || bestCost === null ? null : ratio * bestCost + 0.3;
  const told = { workload: 'sweep', chosen: 'plain', best: 'none', reason: `reason ${seed}` };
  return { seed, ratio, bestCost, cost, others: {}, ...told };
}

describe('the report of a sweep', () => {
  it('counts a migration that only another choice completed as beyond any bound', () => {
    const summary = summaryOf([verdict(1, 0.9), verdict(2, null)]);
    assert.equal(summary.beyond, 1);
    assert.equal(summary.worstRatio, Infinity);
  });

  it('holds nobody to what nobody completes', () => {
    const summary = summaryOf([verdict(1, null, null)]);
    assert.equal(summary.beyond, 0);
    assert.equal(summary.impossible, 1);
  });

  it('counts what is within a tenth and what is beyond a half', () => {
    const summary = summaryOf([0.8, 1.1, 1.2, 1.5, 1.6].map((ratio, seed) => verdict(seed, ratio)));
    assert.equal(summary.withinTenth, 2);
    assert.equal(summary.beyond, 1);
    assert.equal(summary.medianRatio, 1.2);
  });

  it('shows the ten worst with their reasons, the worst first', () => {
    const verdicts = Array.from({ length: 12 }, (_, seed) => verdict(seed, seed / 10));
    const rows = reportOf(verdicts, 90)
      .split('\n')
      .filter((line) => /\| reason \d/.test(line));
    assert.equal(rows.length, 10);
    assert.match(rows[0] ?? '', /^\| 11 /);
  });
});
