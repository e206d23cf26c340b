import assert from 'node:assert/strict';
import { reduce, startMigration } from '../../../brain/core/reduce.ts';
import { createChronicle } from '../../../brain/page/view/chronicle.ts';
import { detailOf } from '../../../brain/page/view/detail.ts';
import { parseTrace } from '../../../brain/trace/trace.ts';
import { completedResult, measuredRecord, mebibyte, migration, round } from '../../cli/fixture.ts';
import { readGolden } from '../../traces/golden.ts';

/** A real migration, told up to the moment at which `isEnough`. */
function told(isEnough: (rounds: number) => boolean, trace = 'random-qemu-7.2') {
  const { header, inputs } = parseTrace(readGolden(trace));
  const { id, policy, atMilliseconds } = header;
  const chronicle = createChronicle(atMilliseconds);
  let now = startMigration({ id, policy, atMilliseconds });
  for (const input of inputs) {
    now = reduce(now, input).migration;
    chronicle.observe(now, input);
    if (isEnough(now.rounds.length)) break;
  }
  return { now, chronicle, detail: detailOf(now, chronicle) };
}

describe('page/view/detail', () => {
  it('puts what was foreseen of a backlog beside what was found', () => {
    const { detail } = told((rounds) => rounds === 2);
    const [, , third] = detail.rounds;
    assert.ok(third?.foreseenBytes);
    const ratio = third.foreseenBytes / third.startBytes;
    assert.ok(ratio > 0.8 && ratio < 1.25, `foreseen over found is ${ratio}`);
  });

  it('foresees anew when the throttle changes under way', () => {
    const { rounds } = told(() => false, 'random-cgroup-10.0').detail;
    // Held back by a CPU quota in the midst of the second, which left alone would have found 62 MiB.
    const third = rounds[2];
    assert.ok(third?.foreseenBytes);
    assert.ok(third.foreseenBytes < 1.5 * third.startBytes, `${third.foreseenBytes}`);
  });

  it('looks ahead to the switchover while it runs, and no more once it is over', () => {
    const running = told((rounds) => rounds === 3).detail;
    const { forecast, switchoverBytes } = running;
    assert.ok(forecast.length > 1 && switchoverBytes);
    assert.ok((forecast.at(-1)?.bytes ?? Infinity) <= switchoverBytes);
    assert.deepEqual(told(() => false).detail.forecast, []);
  });

  it('tells decisions in sentences, and which are mere steps', () => {
    const { decisions } = told(() => false).detail;
    const meant = decisions.filter(({ isStep }) => !isStep).map(({ sentence }) => sentence);
    assert.match(meant[0] ?? '', /^Arm plain pre-copy/);
    assert.ok(meant.some((sentence) => sentence.startsWith('Hold the guest back by 90 %')));
    assert.ok(decisions.some(({ isStep }) => isStep));
  });

  it('compares with the first promise, so far and in the end', () => {
    const chronicle = createChronicle(0);
    const first = { ...measuredRecord, decision: { ...measuredRecord.decision, number: 1 } };
    const open = detailOf(migration({ decisions: [first] }), chronicle).comparisons[0];
    // Decided 4 s after the start, it promised 8.2 s from then on.
    assert.deepEqual(open, { name: 'time', predicted: '12.2 s', measured: '6.0 s', isOpen: true });
    const over = migration({ decisions: [first], result: completedResult });
    const [time, downtime] = detailOf(over, chronicle).comparisons;
    assert.deepEqual(time, { name: 'time', predicted: '12.2 s', measured: '7.1 s', isOpen: false });
    assert.equal(downtime?.measured, '210 ms');
  });

  it('shows the throttle as the guest feels it: the inert 1 % is none', () => {
    const rounds = [{ ...round(1, 128, 80), throttlePercent: 1 }];
    const { rounds: views } = detailOf(migration({ rounds }), createChronicle(0));
    assert.equal(views[0]?.throttlePercent, 0);
    assert.equal(views[0].startBytes, 128 * mebibyte);
    assert.equal(views[1]?.endedAtMilliseconds, undefined);
  });
});
