import assert from 'node:assert/strict';
import { silentLog, type Log } from '../../shared/log.ts';
import { createReload } from '../../shared/reload.ts';

const started = { level: 'info', url: 'a', list: [1] };

/** A daemon with one live setting, and what it logged. */
function daemon(apply: (next: typeof started) => void = () => undefined) {
  const said: (readonly [string, Readonly<Record<string, unknown>>])[] = [];
  const log: Log = {
    ...silentLog,
    error: (fields) => void said.push(['error', fields]),
    warn: (fields) => void said.push(['warn', fields]),
    info: (fields) => void said.push(['info', fields]),
  };
  return { said, reload: createReload({ log, started, live: ['level'], apply }) };
}

describe('shared/reload', () => {
  it('applies what was loaded, and is content when all of it is live', async () => {
    const applied: object[] = [];
    const { said, reload } = daemon((next) => void applied.push(next));
    const next = { ...started, level: 'debug', list: [1] };
    await reload(() => next);
    assert.deepEqual(applied, [next]);
    assert.deepEqual(said, [['info', {}]]);
  });

  it('names what waits for a restart, also at the next reload', async () => {
    const { said, reload } = daemon();
    for (let times = 0; times < 2; times += 1) {
      await reload(() => ({ level: 'info', url: 'b', list: [2] }));
      assert.deepEqual(said.splice(0).at(-1), ['warn', { settings: ['url', 'list'] }]);
    }
  });

  it('keeps the old one when the new one cannot be loaded or applied, and says why', async () => {
    const { said, reload } = daemon(() => {
      throw new Error('policy.yaml:3: bad');
    });
    await reload(() => {
      throw new Error('agent.yaml:1: bad');
    });
    await reload(() => started);
    assert.deepEqual(said, [
      ['error', { problem: 'agent.yaml:1: bad' }],
      ['error', { problem: 'policy.yaml:3: bad' }],
    ]);
  });
});
