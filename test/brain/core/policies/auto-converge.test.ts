import assert from 'node:assert/strict';
import { autoConverge } from '../../../../brain/core/policies/auto-converge.ts';
import { migrateOrder, movingMigration, readyMigration } from '../support.ts';

describe('core/policies/auto-converge', () => {
  it("arms QEMU's own with its own steps, under the cap of the objective", () => {
    const order = migrateOrder({ maxThrottlePercent: 60 });
    const { arming, tuning } = autoConverge.plan(readyMigration({ order }));
    assert.equal(arming.family, 'plain');
    assert.equal(arming.autoConverge, true);
    assert.equal(tuning.autoConverge?.initialPercent, 20);
    assert.equal(tuning.autoConverge.incrementPercent, 10);
    assert.equal(tuning.autoConverge.maxPercent, 60);
  });

  it('leaves the rest to QEMU', () => {
    assert.equal(autoConverge.probes, false);
    assert.equal(autoConverge.decide(movingMigration()), undefined);
  });
});
