import assert from 'node:assert/strict';
import fc from 'fast-check';
import { toMigrationSample } from '../../../agent/collectors/migration.ts';
import { migrationSample } from '../../../shared/codec/sample-schemas.ts';
import { readFixture } from '../fixtures/read.ts';

describe('migration collector', () => {
  it('converts a throttled migration of QEMU 7.2', () => {
    const sample = toMigrationSample(readFixture('query-migrate-7.2-active.json'));
    assert.equal(sample.status, 'active');
    assert.equal(sample.totalMilliseconds, 6001);
    assert.equal(sample.expectedDowntimeMilliseconds, 2364);
    assert.equal('downtimeMilliseconds' in sample, false);
    assert.equal(sample.cpuThrottlePercent, 20);
    assert.equal(sample.throttlePercent, 20);
    assert.equal(sample.ram?.remainingBytes, 13_312_000);
    assert.equal(sample.ram.dirtySyncCount, 3);
    assert.equal(sample.ram.dirtyPagesPerSecond, 4698);
    assert.equal(Math.round(sample.ram.bandwidthBytesPerSecond), 20_018_310);
    assert.equal(sample.xbzrle?.overflowPages, 1601);
    assert.equal(sample.xbzrle.cacheMissShare, 1);
    assert.equal('compression' in sample, false);
  });

  it('converts compression of QEMU 7.2', () => {
    const sample = toMigrationSample(readFixture('query-migrate-7.2-compress.json'));
    assert.deepEqual(sample.compression, {
      pages: 135,
      busyCount: 0,
      busyShare: 0,
      compressedBytes: 244_583,
      compressionRatio: 2.260827612712249,
    });
  });

  it('converts a completed migration of QEMU 10.0', () => {
    const sample = toMigrationSample(readFixture('query-migrate-10.0-completed.json'));
    assert.equal(sample.status, 'completed');
    assert.equal(sample.downtimeMilliseconds, 66);
    assert.equal(sample.ram?.transferredBytes, 147_359_194);
    assert.equal(sample.ram.downtimeBytes, 18_849_185);
    assert.equal('cpuThrottlePercent' in sample, false);
  });

  it('says "none" before the first migration, and keeps the error of a failed one', () => {
    assert.deepEqual(toMigrationSample({}), { status: 'none', throttlePercent: 0 });
    const failed = toMigrationSample({
      status: 'failed',
      'error-desc': 'Unable to write to socket',
    });
    assert.equal(failed.errorDescription, 'Unable to write to socket');
    assert.equal('ram' in failed, false);
  });

  it('leaves out what it does not understand', () => {
    for (const reply of [null, 7, 'x', [], { status: 7 }, { status: '' }]) {
      assert.equal(toMigrationSample(reply).status, 'unknown', JSON.stringify(reply));
    }
    const ram = { transferred: 1, remaining: 2 ** 64 - 1, total: 3, 'dirty-sync-count': 1 };
    assert.equal('ram' in toMigrationSample({ status: 'active', ram }), false);
  });

  it('reports the mechanism that is in force', () => {
    const reply = { status: 'active', 'cpu-throttle-percentage': 1 };
    const sample = toMigrationSample(reply, { cgroupThrottlePercent: 80, vcpuSeconds: 1.5 });
    assert.equal(sample.throttlePercent, 80);
    assert.equal(sample.cpuThrottlePercent, 1);
    assert.equal(sample.vcpuSeconds, 1.5);
  });

  it('makes a sample that the wire takes of any reply whatever', () => {
    const fields = Object.keys(
      (readFixture('query-migrate-7.2-active.json') as { ram: object }).ram,
    );
    const value = fc.oneof(fc.double(), fc.maxSafeInteger(), fc.string(), fc.constant(null));
    const block = fc.dictionary(fc.constantFrom(...fields), value, { minKeys: 10 });
    const reply = fc.record(
      {
        status: fc.oneof(fc.string(), value),
        'error-desc': value,
        'total-time': value,
        'cpu-throttle-percentage': value,
        ram: fc.oneof(block, value),
        'xbzrle-cache': fc.oneof(block, value),
        compression: fc.oneof(block, value),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.oneof(reply, fc.anything()), (any) => {
        migrationSample.parse(toMigrationSample(any));
      }),
    );
  });
});
