import assert from 'node:assert/strict';
import { families } from '../../../../shared/sample.ts';
import { multifd } from '../../../../brain/core/methods/multifd.ts';
import { readyMigration } from '../support.ts';

describe('core/methods/multifd', () => {
  it('has a part in plain multifd only, with at least two channels', () => {
    const armed = families.filter((family) => multifd.arm(readyMigration(), family));
    assert.deepEqual(armed, ['multifd']);
    assert.ok((multifd.arm(readyMigration(), 'multifd')?.arming?.multifdChannels ?? 0) >= 2);
  });
});
