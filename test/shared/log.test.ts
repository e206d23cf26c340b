import assert from 'node:assert/strict';
import { createLog, withFields } from '../../shared/log.ts';

/** The lines that a log at `warn` writes for one `info` and one `error`. */
function linesAt(level?: string) {
  const lines: Record<string, unknown>[] = [];
  const write = (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>);
  const environment = level === undefined ? {} : { FERRYMAN_LOG: level };
  const log = createLog('agent', 'warn', environment, { write });
  log.info({}, 'chatter');
  log.error({ error: new Error('socket'), host: 'h1' }, 'lost');
  return lines;
}

describe('shared/log', () => {
  it('writes one JSON object per line, from the level on', () => {
    const [line, ...others] = linesAt();
    assert.equal(others.length, 0);
    assert.equal(line?.['level'], 'error');
    assert.equal(line['part'], 'agent');
    assert.equal(line['host'], 'h1');
    assert.equal(line['msg'], 'lost');
    assert.match(JSON.stringify(line['error']), /socket/);
    assert.match(String(line['time']), /^\d{4}-\d\d-\d\dT/);
  });

  it('lets FERRYMAN_LOG prevail', () => {
    assert.equal(linesAt('silent').length, 0);
    assert.equal(linesAt('debug').length, 2);
    assert.equal(linesAt('nonsense').length, 1);
  });

  it('can be made to say more while it is in use, unless FERRYMAN_LOG says how much', () => {
    for (const [environment, count] of [
      [{}, 1],
      [{ FERRYMAN_LOG: 'error' }, 0],
    ] as const) {
      const lines: string[] = [];
      const write = (line: string) => void lines.push(line);
      const log = createLog('agent', 'warn', environment, { write });
      log.setLevel('info');
      log.info({}, 'chatter');
      assert.equal(lines.length, count);
    }
  });

  it('gives every line the fields it was told to', () => {
    const lines: Record<string, unknown>[] = [];
    const write = (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>);
    const log = withFields(createLog('agent', 'debug', {}, { write }), { host: 'h1', vm: 'v1' });
    for (const level of ['error', 'warn', 'info', 'debug'] as const)
      log[level]({ vm: 'v2' }, level);
    assert.deepEqual(
      lines.map(({ level, host, vm, msg }) => [level, host, vm, msg]),
      ['error', 'warn', 'info', 'debug'].map((level) => [level, 'h1', 'v2', level]),
    );
  });
});
