import assert from 'node:assert/strict';
import { createFleet } from '../../../../brain/page/client/fleet.ts';
import { rowOf } from '../../../../brain/page/view/row.ts';
import { completedResult, migration } from '../../../cli/fixture.ts';

describe('page/client/fleet', () => {
  const row = (id: string, changes: Parameters<typeof migration>[0] = {}) =>
    rowOf(migration({ id, ...changes }));
  const ids = (fleet: ReturnType<typeof createFleet>, search = '') =>
    fleet.matching(search).map(({ id }) => id);

  it('has running migrations first, the newest first, wherever their changes come', () => {
    const fleet = createFleet();
    fleet.take({ rows: [row('a'), row('b'), row('c')] });
    fleet.take({ rows: [row('a'), row('c', { result: completedResult })] });
    assert.deepEqual(ids(fleet), ['b', 'a', 'c']);
    fleet.take({ gone: ['b'] });
    assert.deepEqual(ids(fleet), ['a', 'c']);
  });

  it('finds by VM, host, id and state; all words must match', () => {
    const fleet = createFleet();
    fleet.take({ rows: [row('a'), row('b', { result: completedResult })] });
    assert.deepEqual(ids(fleet, 'REDIS'), ['a', 'b']);
    assert.deepEqual(ids(fleet, 'redis completed'), ['b']);
    assert.deepEqual(ids(fleet, 'destination waiting'), ['a']);
    assert.deepEqual(ids(fleet, 'nowhere'), []);
  });

  it('counts by state, most first', () => {
    const fleet = createFleet();
    fleet.take({ rows: [row('a'), row('b'), row('c', { result: completedResult })] });
    assert.deepEqual(fleet.tally(), [
      ['waiting', 2],
      ['completed', 1],
    ]);
  });
});
