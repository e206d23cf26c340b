import assert from 'node:assert/strict';
import { cellOf, failedCell, recordOf } from './fixture.ts';
import type { Cell } from './record.ts';
import { verdictsOf } from './verdicts.ts';

const autoConverge = cellOf({
  policy: 'auto-converge',
  totalSeconds: 20,
  transferredBytes: 2 ** 30,
  guestWorkLostSeconds: 2,
  costSeconds: 30,
});
const diverging = [failedCell({ policy: 'none' }), autoConverge];
const calm = { workload: 'light', policy: 'none', totalSeconds: 1, costSeconds: 1.5 };

function verdict(pattern: RegExp, ...cells: Cell[]): boolean | undefined {
  const found = verdictsOf(recordOf(cells)).find(({ goal }) => pattern.test(goal));
  assert.ok(found !== undefined, String(pattern));
  return found.holds;
}

describe('bench/verdicts', () => {
  it('judge nothing where nothing was measured', () => {
    assert.ok(verdictsOf(recordOf([])).every(({ holds }) => holds === undefined));
  });

  it('want adaptive to complete what a pre-copy choice completes, without post-copy', () => {
    assert.equal(verdict(/^1\./, cellOf(), ...diverging), true);
    assert.equal(verdict(/^1\./, failedCell({}), ...diverging), false);
    assert.equal(verdict(/^1\./, cellOf({ postCopy: true }), ...diverging), false);
  });

  it('compare with auto-converge where none diverges', () => {
    assert.equal(verdict(/total time/, cellOf(), ...diverging), true);
    assert.equal(verdict(/total time/, cellOf({ totalSeconds: 6 }), ...diverging), false);
    assert.equal(verdict(/bytes/, cellOf({ transferredBytes: 2 ** 29 }), ...diverging), false);
    assert.equal(verdict(/work lost at least/, cellOf(), ...diverging), true);
    assert.equal(verdict(/total time/, cellOf({ workload: 'light' }), cellOf(calm)), undefined);
  });

  it('tell how much gentler anybody could have been who throttled where adaptive did', () => {
    const throttled = cellOf({ guestWorkLostSeconds: 1, roundBoundSeconds: 0.8 });
    const lost = verdictsOf(recordOf([throttled, ...diverging]))
      .map(({ figures }) => figures)
      .find((figures) => figures.includes('V_n/R'));
    assert.equal(lost, '2.00 over 1 scenes; 2.50 if no throttled one lost more than V_n/R');
  });

  it('hold the work lost against the backlog at which the throttle began', () => {
    const throttled = { roundBoundSeconds: 1, throttledFromRound: 1 };
    const lost = (seconds: number) => cellOf({ ...throttled, guestWorkLostSeconds: seconds });
    assert.equal(verdict(/V_n/, lost(1.44), ...diverging), true);
    assert.equal(verdict(/V_n/, lost(1.46), ...diverging), false);
  });

  it('see a throttle that begins more than a round late', () => {
    const begun = (round: number) => cellOf({ throttledFromRound: round });
    assert.equal(verdict(/a round late/, begun(2), ...diverging), true);
    assert.equal(verdict(/a round late/, begun(3), ...diverging), false);
  });

  it('measure regret by the best static choice in hindsight', () => {
    const best = cellOf({ policy: 'xbzrle-64', costSeconds: 6 });
    assert.equal(verdict(/1\.1 x/, cellOf({ costSeconds: 6.8 }), best, ...diverging), true);
    assert.equal(verdict(/1\.1 x/, cellOf({ costSeconds: 7 }), best, ...diverging), false);
    assert.equal(verdict(/1\.5 x/, cellOf({ costSeconds: 9.2 }), best, ...diverging), true);
    assert.equal(verdict(/1\.5 x/, cellOf({ costSeconds: 9.4 }), best, ...diverging), false);
  });

  it('want calm guests left alone', () => {
    const adaptive = { ...calm, policy: 'adaptive' };
    const slower = cellOf({ ...adaptive, totalSeconds: 1.2 });
    const throttled = cellOf({ ...adaptive, throttleSeconds: 0.1 });
    assert.equal(verdict(/^4\./, cellOf({ ...adaptive, totalSeconds: 1.1 }), cellOf(calm)), true);
    assert.equal(verdict(/^4\./, slower, cellOf(calm)), false);
    assert.equal(verdict(/^4\./, throttled, cellOf(calm)), false);
  });

  it('look at the gap in every run, and at what ferryman itself uses', () => {
    const long = cellOf({ run: 2, downtimeSeenMilliseconds: 460 });
    assert.equal(verdict(/^8\./, cellOf(), long), false);
    assert.equal(verdict(/^8\./, cellOf()), true);
    assert.equal(verdict(/^10\./, cellOf({ ferrymanCpuShare: 0.04 })), false);
    assert.equal(verdict(/^10\./, cellOf({ ferrymanCpuShare: 0.02 })), true);
  });
});
