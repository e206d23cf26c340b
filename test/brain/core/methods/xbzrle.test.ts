import assert from 'node:assert/strict';
import { families } from '../../../../shared/sample.ts';
import { xbzrle } from '../../../../brain/core/methods/xbzrle.ts';
import { hostSample, mebibyte, readyMigration } from '../support.ts';

describe('core/methods/xbzrle', () => {
  it('has a part in its own family only', () => {
    const armed = families.filter((family) => xbzrle.arm(readyMigration(), family));
    assert.deepEqual(armed, ['xbzrle']);
  });

  it('sizes its cache before the start, by the working set and the free memory', () => {
    const workingSet = { bytes: 100 * mebibyte, classes: [] };
    const cache = (freeMemoryBytes: number) => {
      const sourceHost = hostSample({ freeMemoryBytes });
      const migration = readyMigration({ workingSet, sourceHost });
      return xbzrle.arm(migration, 'xbzrle')?.arming?.xbzrleCacheBytes;
    };
    assert.equal(cache(2 ** 32), 128 * mebibyte);
    assert.equal(cache(256 * mebibyte), 64 * mebibyte);
  });
});
