/** Migrations as a brain shows them, small. */
import { startMigration } from '../../../brain/core/reduce.ts';
import type { DecisionRecord, Migration, Round } from '../../../brain/core/migration.ts';

/** Under way, with a sample as old as itself. */
export function migrating(atMilliseconds: number, change: Partial<Migration> = {}): Migration {
  return {
    ...startMigration({ id: 'm1', policy: 'adaptive', atMilliseconds }),
    phase: 'moving',
    last: { status: 'active', throttlePercent: 0 },
    lastSampleAtMilliseconds: atMilliseconds,
    ...change,
  };
}

export function decisionRecord(number: number): DecisionRecord {
  return {
    decision: {
      ...{ number, atMilliseconds: number, side: 'source', method: 'plan', rule: 'probe' },
      operation: { kind: 'probe', budgetMilliseconds: 1 },
      evidence: {},
    },
  };
}

export function round(number: number, endedAtMilliseconds: number): Round {
  return {
    ...{ number, attempt: 1, startedAtMilliseconds: 0, endedAtMilliseconds },
    ...{ startRemainingBytes: 9, endRemainingBytes: 5, unsentBytes: 0, transferredBytes: 9 },
    ...{ guestRunMilliseconds: 1, throttlePercent: 0 },
  };
}
