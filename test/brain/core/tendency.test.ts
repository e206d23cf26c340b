import assert from 'node:assert/strict';
import { isCalledEndless, lastContraction, tendency } from '../../../brain/core/tendency.ts';
import type { Migration } from '../../../brain/core/migration.ts';
import { activeSample, mebibyte, movingMigration, readyMigration, roundOf } from './support.ts';

const backlogs = (...megabytes: readonly number[]) =>
  megabytes
    .slice(1)
    .map((end, index) => roundOf(index + 1, (megabytes[index] ?? 0) * mebibyte, end * mebibyte));

/** Random writes over 64 MiB at this many MiB/s. */
function writing(rate: number, change: Partial<Migration> = {}): Migration {
  const bytes = 64 * mebibyte;
  const workingSet = {
    bytes,
    classes: [{ shape: 'random' as const, bytes, seconds: 64 / rate }],
  };
  return movingMigration({ workingSet, rounds: backlogs(128, 60, 50), ...change });
}

describe('core/tendency', () => {
  it('knows nothing before the first sample, and little in the first pass', () => {
    assert.equal(tendency(readyMigration()).verdict, 'unknown');
    const { openRound } = movingMigration();
    assert.ok(openRound);
    const first = movingMigration({ rounds: [], openRound: { ...openRound, number: 1 } });
    assert.equal(tendency(first).verdict, 'first-pass');
  });

  it('is sure of divergence when a full round left what it had found', () => {
    const { verdict, contraction } = tendency(movingMigration({ rounds: backlogs(128, 60, 60) }));
    assert.equal(verdict, 'diverging');
    assert.equal(contraction, 1);
  });

  it('foresees divergence while backlogs still fall towards a plateau', () => {
    const { verdict, leak } = tendency(writing(128));
    assert.equal(verdict, 'diverging');
    assert.ok((leak ?? 0) > 2);
  });

  it('calls a slow decline a plateau, a clear one converging', () => {
    const slow = writing(30, { rounds: backlogs(128, 60, 56) });
    assert.equal(tendency(slow).verdict, 'plateau');
    assert.equal(tendency(writing(20)).verdict, 'converging');
  });

  it('counts the throttle in force: the same guest converges under it', () => {
    const last = activeSample({}, { throttlePercent: 90 });
    assert.equal(tendency(writing(128, { last })).verdict, 'converging');
  });

  it('does not fear a working set that fits into the switchover', () => {
    const set = { bytes: 5 * mebibyte, classes: [] };
    assert.equal(tendency(writing(500, { workingSet: set })).leak, 0);
  });

  it('does not take the first pass for a round that contracts', () => {
    assert.equal(lastContraction(movingMigration({ rounds: backlogs(64, 64) })), undefined);
  });

  it('does not look at rounds of an attempt before', () => {
    const rounds = backlogs(128, 60, 60);
    const attempts = [...movingMigration().attempts, ...movingMigration().attempts];
    assert.equal(lastContraction(movingMigration({ rounds, attempts })), undefined);
  });

  it('is not misled by a dirty page rate that rises just because rounds get shorter', () => {
    const rising = [3336, 3853, 4025, 4301, 4489];
    const verdicts = rising.map((dirtyPagesPerSecond, index) => {
      const falling = [128, 27, 20, 16, 13, 11, 9].slice(0, index + 3);
      const last = activeSample({ dirtyPagesPerSecond });
      return tendency(movingMigration({ rounds: backlogs(...falling), last })).verdict;
    });
    assert.ok(verdicts.every((verdict) => verdict === 'converging'));
  });
});

describe('core/tendency: the call', () => {
  /** Rounds alone, over a link of 32 MiB/s: QEMU switches over at 9.6 MiB. */
  const calledAfter = (...megabytes: readonly number[]) =>
    isCalledEndless(movingMigration({ rounds: backlogs(...megabytes) }));

  it('waits for a second round that stands still', () => {
    assert.equal(calledAfter(128, 60, 60), false);
    assert.equal(calledAfter(128, 60, 60, 60), true);
  });

  it('takes a slight fall for a confirmation, before or after', () => {
    assert.equal(calledAfter(128, 60, 59, 54), true);
    assert.equal(calledAfter(128, 60, 54, 54), true);
  });

  it('does not take a burst that has passed for one', () => {
    assert.equal(calledAfter(128, 20, 70, 30), false);
    assert.equal(calledAfter(128, 60, 60, 40), false);
  });

  it('is not misled where backlogs hardly shrink because the switchover is near', () => {
    assert.equal(calledAfter(128, 11.2, 10.9, 10.6, 10.3), false);
  });

  it('needs no second round when the model had foreseen the first', () => {
    const rounds = backlogs(128, 80, 60, 59);
    const foreseen = (rate: number, surprise: number) =>
      isCalledEndless(writing(rate, { rounds, surprise }));
    assert.equal(foreseen(128, 1.1), true);
    assert.equal(foreseen(128, 3), false);
    assert.equal(foreseen(32, 1.1), false);
  });

  it('says nothing of the first pass, nor of rounds under another throttle', () => {
    assert.equal(calledAfter(128, 128), false);
    const [first, second, third] = backlogs(128, 60, 60, 60);
    assert.ok(first && second && third);
    const rounds = [first, second, { ...third, throttlePercent: 50 }];
    assert.equal(isCalledEndless(movingMigration({ rounds })), false);
  });
});
