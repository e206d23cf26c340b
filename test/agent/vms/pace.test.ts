import assert from 'node:assert/strict';
import { pauseMilliseconds, type Look } from '../../../agent/vms/pace.ts';
import { toMigrationSample } from '../../../agent/collectors/migration.ts';

const moving = { runState: 'running', migrationStatus: 'active' };

const ram = { transferred: 0, total: 2 ** 30, 'dirty-sync-count': 2, 'page-size': 4096 };

function look(atMilliseconds: number, remaining: number): Look {
  const sample = toMigrationSample({ status: 'active', ram: { ...ram, remaining } });
  return { atMilliseconds, sample };
}

describe('pace', () => {
  it('looks rarely at a VM at rest, and at one that comes in', () => {
    const rest = pauseMilliseconds({ runState: 'running', migrationStatus: 'none' });
    const incoming = { runState: 'inmigrate', migrationStatus: 'active' };
    assert.equal(pauseMilliseconds(incoming), rest);
    assert.ok(rest > pauseMilliseconds(moving));
  });

  it('looks less often while the end of a round is far', () => {
    const far = pauseMilliseconds(moving, look(0, 100e6), look(100, 97e6));
    const near = pauseMilliseconds(moving, look(0, 10e6), look(100, 7e6));
    assert.ok(far > near);
    assert.ok(far < pauseMilliseconds({ ...moving, migrationStatus: 'none' }));
  });

  it('looks often when a round has just begun, when nothing moves, and when a look failed', () => {
    const near = pauseMilliseconds(moving);
    assert.equal(pauseMilliseconds(moving, look(0, 1e6), look(100, 97e6)), near);
    assert.equal(pauseMilliseconds(moving, look(0, 97e6), look(100, 97e6)), near);
    assert.equal(pauseMilliseconds(moving, undefined, look(100, 97e6)), near);
    assert.equal(pauseMilliseconds(moving, look(0, 97e6), undefined), near);
  });
});
