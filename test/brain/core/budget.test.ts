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

  it('does not fall back on a mechanism that the objective has not chosen', () => {
    const source = vmFacts('source', { throttles: [cgroupThrottle] });
    const order = migrateOrder({ throttle: 'qemu' });
    assert.equal(throttleFacts(readyMigration({ source, order })), undefined);
  });
});
