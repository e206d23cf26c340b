import assert from 'node:assert/strict';
import fc from 'fast-check';
import { clampOperation } from '../../../agent/commands/clamps.ts';
import { standalonePolicy } from '../../../agent/host/policy-file.ts';
import type { Arming, Operation, Tuning } from '../../../shared/command.ts';
import { migrating, plainArming, situation } from '../situations.ts';

const policy = { ...standalonePolicy({ maxThrottlePercent: 80 }), maxDowntimeMilliseconds: 1000 };

function tuned(tuning: Tuning): Tuning {
  const operation = clampOperation({ kind: 'tune', tuning }, migrating(), policy);
  return operation.kind === 'tune' ? operation.tuning : assert.fail();
}

function armed(arming: Partial<Arming>): Arming {
  const operation: Operation = { kind: 'arm', arming: { ...plainArming, ...arming }, tuning: {} };
  const clamped = clampOperation(operation, situation(), policy);
  return clamped.kind === 'arm' ? clamped.arming : assert.fail();
}

function throttled(percent: number, mechanism: 'qemu' | 'cgroup', inForce?: number): number {
  const vm = migrating(inForce === undefined ? {} : { qemuThrottlePercent: inForce });
  const clamped = clampOperation({ kind: 'throttle', percent, mechanism }, vm, policy);
  return clamped.kind === 'throttle' ? clamped.percent : assert.fail();
}

describe('clamps', () => {
  it('keeps the downtime within 10 ms and the policy', () => {
    assert.deepEqual(tuned({ downtimeLimitMilliseconds: 1 }), { downtimeLimitMilliseconds: 10 });
    assert.deepEqual(tuned({ downtimeLimitMilliseconds: 9e9 }), {
      downtimeLimitMilliseconds: 1000,
    });
  });

  it('never says 0 to QEMU about a bandwidth', () => {
    const most = 16 * 1024 ** 3;
    assert.deepEqual(tuned({ maxBandwidthBytesPerSecond: 0 }), {
      maxBandwidthBytesPerSecond: most,
    });
    assert.deepEqual(tuned({ maxBandwidthBytesPerSecond: 5 }), {
      maxBandwidthBytesPerSecond: 1024 ** 2,
    });
    assert.deepEqual(tuned({ maxPostcopyBandwidthBytesPerSecond: 2 ** 63 }), {
      maxPostcopyBandwidthBytesPerSecond: most,
    });
  });

  it('gives the switchover estimate back to QEMU with 0', () => {
    assert.deepEqual(tuned({ availSwitchoverBandwidthBytesPerSecond: 0 }), {
      availSwitchoverBandwidthBytesPerSecond: 0,
    });
  });

  it('sends no setting that nobody asked for', () => {
    assert.deepEqual(tuned({}), {});
  });

  it('makes the XBZRLE cache a power of two that the host and the guest can bear', () => {
    assert.equal(armed({ xbzrleCacheBytes: 2 ** 62 }).xbzrleCacheBytes, 1024 ** 3);
    assert.equal(armed({ xbzrleCacheBytes: 100 * 1024 ** 2 }).xbzrleCacheBytes, 64 * 1024 ** 2);
    assert.equal(armed({ xbzrleCacheBytes: 1 }).xbzrleCacheBytes, 4096);
  });

  it('bounds channels, threads and levels', () => {
    const arming = armed({ multifdChannels: 255, compressThreads: 0, compressionLevel: 99 });
    assert.equal(arming.multifdChannels, 8);
    assert.equal(arming.compressThreads, 1);
    assert.equal(arming.compressionLevel, 9);
    assert.equal(armed({ family: 'multifd-zstd', compressionLevel: 99 }).compressionLevel, 20);
  });

  it('holds the cap on what both mechanisms deny together', () => {
    assert.equal(throttled(95, 'qemu'), 80);
    assert.equal(throttled(95, 'cgroup'), 80);
    assert.equal(throttled(95, 'cgroup', 1), 80);
    assert.equal(throttled(95, 'cgroup', 60), 50);
    assert.equal(throttled(95, 'cgroup', 90), 0);
  });

  it("keeps QEMU's own escalation within the cap, initial never above max", () => {
    const percent = fc.integer({ min: -10, max: 1000 });
    fc.assert(
      fc.property(percent, percent, percent, percent, (initial, increment, max, threshold) => {
        const { autoConverge } = tuned({
          autoConverge: {
            initialPercent: initial,
            incrementPercent: increment,
            maxPercent: max,
            triggerThresholdPercent: threshold,
          },
        });
        assert.ok(autoConverge);
        assert.ok(autoConverge.maxPercent >= 1 && autoConverge.maxPercent <= 80);
        assert.ok(autoConverge.initialPercent >= 1);
        assert.ok(autoConverge.initialPercent <= autoConverge.maxPercent);
      }),
    );
  });

  it('gives the probe no more than 2 s', () => {
    const clamped = clampOperation({ kind: 'probe', budgetMilliseconds: 1e6 }, situation(), policy);
    assert.deepEqual(clamped, { kind: 'probe', budgetMilliseconds: 2000 });
  });
});
