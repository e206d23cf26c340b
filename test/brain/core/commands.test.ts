import assert from 'node:assert/strict';
import { answer, decide, expire } from '../../../brain/core/commands.ts';
import type { CommandOutcome, Operation } from '../../../shared/command.ts';
import type { Migration } from '../../../brain/core/migration.ts';
import { movingMigration } from './support.ts';

const reason = { side: 'source', method: 'plan', rule: 'any', evidence: {} } as const;

/** The state after `operation` was sent and answered. */
function after(operation: Operation, outcome: CommandOutcome = 'applied'): Migration {
  const pending = decide(movingMigration(), { ...reason, operation });
  return answer(pending, 1, { id: 'm.1', outcome, reason: 'because' });
}

describe('core/commands', () => {
  it('numbers and dates what is decided, and waits for its answer', () => {
    const { pending, decisions } = decide(movingMigration(), {
      ...reason,
      operation: { kind: 'cancel' },
    });
    assert.equal(pending?.decision.number, 1);
    assert.equal(pending.decision.atMilliseconds, 10_000);
    assert.equal(decisions[0]?.outcome, undefined);
  });

  it('records what became of it, with the reason', () => {
    const { pending, decisions } = after({ kind: 'tune', tuning: {} }, 'refused');
    assert.equal(pending, undefined);
    assert.equal(decisions[0]?.outcome, 'refused');
    assert.equal(decisions[0].reason, 'because');
  });

  it('remembers a setting that was applied, and none that was not', () => {
    const operation = { kind: 'tune', tuning: { downtimeLimitMilliseconds: 77 } } as const;
    assert.equal(after(operation).tuning.downtimeLimitMilliseconds, 77);
    assert.equal(after(operation, 'failed').tuning.downtimeLimitMilliseconds, 300);
  });

  it('remembers a throttle with the round it was ordered in', () => {
    const byCgroup = after({ kind: 'throttle', percent: 60, mechanism: 'cgroup' });
    assert.equal(byCgroup.orderedThrottlePercent, 60);
    assert.equal(byCgroup.orderedThrottleRound, 3);
    assert.equal(byCgroup.tuning.autoConverge, undefined);
    const byQemu = after({ kind: 'throttle', percent: 60, mechanism: 'qemu' });
    assert.equal(byQemu.tuning.autoConverge?.maxPercent, 60);
    assert.equal(byQemu.throttlePauseMilliseconds, 15);
  });

  it('takes no notice of an answer to something else, or of a second one', () => {
    const pending = decide(movingMigration(), { ...reason, operation: { kind: 'cancel' } });
    assert.equal(answer(pending, 7, { id: 'm.7', outcome: 'applied' }), pending);
    const answered = after({ kind: 'tune', tuning: {} });
    assert.equal(answer(answered, 1, { id: 'm.1', outcome: 'failed' }), answered);
  });

  it('counts a command without an answer as indeterminate, after a while', () => {
    const operation = { kind: 'tune', tuning: {} } as const;
    const pending = decide(movingMigration(), { ...reason, operation });
    assert.equal(expire(pending), pending);
    const late = expire({ ...pending, nowMilliseconds: 100_000 });
    assert.equal(late.pending, undefined);
    assert.equal(late.decisions[0]?.outcome, 'indeterminate');
  });
});
