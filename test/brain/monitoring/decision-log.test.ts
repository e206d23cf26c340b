import assert from 'node:assert/strict';
import { decisionLog } from '../../../brain/monitoring/decision-log.ts';
import { silentLog, type Log } from '../../../shared/log.ts';
import { factsOf, order, sampleOf, settle, uuid } from '../fixtures.ts';
import type { Decide } from '../fixtures.ts';
import { closeHouses, openHouse } from '../house.ts';

type Said = Readonly<Record<string, unknown>>;

describe('brain/monitoring/decision-log', () => {
  afterEach(closeHouses);

  it('names migration, decision, VM and host of what is decided, done and over', async () => {
    const said: Said[] = [];
    const say = (level: string) => (fields: Said, message: string) =>
      void said.push({ level, message, ...fields });
    const log: Log = { ...silentLog, warn: say('warn'), info: say('info') };
    const decide: Decide = (input) =>
      input.kind === 'order' ? [{ side: 'source', operation: { kind: 'cancel' } }] : [];
    const { brain, source } = await openHouse({
      decide,
      answer: () => ({ outcome: 'refused', reason: 'observe-only: so says the host' }),
      listeners: [decisionLog(log)],
    });
    const migration = brain.migrate(order);
    await settle();
    source.say({ kind: 'migration', ref: factsOf('h1').ref, sample: sampleOf('completed') });
    await settle();
    const ids = { migration, decision: 1, vm: uuid, host: 'h1', operation: 'cancel' };
    const [decided, refused, settled, ...others] = said;
    assert.deepEqual(decided, {
      ...{ level: 'info', message: 'decided', ...ids, method: 'plan', rule: 'policy-stub' },
      evidence: { input: 'order' },
    });
    assert.deepEqual(refused, {
      ...{ level: 'warn', message: 'not carried out', ...ids, outcome: 'refused' },
      reason: 'observe-only: so says the host',
    });
    assert.equal(settled?.['message'], 'settled');
    assert.equal(settled['outcome'], 'completed');
    assert.deepEqual([settled['migration'], settled['vm']], [migration, uuid]);
    assert.deepEqual(others, []);
  });
});
