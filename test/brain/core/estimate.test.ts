import assert from 'node:assert/strict';
import { firstPassBytes, freshCourse, runningCourse } from '../../../brain/core/estimate.ts';
import type { Migration } from '../../../brain/core/migration.ts';
import {
  activeSample,
  mebibyte,
  migrateOrder,
  movingMigration,
  probeReport,
  readyMigration,
} from './support.ts';

const wire = 32 * mebibyte;

function courseOf(change: Partial<Migration> = {}) {
  const course = runningCourse(movingMigration(change));
  assert.ok(course);
  return course;
}

describe('core/estimate', () => {
  it('sends zero pages for nothing', () => {
    const probe = probeReport({ zeroShare: 0.75 });
    assert.equal(firstPassBytes(readyMigration({ probe })), 32 * mebibyte);
    assert.equal(firstPassBytes(readyMigration()), 128 * mebibyte);
  });

  it('begins a fresh course with all there is to send', () => {
    const course = freshCourse(readyMigration(), 'plain', wire);
    assert.equal(course.remainingBytes, 128 * mebibyte);
    assert.equal(course.drainBytesPerSecond, wire);
    assert.ok(Math.abs(course.switchoverBytes / (0.3 * wire) - 1) < 1e-9);
  });

  it('continues the running one from its last sample and what was measured', () => {
    const course = courseOf({ laterRoundsBytesPerSecond: 2 * wire });
    assert.equal(course.remainingBytes, 64 * mebibyte);
    assert.equal(course.drainBytesPerSecond, 2 * wire);
    const { last: _, ...blind } = movingMigration();
    assert.equal(runningCourse(blind), undefined);
  });

  it('goes by the switchover that was written, not by the one that was wished', () => {
    const tuning = { downtimeLimitMilliseconds: 300 };
    const available = { ...tuning, availSwitchoverBandwidthBytesPerSecond: 4 * wire };
    const ratio =
      courseOf({ tuning: available }).switchoverBytes / courseOf({ tuning }).switchoverBytes;
    assert.ok(Math.abs(ratio - 4) < 1e-9);
  });

  it('counts zero pages that remain in the first pass as sent', () => {
    const { openRound } = movingMigration();
    assert.ok(openRound);
    const probe = probeReport({ zeroShare: 0.5 });
    const last = activeSample({ remainingBytes: 96 * mebibyte, normalBytes: 16 * mebibyte });
    const first = courseOf({ probe, last, openRound: { ...openRound, number: 1 } });
    assert.equal(first.remainingBytes, 48 * mebibyte);
  });

  it('looks no further than the deadline', () => {
    const order = migrateOrder({ deadlineMilliseconds: 20_000 });
    assert.equal(courseOf({ order }).horizonSeconds, 11);
  });
});
