import assert from 'node:assert/strict';
import { adviseInterrupt, leftBehind } from '../../cli/interrupt.ts';
import { completedResult, migration, sample, throttleDecision } from './fixture.ts';

describe('interrupt', () => {
  const endpoint = { kind: 'tcp', host: '192.0.2.7', port: 4444 } as const;
  const advise = (changes: Parameters<typeof migration>[0]) =>
    adviseInterrupt(migration(changes), endpoint);

  it('cancels in pre-copy', () => {
    assert.equal(advise({ phase: 'moving' }).action, 'abort');
    assert.equal(advise({ phase: 'probing' }).action, 'abort');
  });

  it('cancels what was not ordered yet', () => {
    assert.equal(adviseInterrupt(undefined, endpoint).action, 'abort');
  });

  it('never cancels post-copy, and says how to resume it', () => {
    for (const phase of ['post-copy', 'recovering-destination', 'recovering-source'] as const) {
      const { action, message } = advise({ phase });
      assert.equal(action, 'leave');
      assert.match(message, /migrate-recover.*tcp:192\.0\.2\.7:4444/);
      assert.match(message, /"resume":true/);
    }
  });

  it('never cancels what has been ordered into post-copy or reports it', () => {
    const decision = { ...throttleDecision, operation: { kind: 'start-postcopy' } } as const;
    assert.equal(advise({ pending: { decision, deadlineMilliseconds: 1 } }).action, 'leave');
    assert.equal(advise({ last: { ...sample, status: 'postcopy-active' } }).action, 'leave');
  });

  it('undoes nothing after completion', () => {
    const { action, message } = advise({ phase: 'restoring-destination', result: completedResult });
    assert.equal(action, 'wait');
    assert.match(message, /nothing to undo/);
  });

  it('keeps the books of what goes on without it', () => {
    const active = leftBehind(migration({ phase: 'post-copy' })).result;
    assert.deepEqual([active?.outcome, active?.postCopy], ['failed', true]);
    assert.match(active?.reason ?? '', /goes on by itself/);
    const unanswered = leftBehind(migration({ phase: 'cancelling' })).result;
    assert.deepEqual([unanswered?.outcome, unanswered?.postCopy], ['failed', false]);
    assert.match(unanswered?.reason ?? '', /look at both sides/);
  });
});
