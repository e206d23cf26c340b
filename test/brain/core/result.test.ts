import assert from 'node:assert/strict';
import type { Decision } from '../../../brain/core/decision.ts';
import type { DecisionRecord, Migration } from '../../../brain/core/migration.ts';
import { effectsOf } from '../../../brain/core/effect.ts';
import { settled } from '../../../brain/core/result.ts';
import { activeSample, mebibyte, movingMigration, plainArming, readyMigration } from './support.ts';

const ending = { outcome: 'completed', reason: '', endedAtMilliseconds: 9000 } as const;

function decided(change: Partial<Decision>, outcome: DecisionRecord['outcome']): DecisionRecord {
  const decision: Decision = {
    number: 1,
    atMilliseconds: 1500,
    side: 'source',
    operation: { kind: 'cancel' },
    method: 'plan',
    rule: 'any',
    evidence: {},
    ...change,
  };
  return { decision, ...(outcome && { outcome }) };
}

function resultOf(change: Partial<Migration>) {
  const { result } = settled(movingMigration({ ending, ...change }));
  assert.ok(result);
  return result;
}

describe('core/result', () => {
  it('counts the total from the first migrate to the end, preparation apart', () => {
    const result = resultOf({ orderedAtMilliseconds: 200, nowMilliseconds: 12_000 });
    assert.equal(result.totalMilliseconds, 8000);
    assert.equal(result.preparationMilliseconds, 800);
  });

  it('adds up all attempts, and counts restarts', () => {
    const attempt = { number: 1, arming: plainArming, startedAtMilliseconds: 1000 };
    const result = resultOf({
      attempts: [
        { ...attempt, transferredBytes: 100 },
        { ...attempt, number: 2, startedAtMilliseconds: 5000, transferredBytes: 23 },
      ],
    });
    assert.equal(result.transferredBytes, 123);
    assert.equal(result.restarts, 1);
    assert.equal(result.totalMilliseconds, 8000);
  });

  it('counts the round in which it ended', () => {
    assert.equal(resultOf({}).rounds, 3);
  });

  it('reports the downtime that QEMU reported last', () => {
    const last = { ...activeSample(), downtimeMilliseconds: 31 };
    assert.equal(resultOf({ last }).downtimeMilliseconds, 31);
  });

  it('tells post-copy that was started from one that was refused', () => {
    const start = { operation: { kind: 'start-postcopy' } } as const;
    assert.equal(resultOf({ decisions: [decided(start, 'applied')] }).postCopy, true);
    assert.equal(resultOf({ decisions: [decided(start, 'refused')] }).postCopy, false);
  });

  it('gives the reason of a failure, and none for a success', () => {
    const failed = { ...ending, outcome: 'failed', reason: 'broken pipe' } as const;
    assert.equal(resultOf({ ending: failed }).reason, 'broken pipe');
    assert.equal('reason' in resultOf({}), false);
  });

  it('of a migration that never began is empty, not absurd', () => {
    const gone = { outcome: 'failed', reason: 'gone', endedAtMilliseconds: 300 } as const;
    const { result } = settled(readyMigration({ ending: gone, nowMilliseconds: 400 }));
    assert.equal(result?.totalMilliseconds, 0);
    assert.equal(result.preparationMilliseconds, 300);
    assert.equal(result.restarts, 0);
    assert.equal(result.transferredBytes, 0);
  });

  it('puts what was measured beside each prediction of an applied decision', () => {
    const prediction = { totalMilliseconds: 5000, nextRoundBytes: 1 };
    const decisions = [
      decided({ prediction }, 'applied'),
      decided({ prediction }, 'refused'),
      decided({}, 'applied'),
    ];
    const [applied, ...others] = settled(movingMigration({ ending, decisions })).decisions;
    assert.equal(applied?.measured?.['totalMilliseconds'], 7500);
    assert.equal(applied.measured['nextRoundBytes'], 64 * mebibyte);
    assert.ok(others.every(({ measured }) => measured === undefined));
  });

  it("measures bytes and the guest's loss for a decision made before the start", () => {
    const prediction = { transferredBytes: 1, guestWorkLostSeconds: 1 };
    const decisions = [
      decided({ prediction, atMilliseconds: 0 }, 'applied'),
      decided({ prediction, atMilliseconds: 5000 }, 'applied'),
    ];
    const end = { ending, decisions, throttleSeconds: 2 };
    const [before, during] = effectsOf(settled(movingMigration(end)));
    assert.equal(before?.measured['guestWorkLostSeconds'], 2);
    assert.ok('transferredBytes' in before.measured);
    assert.deepEqual(before.predicted, prediction);
    assert.equal(during?.measured['transferredBytes'], undefined);
  });
});
