import assert from 'node:assert/strict';
import { canRestart } from '../../../../brain/core/methods/restart.ts';
import { movingMigration, vmFacts } from '../support.ts';

describe('core/methods/restart', () => {
  it('needs a destination that can be started anew', () => {
    assert.equal(canRestart(movingMigration()), true);
    const destination = vmFacts('destination', { canStartDestination: false });
    assert.equal(canRestart(movingMigration({ destination })), false);
    const { destination: _, ...alone } = movingMigration();
    assert.equal(canRestart(alone), false);
  });

  it('comes to an end', () => {
    const attempts = Array.from({ length: 10 }, () => movingMigration().attempts).flat();
    assert.equal(canRestart(movingMigration({ attempts })), false);
  });
});
