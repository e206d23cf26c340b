/** While QEMU moves the VM: what its status means, and what stops a migration whatever the policy. */
import { isFollowed, maySend } from './following.ts';
import { isPostCopyArmed } from './methods/post-copy.ts';
import type { Migration } from './migration.ts';
import { ended, type Draft } from './plan.ts';
import { settled } from './result.ts';

/** A migration whose bytes stand still this long is stuck, even if QEMU calls it active. */
const stallMilliseconds = 15_000;
/** A monitor that says nothing for this long leaves the VM's state unknown. */
const silenceMilliseconds = 15_000;
/** 7.2 may report a downtime of 0 right at completion: it is read again for this long. */
const downtimeSettleMilliseconds = 700;
/** libvirt says how long the guest stood still when it has ended the source. */
const libvirtSettleMilliseconds = 4500;
/** A network that is away for some seconds must not use up all tries. */
const recoveryMilliseconds = 3000;
const mostRecoveries = 10;

/** Takes QEMU's word for where the migration stands. */
export function followStatus(migration: Migration): Migration {
  switch (migration.last?.status) {
    case 'completed':
      return {
        ...migration,
        phase: 'switching',
        ending: {
          outcome: 'completed',
          reason: '',
          endedAtMilliseconds: migration.lastSampleAtMilliseconds ?? migration.nowMilliseconds,
        },
      };
    case 'failed':
      return ended(migration, 'failed', migration.last.errorDescription ?? 'QEMU gives no reason');
    case 'cancelled':
      return ended(migration, 'cancelled', 'cancelled by somebody else');
    case 'postcopy-active':
      return migration.phase === 'post-copy' ? migration : { ...migration, phase: 'post-copy' };
    case 'postcopy-paused':
      return recover(migration);
    default:
      return migration;
  }
}

/** A broken post-copy is recovered, never cancelled; after some tries it needs a human. */
function recover(migration: Migration): Migration {
  if (isFollowed(migration)) return { ...migration, phase: 'post-copy' };
  const last = migration.recoveredAtMilliseconds ?? -Infinity;
  if (migration.nowMilliseconds - last < recoveryMilliseconds) return migration;
  if (migration.recoveries >= mostRecoveries) {
    const reason =
      'post-copy is paused and could not be recovered: repair the network, then resume it';
    return needsHuman(migration, reason);
  }
  return {
    ...migration,
    phase: 'recovering-destination',
    recoveries: migration.recoveries + 1,
    recoveredAtMilliseconds: migration.nowMilliseconds,
  };
}

/** Post-copy goes on without us: nothing may be sent to a VM that is between two hosts. */
export function needsHuman(migration: Migration, reason: string): Migration {
  const ended = {
    outcome: 'failed',
    reason,
    endedAtMilliseconds: migration.nowMilliseconds,
  } as const;
  return { ...settled({ ...migration, ending: ended }), phase: 'needs-human' };
}

/** Settled once the real downtime could be read, or libvirt has let the guest go on at the source. */
export function afterSwitchover(migration: Migration): Migration {
  if (migration.last?.status === 'failed') return followStatus(migration);
  const since = migration.nowMilliseconds - (migration.ending?.endedAtMilliseconds ?? 0);
  const isKnown = (migration.last?.downtimeMilliseconds ?? 0) > 0;
  const isLibvirts = migration.source?.owner === 'libvirt';
  const patience = isLibvirts ? libvirtSettleMilliseconds : downtimeSettleMilliseconds;
  return isKnown || since > patience ? { ...migration, phase: 'restoring-source' } : migration;
}

/** The source does not answer any more: nothing can be said, nothing more is sent but the restoring. */
export function isSourceSilent(migration: Migration): boolean {
  const last = Math.max(
    migration.lastSampleAtMilliseconds ?? 0,
    migration.attempts.at(-1)?.startedAtMilliseconds ?? 0,
    migration.listeningSinceMilliseconds ?? 0,
  );
  return migration.nowMilliseconds - last > silenceMilliseconds;
}

/** Why the migration has to stop now, in words for the operator; undefined when it may go on. */
export function reasonToStop(migration: Migration): string | undefined {
  if (!maySend(migration)) return undefined;
  if (migration.abortReason !== undefined) return migration.abortReason;
  if (isFollowed(migration)) return undefined;
  const deadline = migration.order?.objective.deadlineMilliseconds ?? Infinity;
  const started = migration.attempts[0]?.startedAtMilliseconds ?? migration.nowMilliseconds;
  if (migration.nowMilliseconds - started > deadline) {
    return `the deadline of ${String(Math.round(deadline / 1000))} s has passed`;
  }
  const progress = Math.max(
    migration.lastProgressAtMilliseconds ?? migration.nowMilliseconds,
    migration.listeningSinceMilliseconds ?? 0,
  );
  if (migration.nowMilliseconds - progress > stallMilliseconds) {
    return `no byte has moved for ${String(stallMilliseconds / 1000)} s: the destination or the network hangs`;
  }
  return undefined;
}

/** The deadline forces post-copy where it is armed; everything else is a cancel. */
export function stopDraft(migration: Migration, reason: string): Draft {
  const isForced = migration.abortReason === undefined && reason.startsWith('the deadline');
  if (isForced && isPostCopyArmed(migration) && !isPostCopyTurnedDown(migration)) {
    return {
      side: 'source',
      operation: { kind: 'start-postcopy' },
      method: 'post-copy',
      rule: 'deadline-forces-post-copy',
      evidence: { reason },
    };
  }
  return {
    side: 'source',
    operation: { kind: 'cancel' },
    method: 'plan',
    rule: 'stop',
    evidence: { reason },
  };
}

function isPostCopyTurnedDown({ decisions }: Migration): boolean {
  return decisions.some(
    ({ decision, outcome }) =>
      decision.operation.kind === 'start-postcopy' &&
      (outcome === 'refused' || outcome === 'failed'),
  );
}
