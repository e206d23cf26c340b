import assert from 'node:assert/strict';
import { bandwidth } from '../../../../brain/core/methods/bandwidth.ts';
import { mebibyte, migrateOrder, readyMigration } from '../support.ts';

describe('core/methods/bandwidth', () => {
  it('writes the cap of the objective', () => {
    const order = migrateOrder({ maxBandwidthBytesPerSecond: 10 * mebibyte });
    const tuning = bandwidth.arm(readyMigration({ order }), 'plain')?.tuning;
    assert.equal(tuning?.maxBandwidthBytesPerSecond, 10 * mebibyte);
  });

  it('lifts the 128 MiB/s that QEMU has by default where nobody asked for a cap', () => {
    const tuning = bandwidth.arm(readyMigration(), 'plain')?.tuning;
    assert.ok((tuning?.maxBandwidthBytesPerSecond ?? 0) > 12.5e9);
  });
});
