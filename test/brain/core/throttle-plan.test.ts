import assert from 'node:assert/strict';
import { runningCourse } from '../../../brain/core/estimate.ts';
import type { Migration } from '../../../brain/core/migration.ts';
import { allowedLevels, hardestBearable, planThrottle } from '../../../brain/core/throttle-plan.ts';
import { mebibyte, migrateOrder, movingMigration, readyMigration } from './support.ts';

const bytes = 64 * mebibyte;
const workingSet = { bytes, classes: [{ shape: 'random' as const, bytes, seconds: 0.5 }] };

function courseOf(change: Partial<Migration> = {}) {
  const course = runningCourse(movingMigration(change));
  assert.ok(course);
  return course;
}

describe('core/throttle-plan', () => {
  it('tries the cap first and nothing above it', () => {
    const order = migrateOrder({ maxThrottlePercent: 55 });
    const levels = allowedLevels(readyMigration({ order }));
    assert.equal(levels[0], 55);
    assert.ok(levels.every((level) => level <= 55));
    assert.deepEqual(
      allowedLevels(readyMigration({ order: migrateOrder({ maxThrottlePercent: 1 }) })),
      [],
    );
  });

  it('throttles no harder than the downtime limit bears the pauses of', () => {
    const activity = { blockBytesPerSecond: 0, blockOperationsPerSecond: 0 };
    const hardest = (throttle: 'qemu' | 'cgroup', vcpuBusyShare: number) => {
      const order = migrateOrder({ throttle, maxThrottlePercent: 99 });
      const change = { workingSet, order, activity: { ...activity, vcpuBusyShare } };
      const plan = planThrottle(movingMigration(change), courseOf(change), 'now');
      assert.ok(plan.forecast.finishes);
      return [plan.percent, hardestBearable(movingMigration(change))];
    };
    assert.deepEqual(hardest('cgroup', 1), [99, 99]);
    assert.deepEqual(hardest('cgroup', 0.1), [90, 90]);
    assert.deepEqual(hardest('qemu', 1), [95, 95]);
  });

  it('goes beyond that where nothing gentler ends the migration', () => {
    const fast = { bytes, classes: [{ shape: 'random' as const, bytes, seconds: 0.02 }] };
    const activity = { vcpuBusyShare: 0.1, blockBytesPerSecond: 0, blockOperationsPerSecond: 0 };
    const order = migrateOrder({ throttle: 'cgroup', maxThrottlePercent: 99 });
    const change = { workingSet: fast, order, activity };
    const plan = planThrottle(movingMigration(change), courseOf(change), 'now');
    assert.equal(plan.percent, 99);
    assert.ok(plan.forecast.finishes);
  });

  it('plans the throttle that costs least, and none where none is wanted', () => {
    const migration = movingMigration({ workingSet });
    const now = planThrottle(migration, courseOf({ workingSet }), 'now');
    assert.ok(now.percent >= 80 && now.forecast.finishes);
    const never = planThrottle(migration, courseOf({ workingSet }), 'never');
    assert.equal(never.percent, 0);
    assert.ok(!never.forecast.finishes && never.cost > now.cost);
  });
});
