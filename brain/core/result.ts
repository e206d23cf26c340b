/** How a migration ended, and what became of each prediction. */
import type { DecisionRecord, Migration, MigrationResult } from './migration.ts';
import type { Evidence } from './decision.ts';

/** Closes the books: the result, and each decision's measured effect beside its predicted one. */
export function settled(migration: Migration): Migration {
  const decisions = migration.decisions.map((record) => withEffect(record, migration));
  return { ...migration, phase: 'settled', decisions, result: resultOf(migration) };
}

function resultOf(migration: Migration): MigrationResult {
  const { ending, attempts } = migration;
  const ordered = migration.orderedAtMilliseconds ?? migration.nowMilliseconds;
  const end = ending?.endedAtMilliseconds ?? migration.nowMilliseconds;
  const started = attempts[0]?.startedAtMilliseconds ?? end;
  return {
    outcome: ending?.outcome ?? 'failed',
    ...(ending?.reason && { reason: ending.reason }),
    totalMilliseconds: Math.round(end - started),
    preparationMilliseconds: Math.round(started - ordered),
    downtimeMilliseconds: migration.last?.downtimeMilliseconds ?? 0,
    transferredBytes: attempts.reduce((sum, each) => sum + each.transferredBytes, 0),
    rounds: roundsOf(migration),
    throttleSeconds: Math.round(migration.throttleSeconds * 1000) / 1000,
    maxThrottlePercent: migration.maxThrottlePercent,
    postCopy: migration.decisions.some(
      ({ decision, outcome }) =>
        decision.operation.kind === 'start-postcopy' && outcome === 'applied',
    ),
    restarts: Math.max(0, attempts.length - 1),
    policy: migration.policy,
  };
}

/** Closed rounds of all attempts, and the one in which the migration ended. */
function roundsOf(migration: Migration): number {
  return migration.rounds.length + (migration.openRound ? 1 : 0);
}

function withEffect(record: DecisionRecord, migration: Migration): DecisionRecord {
  if (!record.decision.prediction || record.outcome !== 'applied') return record;
  return { ...record, measured: effectOf(record, migration) };
}

function effectOf({ decision }: DecisionRecord, migration: Migration): Evidence {
  const started = migration.attempts[0]?.startedAtMilliseconds ?? decision.atMilliseconds;
  const begun = Math.max(decision.atMilliseconds, started);
  const end = migration.ending?.endedAtMilliseconds ?? migration.nowMilliseconds;
  const next = migration.rounds.find(
    (round) => round.endedAtMilliseconds > decision.atMilliseconds,
  );
  return {
    outcome: migration.ending?.outcome ?? 'failed',
    totalMilliseconds: Math.round(end - begun),
    downtimeMilliseconds: migration.last?.downtimeMilliseconds ?? 0,
    ...(next && { nextRoundBytes: next.endRemainingBytes }),
    ...(decision.atMilliseconds <= started && wholeEffect(migration)),
  };
}

/** Of a decision made before the start. The guest's loss is what was kept from it, as in a forecast. */
function wholeEffect(migration: Migration): Evidence {
  const { transferredBytes, throttleSeconds, downtimeMilliseconds } = resultOf(migration);
  return {
    transferredBytes,
    guestWorkLostSeconds: Math.round(throttleSeconds * 1000 + downtimeMilliseconds) / 1000,
  };
}
