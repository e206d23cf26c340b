import assert from 'node:assert/strict';
import { families } from '../../../../shared/sample.ts';
import { compression, compressionFamilies } from '../../../../brain/core/methods/compression.ts';
import { hostSample, readyMigration } from '../support.ts';

describe('core/methods/compression', () => {
  it('has a part in the families that compress, and in no other', () => {
    for (const family of families) {
      const isArmed = compression.arm(readyMigration(), family) !== undefined;
      assert.equal(isArmed, compressionFamilies.includes(family), family);
    }
  });

  it('takes as many threads as both hosts have idle cores', () => {
    const threads = (idleCpuCores: number) => {
      const migration = readyMigration({ sourceHost: hostSample({ idleCpuCores }) });
      return compression.arm(migration, 'compress')?.arming?.compressThreads;
    };
    assert.deepEqual([threads(0), threads(3), threads(100)], [1, 3, 4]);
  });

  it('never takes one multifd channel alone', () => {
    const migration = readyMigration({ sourceHost: hostSample({ idleCpuCores: 0 }) });
    assert.equal(compression.arm(migration, 'multifd-zstd')?.arming?.multifdChannels, 2);
  });

  it('takes the lowest level: higher ones cost CPU for a few percent', () => {
    for (const family of compressionFamilies) {
      assert.equal(compression.arm(readyMigration(), family)?.arming?.compressionLevel, 1);
    }
  });
});
