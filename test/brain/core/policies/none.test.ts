import assert from 'node:assert/strict';
import { none } from '../../../../brain/core/policies/none.ts';
import { movingMigration, readyMigration } from '../support.ts';

describe('core/policies/none', () => {
  it('arms nothing: neither a throttle nor another family', () => {
    const { arming } = none.plan(readyMigration());
    assert.deepEqual(arming, { family: 'plain', autoConverge: false, postCopy: false });
  });

  it('neither probes nor touches a migration, even one that will not end', () => {
    assert.equal(none.probes, false);
    assert.equal(none.decide(movingMigration()), undefined);
  });
});
