import assert from 'node:assert/strict';
import { goalsOf } from './goals.ts';
import { judge, ofOutcome, spreadOf } from './judge.ts';
import { reasonOf } from './table.ts';
import type { Call, Watched } from './watch.ts';

/** A sync each second, that found so many MiB. */
function watched(megabytes: readonly number[], change: Partial<Watched> = {}): Watched {
  const syncs = megabytes.map((found, second) => ({
    atMilliseconds: 1000 * second,
    remainingBytes: found * 2 ** 20,
    newlyDirtyBytes: 0,
    throttlePercent: 0,
    byTimer: false,
  }));
  const told = { seed: 1, workload: 'sweep', mustBeCalled: false, endMilliseconds: 9000 };
  return { ...told, diverges: true, syncs, calls: [], ...change };
}

const callAt = (second: number, isTrueOfTheMoment = true): Call => ({
  rule: 'ferryman',
  atMilliseconds: 1000 * second,
  backlogShare: 2,
  isTrueOfTheMoment,
});

/** The truth shows at the third second. */
const backlogs = [128, 60, 50, 50, 50, 50];
const diverging = (second: number) => watched(backlogs, { calls: [callAt(second)] });
const ending = (change: Partial<Watched>) => watched(backlogs, { diverges: false, ...change });

describe('the judgement of a detector', () => {
  it('measures from the first round that left nearly all that it found', () => {
    const judgement = judge('ferryman', [2, 3, 5].map(diverging));
    assert.deepEqual(spreadOf(judgement, 'rounds'), { median: 0, p95: 2, worst: 2 });
    assert.equal(spreadOf(judgement, 'seconds').worst, 2);
    const [late, misses] = goalsOf(judgement);
    assert.equal(late?.holds, false);
    assert.equal(misses?.holds, true);
  });

  it('tells misses, false alarms and right silence apart', () => {
    const guests = [watched(backlogs), ending({ calls: [callAt(4)] }), ending({})];
    const judgement = judge('ferryman', guests);
    for (const outcome of ['miss', 'false alarm', 'right silence'] as const) {
      assert.equal(ofOutcome(judgement, outcome).length, 1, outcome);
    }
  });

  it('does not count the calls of another rule', () => {
    assert.equal(judge('40 s stall', [diverging(3)]).judged[0]?.outcome, 'miss');
  });

  it('tells a guest that changed its mind from one that was misread', () => {
    const changed = ending({ calls: [callAt(4)], mustBeCalled: true });
    const misread = ending({ calls: [callAt(4, false)] });
    const judgement = judge('ferryman', [changed, misread]);
    const [, , alarms, misreadings] = goalsOf(judgement);
    assert.match(alarms?.figures ?? '', /^2 of 2.* 1 of 2/);
    assert.match(misreadings?.figures ?? '', /^1 of 2/);
    const [first = '', second = ''] = judgement.judged.map(reasonOf);
    assert.match(first, /^true of the moment: .* 5\.0 s later$/);
    assert.match(second, /^misread: .* 2\.00 times the switchover threshold/);
  });
});
