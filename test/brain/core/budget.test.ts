import assert from 'node:assert/strict';
import { defaultObjective } from '../../../shared/objective.ts';
import {
  compressionThreads,
  throttleCapPercent,
  throttleFacts,
  xbzrleCacheLimitBytes,
} from '../../../brain/core/budget.ts';
import {
  cgroupThrottle,
  hostSample,
  mebibyte,
  migrateOrder,
  movingMigration,
  qemuThrottle,
  readyMigration,
  vmFacts,
} from './support.ts';

describe('core/budget', () => {
  it('compresses with the idle cores of the poorer side, as they are now', () => {
    assert.equal(compressionThreads(readyMigration()), 4);
    const destinationHost = hostSample({ idleCpuCores: 2.7 });
    assert.equal(compressionThreads(readyMigration({ destinationHost })), 2);
    const sourceHost = hostSample({ idleCpuCores: 0.1 });
    assert.equal(compressionThreads(readyMigration({ sourceHost, destinationHost })), 1);
  });

  it('gives XBZRLE a part of the free memory, as a power of two', () => {
    const sourceHost = hostSample({ freeMemoryBytes: 300 * mebibyte });
    assert.equal(xbzrleCacheLimitBytes(readyMigration({ sourceHost })), 64 * mebibyte);
  });

  it('treats an I/O-sensitive VM more gently than its objective asks', () => {
    const objective = { ...defaultObjective, maxThrottlePercent: 99 };
    assert.equal(throttleCapPercent(objective), 99);
    assert.ok(throttleCapPercent({ ...objective, ioSensitive: true }) < 99);
    const gentle = { ...objective, maxThrottlePercent: 30, ioSensitive: true };
    assert.equal(throttleCapPercent(gentle), 30);
  });

  it('throttles by what acts at once, unless the objective says otherwise', () => {
    assert.equal(throttleFacts(readyMigration())?.mechanism, 'cgroup');
    const order = migrateOrder({ throttle: 'qemu' });
    assert.equal(throttleFacts(readyMigration({ order }))?.mechanism, 'qemu');
    const source = vmFacts('source', { throttles: [qemuThrottle] });
    assert.equal(throttleFacts(readyMigration({ source }))?.mechanism, 'qemu');
  });

  it('leaves a VM that waits for its disks to QEMU, which stops no vCPU that holds its lock', () => {
    const activity = {
      vcpuBusyShare: 0.2,
      blockBytesPerSecond: 2e6,
      blockOperationsPerSecond: 300,
    };
    assert.equal(throttleFacts(readyMigration({ activity }))?.mechanism, 'qemu');
    const order = migrateOrder({ ioSensitive: true });
    assert.equal(throttleFacts(readyMigration({ order }))?.mechanism, 'qemu');
    const atRest = { ...activity, blockOperationsPerSecond: 4 };
    assert.equal(throttleFacts(readyMigration({ activity: atRest }))?.mechanism, 'cgroup');
    const source = vmFacts('source', { throttles: [cgroupThrottle] });
    assert.equal(throttleFacts(readyMigration({ activity, source }))?.mechanism, 'cgroup');
  });

  it('keeps to the mechanism that an attempt was armed for', () => {
    const moving = movingMigration();
    const attempt = moving.attempts[0] ?? assert.fail('it moves without an attempt');
    const busy = { vcpuBusyShare: 0.2, blockBytesPerSecond: 2e6, blockOperationsPerSecond: 300 };
    for (const [autoConverge, activity, mechanism] of [
      [true, { ...busy, blockOperationsPerSecond: 0 }, 'qemu'],
      [false, busy, 'cgroup'],
    ] as const) {
      const arming = { ...attempt.arming, autoConverge };
      assert.equal(
        throttleFacts({ ...moving, attempts: [{ ...attempt, arming }], activity })?.mechanism,
        mechanism,
      );
    }
  });

  it('does not fall back on a mechanism that the objective has not chosen', () => {
    const source = vmFacts('source', { throttles: [cgroupThrottle] });
    const order = migrateOrder({ throttle: 'qemu' });
    assert.equal(throttleFacts(readyMigration({ source, order })), undefined);
  });
});
