/**
 * The way of a migration through its phases, across both sides. Every phase that sends something
 * sends one typed command to one side; the next phase begins only on its result.
 */
import type { CommandResult, Operation } from '../../shared/command.ts';
import type { Decision, Side } from './decision.ts';
import type { ArmingPlan, Ending, Migration, Phase } from './migration.ts';

/** A decision before it has a number and a time. */
export type Draft = Omit<Decision, 'number' | 'atMilliseconds'>;

/** What a phase sends, where it leads when that was applied, and where when it was not. */
export interface Step {
  readonly side: Side;
  readonly operation: (migration: Migration) => Operation | undefined;
  /** Until it holds the phase waits; always, unless given. */
  readonly isDue?: (migration: Migration) => boolean;
  readonly applied: Phase;
  /** `restoring-source` unless said otherwise: the attempt ends and everything is put back. */
  readonly failed?: Phase;
}

/** Within this the workload is probed before the start (design: at most 2 s). */
const probeBudgetMilliseconds = 1500;

export const steps: Readonly<Partial<Record<Phase, Step>>> = {
  probing: {
    side: 'source',
    operation: () => ({ kind: 'probe', budgetMilliseconds: probeBudgetMilliseconds }),
    applied: 'arming-destination',
    failed: 'arming-destination',
  },
  'preparing-destination': {
    side: 'destination',
    operation: (migration) =>
      migration.nextArming && {
        kind: 'start-destination',
        family: migration.nextArming.arming.family,
      },
    applied: 'arming-destination',
  },
  'arming-destination': {
    side: 'destination',
    operation: armOperation,
    applied: 'listening',
  },
  listening: {
    side: 'destination',
    operation: ({ order }) => order?.endpoint && { kind: 'listen', endpoint: order.endpoint },
    applied: 'arming-source',
  },
  'arming-source': { side: 'source', operation: armOperation, applied: 'starting' },
  starting: {
    side: 'source',
    operation: ({ order }) => order?.endpoint && { kind: 'migrate', endpoint: order.endpoint },
    applied: 'moving',
  },
  'recovering-destination': {
    side: 'destination',
    operation: ({ order }) =>
      order?.endpoint && { kind: 'recover-destination', endpoint: order.endpoint },
    applied: 'recovering-source',
    failed: 'post-copy',
  },
  'recovering-source': {
    side: 'source',
    operation: ({ order }) => order?.endpoint && { kind: 'resume', endpoint: order.endpoint },
    applied: 'post-copy',
    failed: 'post-copy',
  },
  'restoring-source': {
    side: 'source',
    operation: (migration) =>
      migration.source && isOurs(migration) ? { kind: 'restore' } : undefined,
    applied: 'restoring-destination',
    failed: 'restoring-destination',
  },
  'restoring-destination': {
    side: 'destination',
    operation: (migration) =>
      migration.destination && migration.ending?.outcome === 'completed'
        ? { kind: 'restore' }
        : undefined,
    isDue: hasArrived,
    applied: 'settled',
    failed: 'settled',
  },
};

/** Whoever started a migration also ends what it leaves behind; what stays is put back as it was. */
function isOurs({ order, decisions, ending }: Migration): boolean {
  const stays = ending?.outcome !== 'completed' && decisions.length > 0;
  return order?.verb !== 'follow' || stays;
}

/** A destination calls its side completed a little later than the source does. */
const arrivalMilliseconds = 3000;

function hasArrived(migration: Migration): boolean {
  const since = migration.nowMilliseconds - (migration.ending?.endedAtMilliseconds ?? 0);
  return (
    migration.ending?.outcome !== 'completed' ||
    migration.order?.verb === 'follow' ||
    migration.destinationStatus === 'completed' ||
    since > arrivalMilliseconds
  );
}

function armOperation({ nextArming }: Migration): Operation | undefined {
  return nextArming && { kind: 'arm', arming: nextArming.arming, tuning: nextArming.tuning };
}

/** The decision that a phase begins with; undefined when it has nothing to send. */
export function stepDraft(migration: Migration, step: Step): Draft | undefined {
  const operation = step.operation(migration);
  if (!operation) return undefined;
  const plan = operation.kind === 'arm' ? migration.nextArming : undefined;
  return {
    side: step.side,
    operation,
    method: plan?.method ?? 'plan',
    rule: plan?.rule ?? operation.kind,
    evidence: plan?.evidence ?? {},
    ...(plan?.prediction && { prediction: plan.prediction }),
  };
}

/** Moves on after the answer to a phase's command. */
export function afterStep(migration: Migration, step: Step, result: CommandResult): Migration {
  const next = { ...migration, phase: step.applied };
  // Whether `migrate` was applied is told by QEMU's own status: assuming no would lose sight of a moving VM.
  if (result.outcome === 'indeterminate' && step.applied === 'moving') return begun(next);
  if (result.outcome !== 'applied') return afterFailure(migration, step, result);
  if (result.probe || result.facts) return withFindings(next, result);
  return step.applied === 'moving' ? begun(next) : next;
}

function afterFailure(migration: Migration, step: Step, result: CommandResult): Migration {
  if (step.failed) return { ...migration, phase: step.failed };
  const operation = step.operation(migration)?.kind ?? migration.phase;
  const reason = `${operation} on the ${step.side} was not applied: ${result.reason ?? result.outcome}`;
  return ended(migration, 'failed', reason);
}

function withFindings(migration: Migration, { facts }: CommandResult): Migration {
  return facts ? { ...migration, destination: facts } : migration;
}

/** Opens the attempt at `migrate`: counters of an attempt begin anew. */
export function opened(migration: Migration, plan: ArmingPlan): Migration {
  const next: { -readonly [Key in keyof Migration]: Migration[Key] } = {
    ...migration,
    tuning: plan.tuning,
    orderedThrottlePercent: 0,
    orderedThrottleRound: 0,
    attempts: [
      ...migration.attempts,
      {
        number: migration.attempts.length + 1,
        arming: plan.arming,
        startedAtMilliseconds: migration.nowMilliseconds,
        transferredBytes: 0,
      },
    ],
  };
  delete next.openRound;
  delete next.last;
  delete next.lastProgressAtMilliseconds;
  delete next.rateMark;
  delete next.peakBytesPerSecond;
  delete next.firstPassBytesPerSecond;
  delete next.laterRoundsBytesPerSecond;
  return next;
}

/** From here on a status is QEMU's word on this attempt, so the word on the one before is dropped. */
function begun(migration: Migration): Migration {
  const next: { -readonly [Key in keyof Migration]: Migration[Key] } = {
    ...migration,
    lastProgressAtMilliseconds: migration.nowMilliseconds,
  };
  delete next.last;
  return next;
}

/** The migration is over as far as QEMU is concerned; settings are restored, then it settles. */
export function ended(migration: Migration, outcome: Ending['outcome'], reason: string): Migration {
  return {
    ...migration,
    phase: 'restoring-source',
    ending: { outcome, reason, endedAtMilliseconds: migration.nowMilliseconds },
  };
}
