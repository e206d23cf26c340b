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
    operation: ifOurs(
      ({ nextArming }) =>
        nextArming && { kind: 'start-destination', family: nextArming.arming.family },
    ),
    applied: 'arming-destination',
  },
  'arming-destination': {
    side: 'destination',
    operation: ifOurs(armOperation),
    applied: 'listening',
  },
  listening: {
    side: 'destination',
    operation: ifOurs(
      ({ order }) => order?.endpoint && { kind: 'listen', endpoint: order.endpoint },
    ),
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
    operation: ifOurs(
      ({ order }) => order?.endpoint && { kind: 'recover-destination', endpoint: order.endpoint },
    ),
    applied: 'recovering-source',
    failed: 'post-copy',
  },
  'recovering-source': {
    side: 'source',
    operation: ifOurs(
      ({ order }) => order?.endpoint && { kind: 'resume', endpoint: order.endpoint },
    ),
    applied: 'post-copy',
    failed: 'post-copy',
  },
  'restoring-source': {
    side: 'source',
    operation: (migration) =>
      migration.source && isOursToRestore(migration) ? { kind: 'restore' } : undefined,
    applied: 'restoring-destination',
    failed: 'restoring-destination',
  },
  'restoring-destination': {
    side: 'destination',
    operation: ifOurs(({ destination, ending }) =>
      destination && ending?.outcome === 'completed' ? { kind: 'restore' } : undefined,
    ),
    isDue: hasArrived,
    applied: 'settled',
    failed: 'settled',
  },
};

/** Whether both QEMUs are ferryman's to handle, and not somebody else's or libvirt's. */
function isOurs({ order }: Migration): boolean {
  return order?.verb !== 'follow' && order?.endpoint.kind !== 'libvirt';
}

/** What is done to QEMUs of ours only: libvirt makes its destinations, arms and mends them itself. */
function ifOurs(operation: Step['operation']): Step['operation'] {
  return (migration) => (isOurs(migration) ? operation(migration) : undefined);
}

/** Whoever started a migration also ends what it leaves behind; what stays is put back as it was. */
function isOursToRestore(migration: Migration): boolean {
  const stays = migration.ending?.outcome !== 'completed' && migration.decisions.length > 0;
  return isOurs(migration) || stays;
}

/** A destination calls its side completed a little later than the source does. */
const arrivalMilliseconds = 3000;

function hasArrived(migration: Migration): boolean {
  const since = migration.nowMilliseconds - (migration.ending?.endedAtMilliseconds ?? 0);
  return (
    migration.ending?.outcome !== 'completed' ||
    !isOurs(migration) ||
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
  delete next.begunAtMilliseconds;
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
    begunAtMilliseconds: migration.nowMilliseconds,
    lastProgressAtMilliseconds: migration.nowMilliseconds,
    ...(!isOurs(migration) && { attempts: begunNow(migration) }),
  };
  delete next.last;
  return next;
}

/** libvirt answers when it has brought up the destination: the migration begins only then. */
function begunNow({ attempts, nowMilliseconds }: Migration): Migration['attempts'] {
  const latest = attempts.slice(-1);
  const begun = latest.map((each) => ({ ...each, startedAtMilliseconds: nowMilliseconds }));
  return [...attempts.slice(0, -1), ...begun];
}

/** The migration is over as far as QEMU is concerned; settings are restored, then it settles. */
export function ended(migration: Migration, outcome: Ending['outcome'], reason: string): Migration {
  return {
    ...migration,
    phase: 'restoring-source',
    ending: { outcome, reason, endedAtMilliseconds: migration.nowMilliseconds },
  };
}
