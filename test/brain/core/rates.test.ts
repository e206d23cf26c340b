import assert from 'node:assert/strict';
import type { MigrationSample, RamSample } from '../../../shared/sample.ts';
import type { Migration } from '../../../brain/core/migration.ts';
import { observePeak, observeRates, sentPages } from '../../../brain/core/rates.ts';
import { activeSample, mebibyte, movingMigration, pageBytes } from './support.ts';

const { bandwidthBytesPerSecond: _b, laterRoundsBytesPerSecond: _l, ...known } = movingMigration();
const unmeasured: Migration = { ...known, last: activeSample() };

/** A later sample: so many MiB drained since, and so many on the wire. */
function later(drained: number, wire = drained, ram: Partial<RamSample> = {}): MigrationSample {
  const before = activeSample().ram;
  return activeSample({
    normalPages: (before?.normalPages ?? 0) + (drained * mebibyte) / pageBytes,
    transferredBytes: (before?.transferredBytes ?? 0) + wire * mebibyte,
    ...ram,
  });
}

/** `sample` comes so long after `last`, at which the span began. */
function after(migration: Migration, sample: MigrationSample, passed = 1000): Migration {
  const { last, nowMilliseconds: now } = migration;
  const isFirst = migration.openRound?.number === 1;
  return observeRates(
    {
      ...migration,
      nowMilliseconds: now + passed,
      ...(last && { rateMark: { atMilliseconds: now, sample: last, isFirst } }),
    },
    sample,
  );
}

describe('core/rates', () => {
  it('tells bytes on the wire from guest RAM drained', () => {
    const next = after(unmeasured, later(64, 16));
    assert.equal(next.bandwidthBytesPerSecond, 16 * mebibyte);
    assert.equal(next.laterRoundsBytesPerSecond, 64 * mebibyte);
  });

  it('smooths: one outlier does not turn the figure over, a lasting change does', () => {
    const steady = after(unmeasured, later(8), 250);
    const outlier = after(steady, later(80), 250).bandwidthBytesPerSecond ?? 0;
    assert.ok(outlier > 32 * mebibyte && outlier < 200 * mebibyte);
    let lasting = steady;
    for (let count = 0; count < 30; count += 1) lasting = after(lasting, later(80), 250);
    assert.ok(Math.abs((lasting.bandwidthBytesPerSecond ?? 0) / (320 * mebibyte) - 1) < 0.01);
  });

  it('weighs by time, not by the number of samples', () => {
    const steady = after(unmeasured, later(32), 1000);
    const once = after(steady, later(256), 1000).bandwidthBytesPerSecond ?? 0;
    let often = steady;
    for (let count = 0; count < 4; count += 1) often = after(often, later(64), 250);
    assert.ok(Math.abs(once / (often.bandwidthBytesPerSecond ?? 1) - 1) < 0.01);
  });

  it('learns nothing of the link from rounds that the socket swallows whole', () => {
    const { openRound } = unmeasured;
    assert.ok(openRound);
    const measuredIn = (startRemainingBytes: number) => {
      const small = { ...unmeasured, openRound: { ...openRound, startRemainingBytes } };
      return after(small, later(1)).bandwidthBytesPerSecond;
    };
    assert.equal(measuredIn(mebibyte), undefined);
    assert.equal(measuredIn(16 * mebibyte), mebibyte);
  });

  it('learns nothing from zero pages: they cost the wire next to nothing', () => {
    const skipping = later(4, 4, { duplicatePages: 20_000 });
    assert.equal(after(unmeasured, skipping).bandwidthBytesPerSecond, undefined);
  });

  it('learns nothing from a standstill, from too short a span, or without RAM figures', () => {
    const mute: MigrationSample = { status: 'active', throttlePercent: 0 };
    for (const told of [after(unmeasured, later(0)), after(unmeasured, later(32), 100)]) {
      assert.equal(told.bandwidthBytesPerSecond, undefined);
    }
    assert.equal(after(unmeasured, mute).bandwidthBytesPerSecond, undefined);
  });

  it('reads a stall of multifd, which counts in batches, over a span that evens it out', () => {
    let migration = unmeasured;
    for (const [milliseconds, drained] of [
      [0, 0],
      [100, 12],
      [200, 24],
      [300, 24.2],
      [400, 48],
    ] as const) {
      const now = { ...migration, nowMilliseconds: unmeasured.nowMilliseconds + milliseconds };
      migration = observeRates(now, later(drained));
    }
    assert.ok((migration.bandwidthBytesPerSecond ?? 0) > 70 * mebibyte);
  });

  it('does not count the first bytes: they only fill socket buffers', () => {
    const begun = { ...unmeasured, nowMilliseconds: 1050 };
    assert.equal(observeRates(begun, later(32)), begun);
  });

  it('keeps the first pass apart from later rounds', () => {
    const { openRound, ...rest } = unmeasured;
    assert.ok(openRound);
    const first = { ...rest, firstPassBytesPerSecond: 1, openRound: { ...openRound, number: 1 } };
    const next = after(first, later(64));
    assert.ok((next.firstPassBytesPerSecond ?? 0) > 32 * mebibyte);
    assert.equal(next.laterRoundsBytesPerSecond, undefined);
  });

  it('counts pages of every kind as sent', () => {
    const ram = { normalPages: 10, duplicatePages: 5 };
    const compression = {
      pages: 7,
      busyCount: 0,
      busyShare: 0,
      compressedBytes: 1,
      compressionRatio: 1,
    };
    assert.equal(sentPages(activeSample(ram, { compression })), 22);
    assert.equal(sentPages({ status: 'none', throttlePercent: 0 }), 0);
  });
});

describe('core/rates: the peak of what QEMU takes the bandwidth for', () => {
  const wire = 32 * mebibyte;
  /** As long after the start of its attempt, and 100 ms after the sample before. */
  const peakAfter = (milliseconds: number, bandwidthBytesPerSecond: number, peak = 0): number => {
    const { attempts } = movingMigration();
    const now = (attempts[0]?.startedAtMilliseconds ?? 0) + milliseconds;
    const migration = movingMigration({
      nowMilliseconds: now,
      lastSampleAtMilliseconds: now - 100,
      peakBytesPerSecond: peak,
    });
    return (
      observePeak(migration, activeSample({ bandwidthBytesPerSecond })).peakBytesPerSecond ?? 0
    );
  };

  it('does not count while the socket fills', () => {
    assert.equal(peakAfter(200, 4 * wire), 0);
    assert.equal(peakAfter(2000, 4 * wire), 4 * wire);
  });

  it('stays for a while, and fades', () => {
    const left = peakAfter(2000, wire, 4 * wire);
    assert.ok(left > 3.5 * wire && left < 4 * wire);
  });
});
