/** The books of commands: issued under a number, answered once, their effect on the state remembered. */
import type { CommandResult } from '../../shared/command.ts';
import type { Decision } from './decision.ts';
import type { DecisionRecord, Migration } from './migration.ts';
import { afterStep, ended, steps, type Draft } from './plan.ts';
import { settled } from './result.ts';
import { setPoint, throttlePauseMilliseconds } from './methods/auto-converge.ts';
import { withWorkingSet } from './workload.ts';

/** An answer that has not come by then never will. */
const answerMilliseconds = 40_000;

/** Numbers a draft, dates it, and waits for its answer. */
export function decide(migration: Migration, draft: Draft): Migration {
  const decision: Decision = {
    number: migration.decisions.length + 1,
    atMilliseconds: migration.nowMilliseconds,
    ...draft,
  };
  return {
    ...migration,
    pending: { decision, deadlineMilliseconds: migration.nowMilliseconds + answerMilliseconds },
    decisions: [...migration.decisions, { decision }],
  };
}

/** A command without an answer counts as indeterminate after a while. */
export function expire(migration: Migration): Migration {
  const pending = migration.pending;
  if (!pending || migration.nowMilliseconds < pending.deadlineMilliseconds) return migration;
  const { number } = pending.decision;
  return answer(migration, number, {
    id: `${migration.id}.${String(number)}`,
    outcome: 'indeterminate',
    reason: 'no answer came',
  });
}

/** Notes what became of the command under way, and stays in the phase that sent it. */
export function abandon({ pending, ...migration }: Migration, result: CommandResult): Migration {
  const decisions = migration.decisions.map((record) =>
    record.decision.number === pending?.decision.number ? withOutcome(record, result) : record,
  );
  return { ...migration, decisions };
}

/** Notes what became of a command and moves on from the phase that sent it. */
export function answer(migration: Migration, number: number, result: CommandResult): Migration {
  const decision = migration.pending?.decision;
  if (decision?.number !== number) return migration;
  const free = abandon(migration, result);
  const learned = result.probe ? withWorkingSet({ ...free, probe: result.probe }) : free;
  const step = steps[learned.phase];
  if (step) return finishStep(afterStep({ ...learned }, step, result));
  if (learned.phase === 'cancelling') return afterCancel(learned, result);
  return result.outcome === 'applied' ? withSetting(learned, decision, result) : learned;
}

function finishStep(migration: Migration): Migration {
  return migration.phase === 'settled' ? settled(migration) : migration;
}

function withOutcome(record: DecisionRecord, result: CommandResult): DecisionRecord {
  return {
    ...record,
    outcome: result.outcome,
    ...(result.reason !== undefined && { reason: result.reason }),
  };
}

/** A cancel that was not applied leaves QEMU's own status to say what is the matter. */
function afterCancel(migration: Migration, result: CommandResult): Migration {
  if (result.outcome !== 'applied') return { ...migration, phase: 'moving' };
  const attempt = migration.attempts.at(-1);
  const isRestart = migration.abortReason === undefined && migration.nextArming !== undefined;
  if (!isRestart || !attempt) {
    return ended(migration, 'cancelled', migration.abortReason ?? 'cancelled');
  }
  return {
    ...migration,
    phase: 'preparing-destination',
    triedFamilies: [...migration.triedFamilies, attempt.arming.family],
  };
}

/** Remembers what an applied command has set. */
function withSetting(
  migration: Migration,
  { operation }: Decision,
  { applied }: CommandResult,
): Migration {
  if (operation.kind === 'tune') {
    return { ...migration, tuning: { ...migration.tuning, ...operation.tuning } };
  }
  // From here on it must not be cancelled, even before QEMU's status shows it.
  if (operation.kind === 'start-postcopy') return { ...migration, phase: 'post-copy' };
  if (operation.kind !== 'throttle') return migration;
  const tuning =
    operation.mechanism === 'qemu' ? { autoConverge: setPoint(operation.percent) } : {};
  return {
    ...migration,
    tuning: { ...migration.tuning, ...tuning },
    orderedThrottlePercent: operation.percent,
    orderedThrottleRound: migration.openRound?.number ?? 0,
    throttlePauseMilliseconds: throttlePauseMilliseconds(operation, applied),
  };
}
