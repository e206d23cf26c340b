import assert from 'node:assert/strict';
import { families } from '../../../shared/sample.ts';
import {
  drainRates,
  firstRateRounds,
  legalFamilies,
  multifdConnections,
  xbzrleCacheBytes,
} from '../../../brain/core/families.ts';
import type { LinkEstimate } from '../../../brain/core/input.ts';
import { around, unknownLink } from '../../../brain/core/link.ts';
import type { Migration } from '../../../brain/core/migration.ts';
import { withWorkingSet } from '../../../brain/core/workload.ts';
import { mebibyte, probeReport, readyMigration, vmFacts } from './support.ts';

const wire = 32 * mebibyte;

function probed(change: Parameters<typeof probeReport>[0], idleCpuCores = 4): Migration {
  const source = vmFacts('source', { idleCpuCores });
  return withWorkingSet(readyMigration({ source, probe: probeReport(change) }));
}

const text = { compressionRatio: 8, dirtyCompressionRatio: 4 };

describe('core/families', () => {
  it('are legal where both sides have them', () => {
    const destination = vmFacts('destination', { families: ['plain', 'multifd-zstd'] });
    assert.deepEqual(legalFamilies(readyMigration({ destination })), ['plain', 'multifd-zstd']);
    const { destination: _, ...alone } = readyMigration();
    assert.deepEqual(legalFamilies(alone), []);
  });

  it('open no more connections than it takes to fill the link', () => {
    const through = (link: LinkEstimate) =>
      multifdConnections(
        { ...probed({ ...text, compressionSecondsPerPage: 6e-5 }), link },
        'multifd-zlib',
      );
    assert.equal(through(around(16 * mebibyte, 'configured')), 2);
    assert.equal(through(around(24 * mebibyte, 'configured')), 3);
    assert.equal(through(around(250 * mebibyte, 'configured')), 4);
    assert.equal(through(unknownLink), 2);
  });

  it('plain pre-copy drains what the wire takes', () => {
    const rates = drainRates(probed(text), 'plain', wire);
    assert.equal(rates.firstPassBytesPerSecond, wire);
    assert.equal(rates.laterRoundsBytesPerSecond, wire);
  });

  it('compression multiplies the wire by what the probe found, on all and on dirtied pages', () => {
    const rates = drainRates(
      probed({ ...text, compressionSecondsPerPage: 0 }),
      'multifd-zlib',
      wire,
    );
    assert.ok(Math.abs(rates.firstPassBytesPerSecond / (8 * wire) - 1) < 1e-9);
    assert.ok(Math.abs(rates.laterRoundsBytesPerSecond / (4 * wire) - 1) < 1e-9);
  });

  it('what neighbours have in common is saved where pages are compressed as one stream', () => {
    const rate = (family: 'compress' | 'multifd-zlib' | 'multifd-zstd', gain: number) =>
      drainRates(
        probed({ compressionRatio: 3, streamCompressionGain: gain, compressionSecondsPerPage: 0 }),
        family,
        wire,
      ).firstPassBytesPerSecond / wire;
    assert.ok(Math.abs(rate('multifd-zlib', 1.25) - 3.75) < 1e-9);
    assert.ok(Math.abs(rate('compress', 1.25) - 3) < 1e-9);
    assert.ok(rate('multifd-zstd', 1.25) > rate('multifd-zlib', 1.25));
  });

  it('what cannot be compressed is not compressed by any codec', () => {
    const random = probed({ compressionRatio: 0.997, streamCompressionGain: 1.01 });
    for (const family of ['multifd-zlib', 'multifd-zstd'] as const)
      assert.ok(drainRates(random, family, wire).firstPassBytesPerSecond <= 1.001 * wire);
  });

  it('compression is bound by the idle cores, zlib before zstd', () => {
    const fast = 100 * wire;
    const rate = (cores: number, family: 'multifd-zlib' | 'multifd-zstd') =>
      drainRates(probed(text, cores), family, fast).laterRoundsBytesPerSecond;
    assert.ok(rate(1, 'multifd-zlib') < rate(4, 'multifd-zlib'));
    assert.ok(rate(1, 'multifd-zlib') < rate(1, 'multifd-zstd'));
    assert.ok(rate(4, 'multifd-zlib') < fast);
  });

  it('compression without a probe promises nothing', () => {
    const rates = drainRates(readyMigration(), 'multifd-zstd', wire);
    assert.ok(rates.laterRoundsBytesPerSecond <= wire);
  });

  it('`compress` is never slower than the wire: busy threads pass pages on as they are', () => {
    const slow = probed({ compressionSecondsPerPage: 1 });
    assert.ok(drainRates(slow, 'compress', wire).firstPassBytesPerSecond >= wire);
  });

  it('XBZRLE gains by small deltas, in later rounds only', () => {
    const rates = drainRates(probed({ xbzrleDeltaShare: 0.02 }), 'xbzrle', wire);
    assert.equal(rates.firstPassBytesPerSecond, wire);
    assert.ok(rates.laterRoundsBytesPerSecond > 8 * wire);
    assert.ok(firstRateRounds('xbzrle') > firstRateRounds('plain'));
    const random = drainRates(probed({ xbzrleDeltaShare: 1 }), 'xbzrle', wire);
    assert.ok(random.laterRoundsBytesPerSecond <= 1.01 * wire);
  });

  it('XBZRLE gains as much as its cache holds of the working set', () => {
    const source = (freeMemoryBytes: number) => vmFacts('source', { freeMemoryBytes });
    const guest = probed({ xbzrleDeltaShare: 0.02 });
    const rate = (free: number) =>
      drainRates({ ...guest, source: source(free) }, 'xbzrle', wire).laterRoundsBytesPerSecond;
    assert.ok(rate(64 * mebibyte) < 0.5 * rate(1024 * mebibyte));
  });

  it('its cache is a power of two that holds the working set, within free memory', () => {
    const cache = xbzrleCacheBytes(probed({}));
    assert.ok(Number.isInteger(Math.log2(cache)));
    assert.ok(cache >= (probed({}).workingSet?.bytes ?? Infinity));
    const poor = vmFacts('source', { freeMemoryBytes: 64 * mebibyte });
    assert.ok(xbzrleCacheBytes({ ...probed({}), source: poor }) <= 16 * mebibyte);
  });

  it('no family is thought much faster than the same wire allows with its best ratio', () => {
    const migration = probed({ ...text, xbzrleDeltaShare: 0.125 });
    for (const family of families) {
      const rates = drainRates(migration, family, wire);
      assert.ok(rates.firstPassBytesPerSecond <= 1.15 * 8 * wire, family);
      assert.ok(rates.laterRoundsBytesPerSecond <= 1.15 * 8 * wire, family);
    }
  });
});
