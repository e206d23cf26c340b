import assert from 'node:assert/strict';
import { families } from '../../../../shared/sample.ts';
import { methods } from '../../../../brain/core/methods/index.ts';
import { compose } from '../../../../brain/core/methods/method.ts';
import { migrateOrder, readyMigration } from '../support.ts';

describe('core/methods', () => {
  it('compose what to arm: the family, and what each method adds', () => {
    const { arming, tuning } = compose(methods, readyMigration(), 'xbzrle');
    assert.equal(arming.family, 'xbzrle');
    assert.ok(arming.xbzrleCacheBytes);
    assert.equal(arming.multifdChannels, undefined);
    assert.equal(tuning.downtimeLimitMilliseconds, 300);
    assert.ok(tuning.maxBandwidthBytesPerSecond);
  });

  it('arm nothing that excludes each other', () => {
    const order = migrateOrder({ postCopy: 'last-resort', throttle: 'qemu' });
    for (const family of families) {
      const { arming } = compose(methods, readyMigration({ order }), family);
      const isMultifd = arming.multifdChannels !== undefined;
      assert.equal(isMultifd, family.startsWith('multifd'), family);
      assert.ok(!(isMultifd && (arming.postCopy || arming.xbzrleCacheBytes !== undefined)), family);
    }
  });

  it('compose nothing of no methods', () => {
    const { arming, tuning } = compose([], readyMigration(), 'plain');
    assert.deepEqual(arming, { family: 'plain', autoConverge: false, postCopy: false });
    assert.deepEqual(tuning, {});
  });

  it('have names of their own', () => {
    assert.equal(new Set(methods.map(({ name }) => name)).size, methods.length);
  });
});
