import assert from 'node:assert/strict';
import type { Operation } from '../../../shared/command.ts';
import { explain, explainEffect, explainNote } from '../../../brain/words/explain.ts';
import { formatFigure } from '../../../brain/words/figures.ts';
import { describeOperation } from '../../../brain/words/operations.ts';
import { rulePhrases } from '../../../brain/words/rule-phrases.ts';
import { mebibyte, throttleDecision } from '../../cli/fixture.ts';

describe('explain', () => {
  it('tells what is done, why, and what is expected', () => {
    assert.equal(
      explain(throttleDecision),
      'Hold the guest back by 90 % through a CPU quota: rule nobody phrased ' +
        '(leak 1.42, dirty 41.0 MiB/s); expecting 8.2 s to go, 210 ms downtime.',
    );
  });

  it('uses the phrase of a known rule', () => {
    const [rule, phrase] = Object.entries(rulePhrases)[0] ?? [];
    assert.ok(rule !== undefined && phrase !== undefined);
    assert.ok(explain({ ...throttleDecision, rule }).includes(`: ${phrase} (`));
  });

  it('gives no reason for a step of the plan', () => {
    const step = { side: 'source', operation: { kind: 'restore' }, rule: 'restore' } as const;
    assert.equal(explain({ ...step, evidence: {} }), 'Put every setting back as it was.');
  });

  it('tells all the evidence when asked to', () => {
    const evidence = Object.fromEntries(Array.from({ length: 9 }, (_, n) => [`f${String(n)}`, n]));
    assert.match(explain({ ...throttleDecision, evidence }, Infinity), /f8 8/);
  });

  it('puts what came of a promise beside it, and only what was both promised and measured', () => {
    const effect = {
      decision: throttleDecision,
      predicted: { totalMilliseconds: 2400, nextRoundBytes: mebibyte, cost: 3 },
      measured: { outcome: 'completed', totalMilliseconds: 2800, downtimeMilliseconds: 210 },
    };
    assert.equal(explainEffect(effect), 'predicted 2.4 s, took 2.8 s');
    const measured = { ...effect.measured, nextRoundBytes: 2 * mebibyte };
    assert.match(
      explainEffect({ ...effect, measured }),
      /took 2\.8 s; left next round predicted 1\.0 MiB, was 2\.0 MiB$/,
    );
  });

  it('says when it is about the destination', () => {
    assert.match(
      explain({ ...throttleDecision, side: 'destination' }),
      /^On the destination, hold/,
    );
  });

  it('leaves out figures that nobody can read', () => {
    const evidence = Object.fromEntries(Array.from({ length: 9 }, (_, n) => [`f${String(n)}`, n]));
    assert.doesNotMatch(explain({ ...throttleDecision, evidence }), /f5/);
  });

  it('tells of a step that was weighed and not taken', () => {
    const note = { method: 'post-copy', rule: 'not-allowed', evidence: {} } as const;
    assert.equal(explainNote(note), 'Post-copy not used: not allowed.');
  });

  it('has words for every operation', () => {
    const endpoint = { kind: 'tcp', host: '::1', port: 4444 } as const;
    const arming = { family: 'multifd-zstd', autoConverge: true, postCopy: false } as const;
    const operations: readonly Operation[] = [
      { kind: 'probe', budgetMilliseconds: 1600 },
      { kind: 'start-destination', family: 'xbzrle' },
      { kind: 'arm', arming, tuning: { downtimeLimitMilliseconds: 300 } },
      { kind: 'listen', endpoint },
      { kind: 'migrate', endpoint },
      { kind: 'tune', tuning: { maxBandwidthBytesPerSecond: mebibyte } },
      { kind: 'throttle', percent: 0, mechanism: 'qemu' },
      { kind: 'cancel' },
      { kind: 'start-postcopy' },
      { kind: 'recover-destination', endpoint },
      { kind: 'resume', endpoint },
      { kind: 'restore' },
    ];
    assert.deepEqual(operations.map(describeOperation), [
      "look at the guest's memory for up to 1.6 s",
      'start a fresh destination for xbzrle',
      'arm multifd-zstd, a throttle with downtime limit 300 ms',
      'listen on tcp:[::1]:4444',
      'start moving to tcp:[::1]:4444',
      'set bandwidth 1.0 MiB/s',
      'let the guest run freely again',
      'cancel this attempt',
      'switch to post-copy',
      'listen again on tcp:[::1]:4444',
      'resume post-copy to tcp:[::1]:4444',
      'put every setting back as it was',
    ]);
  });
});

describe('figures', () => {
  const cases: readonly (readonly [string, number | string | boolean, string])[] = [
    ['remainingBytes', 80 * mebibyte, 'remaining 80.0 MiB'],
    ['linkBytesPerSecond', 32 * mebibyte, 'link 32.0 MiB/s'],
    ['downtimeLimitMilliseconds', 300, 'downtime limit 300 ms'],
    ['guestWorkLostSeconds', 2.4, 'guest work lost 2.4 s'],
    ['zeroShare', 0.123, 'zero 12 %'],
    ['throttlePercent', 90, 'throttle 90 %'],
    ['leak', 1.4234, 'leak 1.42'],
    ['rounds', 3, 'rounds 3'],
    ['postCopyAllowed', false, 'not post copy allowed'],
    ['family', 'xbzrle', 'family xbzrle'],
  ];
  for (const [name, value, words] of cases) {
    it(`reads ${name} as "${words}"`, () => {
      assert.equal(formatFigure(name, value), words);
    });
  }
});
