import assert from 'node:assert/strict';
import {
  downtime,
  plainTuning,
  switchoverTuning,
} from '../../../../brain/core/methods/downtime.ts';
import type { Migration } from '../../../../brain/core/migration.ts';
import {
  activeSample,
  mebibyte,
  migrateOrder,
  movingMigration,
  plainArming,
  probeReport,
  readyMigration,
  roundOf,
  vmFacts,
} from '../support.ts';

const wire = 32 * mebibyte;
const text = probeReport({ compressionRatio: 6, dirtyCompressionRatio: 6 });
const older = vmFacts('source', { liveSettings: ['downtime-limit', 'throttle'] });

const tuningOf = (change: Partial<Migration> = {}) =>
  switchoverTuning(readyMigration({ probe: text, ...change }), 'multifd-zstd', wire);

describe('core/methods/downtime', () => {
  it("leaves QEMU's test alone where it is right", () => {
    const tuning = switchoverTuning(readyMigration({ probe: text }), 'plain', wire);
    assert.deepEqual(tuning, { downtimeLimitMilliseconds: 300 });
  });

  it('leaves libvirt the time that it takes at the switchover', () => {
    const source = vmFacts('source', { owner: 'libvirt' });
    const limitUnder = (downtimeLimitMilliseconds: number) => {
      const order = migrateOrder({ downtimeLimitMilliseconds });
      const migration = readyMigration({ source, order });
      assert.deepEqual(downtime.arm(migration, 'plain')?.tuning, plainTuning(migration, wire));
      return plainTuning(migration, wire).downtimeLimitMilliseconds;
    };
    assert.equal(limitUnder(300), 260);
    assert.equal(limitUnder(50), 15);
  });

  it('tells QEMU what the link really takes of compressed pages', () => {
    const { downtimeLimitMilliseconds, availSwitchoverBandwidthBytesPerSecond } = tuningOf();
    assert.equal(downtimeLimitMilliseconds, 300);
    assert.ok((availSwitchoverBandwidthBytesPerSecond ?? 0) > 2 * wire);
    assert.ok((availSwitchoverBandwidthBytesPerSecond ?? Infinity) <= 6 * wire);
  });

  it('scales the downtime limit instead where QEMU has no such setting', () => {
    const tuning = tuningOf({ source: older });
    assert.equal(tuning.availSwitchoverBandwidthBytesPerSecond, undefined);
    assert.ok((tuning.downtimeLimitMilliseconds ?? 0) > 600);
    assert.ok((tuning.downtimeLimitMilliseconds ?? Infinity) <= 6 * 300);
  });

  it('corrects QEMU where short rounds let it take the link for slow, and goes on doing so', () => {
    const tuningAt = (mebibytesPerSecond: number, change: Partial<Migration> = {}) => {
      const last = activeSample({ bandwidthBytesPerSecond: mebibytesPerSecond * mebibyte });
      return switchoverTuning(movingMigration({ last, ...change }), 'plain', wire);
    };
    const told = { downtimeLimitMilliseconds: 300, availSwitchoverBandwidthBytesPerSecond: wire };
    assert.deepEqual(tuningAt(30), { downtimeLimitMilliseconds: 300 });
    assert.deepEqual(tuningAt(2), told);
    assert.deepEqual(tuningAt(30, { tuning: told }), told);
    const orderedThrottlePercent = 90;
    const lowered = (throttlePauseMilliseconds: number, rate: number) =>
      tuningAt(rate, { source: older, orderedThrottlePercent, throttlePauseMilliseconds })
        .downtimeLimitMilliseconds;
    assert.deepEqual([lowered(226, 30), lowered(226, 16), lowered(226, 2)], [90, 180, 300]);
  });

  it('believes what was measured more than what was promised', () => {
    const rounds = [roundOf(1, 128 * mebibyte, 30 * mebibyte), roundOf(2, 30 * mebibyte, mebibyte)];
    const { attempts } = movingMigration();
    assert.deepEqual(tuningOf({ rounds, attempts }), { downtimeLimitMilliseconds: 300 });
  });

  it('knows that a cap does not bind the last burst', () => {
    const order = migrateOrder({
      maxBandwidthBytesPerSecond: wire,
      linkBandwidthBytesPerSecond: 4 * wire,
    });
    const tuning = switchoverTuning(readyMigration({ order }), 'plain', wire);
    assert.equal(tuning.availSwitchoverBandwidthBytesPerSecond, 4 * wire);
  });

  it('is armed uncorrected: what a family promises is not measured yet', () => {
    const order = migrateOrder({ downtimeLimitMilliseconds: 50 });
    const armament = downtime.arm(readyMigration({ probe: text, order }), 'multifd-zstd');
    assert.deepEqual(armament?.tuning, { downtimeLimitMilliseconds: 50 });
  });

  it('asks for less over a slow link, where the socket still holds a good part of the limit', () => {
    const limitOver = (link: number) =>
      plainTuning(readyMigration(), link * mebibyte).downtimeLimitMilliseconds ?? 0;
    assert.equal(limitOver(100), 300);
    assert.ok(limitOver(8) < 150);
    assert.ok(limitOver(1) >= 50);
  });

  it("asks for less where QEMU's own figure of the bandwidth peaks above what flows", () => {
    const limitAt = (peak: number) =>
      plainTuning(movingMigration({ peakBytesPerSecond: peak * wire }), wire)
        .downtimeLimitMilliseconds ?? 0;
    assert.equal(limitAt(1.2), 300);
    assert.ok(limitAt(2.6) <= 150);
  });

  it('asks for much less where QEMU counts pages before it compresses them', () => {
    const arming = { ...plainArming, family: 'multifd-zstd', multifdChannels: 2 } as const;
    const attempts = [{ number: 1, arming, startedAtMilliseconds: 1000, transferredBytes: 0 }];
    const limitWhere = (bandwidthBytesPerSecond: number) =>
      plainTuning(
        movingMigration({
          ...{ attempts, probe: text, bandwidthBytesPerSecond },
          firstPassBytesPerSecond: 6 * wire,
        }),
        bandwidthBytesPerSecond,
      ).downtimeLimitMilliseconds ?? 0;
    // The wire seems to take all that is drained: 7.2. It takes a sixth of that: 10.0.
    assert.ok(limitWhere(6 * wire) <= 130);
    assert.ok(limitWhere(wire) > 180);
  });
});
