import assert from 'node:assert/strict';
import {
  canArmPostCopy,
  isPostCopyArmed,
  postCopy,
} from '../../../../brain/core/methods/post-copy.ts';
import { migrateOrder, movingMigration, plainArming, readyMigration, vmFacts } from '../support.ts';

const allowed = { order: migrateOrder({ postCopy: 'last-resort' }) };

describe('core/methods/post-copy', () => {
  it('is not armed unless the objective allows it', () => {
    assert.equal(postCopy.arm(readyMigration(), 'plain'), undefined);
    assert.deepEqual(postCopy.arm(readyMigration(allowed), 'plain')?.arming, { postCopy: true });
  });

  it('needs both sides, and the family', () => {
    assert.equal(canArmPostCopy(readyMigration(allowed), 'multifd-zstd'), false);
    for (const side of ['source', 'destination'] as const) {
      const without = vmFacts(side, { postCopyFamilies: [] });
      assert.equal(canArmPostCopy(readyMigration({ ...allowed, [side]: without }), 'plain'), false);
    }
  });

  it('is armed or not for the attempt that runs', () => {
    assert.equal(isPostCopyArmed(movingMigration()), false);
    const arming = { ...plainArming, postCopy: true };
    const attempts = [{ number: 1, arming, transferredBytes: 0 }];
    assert.equal(isPostCopyArmed(movingMigration({ attempts })), true);
  });
});
