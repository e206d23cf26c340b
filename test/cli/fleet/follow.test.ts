import assert from 'node:assert/strict';
import type { Migration } from '../../../brain/core/migration.ts';
import type { FleetClient } from '../../../cli/fleet/client.ts';
import { follow } from '../../../cli/fleet/follow.ts';
import type { Reporter } from '../../../cli/reporters/reporter.ts';
import { BusError } from '../../../shared/errors.ts';
import { decisionRecord, migrating, round } from './migrations.ts';

/** A brain that shows one after the other, and a reporter that notes what it is told. */
function watching(looks: readonly (Migration | Error)[]) {
  const told: string[] = [];
  const left = [...looks];
  const fleet: FleetClient = {
    url: 'nats://h:4222',
    ask: <Reply extends object>() => {
      const look = left.length > 1 ? left.shift() : left[0];
      if (look instanceof Error) return Promise.reject(look);
      return Promise.resolve({ migration: look } as unknown as Reply);
    },
  };
  const reporter: Reporter = {
    onInput: (_, { kind }) => told.push(kind),
    onRound: (_, { number }) => told.push(`round ${number}`),
    onDecision: (_, { number }) => told.push(`decision ${number}`),
    onSettled: (_, { outcome }) => told.push(outcome),
    say: (message) => told.push(message),
    close: () => undefined,
  };
  return { told, end: follow({ fleet, id: 'm1', reporter }) };
}

describe('cli/fleet/follow', () => {
  const first = migrating(100, { decisions: [decisionRecord(1)] });
  const second = migrating(900, {
    decisions: [decisionRecord(1), decisionRecord(2)],
    rounds: [round(1, 800)],
  });
  const settled: Migration = {
    ...second,
    phase: 'settled',
    nowMilliseconds: 1500,
    result: {
      ...{ outcome: 'completed', totalMilliseconds: 1, preparationMilliseconds: 0, rounds: 1 },
      ...{ downtimeMilliseconds: 1, transferredBytes: 1, throttleSeconds: 0, restarts: 0 },
      ...{ maxThrottlePercent: 0, postCopy: false, policy: 'adaptive' },
    },
  };

  it('tells each thing once, and ends with the result', async () => {
    const { told, end } = watching([first, second, settled]);
    assert.equal((await end).phase, 'settled');
    assert.deepEqual(told, [
      ...['sample', 'decision 1', 'sample', 'decision 2', 'round 1'],
      ...['tick', 'completed'],
    ]);
  });

  it('tells all of one that is over already', async () => {
    const { told, end } = watching([settled]);
    await end;
    assert.deepEqual(told, ['sample', 'decision 1', 'decision 2', 'round 1', 'completed']);
  });

  it('waits for a brain that is away, and says so once', async () => {
    const away = new BusError('NO_RESPONDERS', 'nobody');
    const { told, end } = watching([first, away, away, settled]);
    await end;
    const said = told.filter((text) => text.includes('brain does not answer'));
    assert.equal(said.length, 1);
    assert.equal(told.at(-1), 'completed');
  });
});
