import assert from 'node:assert/strict';
import { policies, policyNamed } from '../../../../brain/core/policies/index.ts';
import { movingMigration, readyMigration } from '../support.ts';

describe('core/policies', () => {
  it('are found by name; a wrong name lists them all', () => {
    for (const policy of policies) assert.equal(policyNamed(policy.name), policy);
    assert.throws(
      () => policyNamed('best'),
      /"best"; there are: adaptive, ladder, none, auto-conv/,
    );
  });

  for (const policy of policies) {
    it(`${policy.name} has a plan even where nothing is known of the workload`, () => {
      const { arming, tuning } = policy.plan(readyMigration());
      assert.equal(arming.postCopy, false);
      assert.equal(tuning.downtimeLimitMilliseconds, 300);
    });

    it(`${policy.name} does not fail for want of samples`, () => {
      const { last: _l, openRound: _o, ...blind } = movingMigration({ rounds: [] });
      assert.equal(policy.decide(blind), undefined);
    });
  }
});
