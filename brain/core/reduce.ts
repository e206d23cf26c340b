/**
 * The core's one entry: an input in, the migration's new state and the decisions out. Pure; time is
 * in the inputs. At most one command is under way at a time, so that every decision rests on what
 * the one before really did.
 */
import { answer, decide, expire } from './commands.ts';
import type { Decision, Evidence, Note } from './decision.ts';
import { isAdvised, isFollowed, joined, maySend } from './following.ts';
import type { Input } from './input.ts';
import { throttleInForce } from './methods/auto-converge.ts';
import { unknownLink } from './link.ts';
import type { Migration, Phase } from './migration.ts';
import {
  afterSwitchover,
  followStatus,
  isSourceSilent,
  needsHuman,
  reasonToStop,
  stopDraft,
} from './moving.ts';
import { observe } from './observe.ts';
import { ended, opened, stepDraft, steps, type Step } from './plan.ts';
import { policyNamed } from './policies/index.ts';
import type { Move } from './policies/policy.ts';
import { isInDoubt, withoutAnswer } from './rejoin.ts';
import { settled } from './result.ts';

/** A migration nobody has ordered yet. Throws RangeError when there is no such policy. */
export function startMigration(options: {
  readonly id: string;
  readonly policy: string;
  readonly atMilliseconds: number;
}): Migration {
  return {
    id: options.id,
    policy: policyNamed(options.policy).name,
    phase: 'observed',
    nowMilliseconds: options.atMilliseconds,
    link: unknownLink,
    tuning: {},
    rounds: [],
    attempts: [],
    triedFamilies: [],
    orderedThrottlePercent: 0,
    orderedThrottleRound: 0,
    throttleSeconds: 0,
    maxThrottlePercent: 0,
    decisions: [],
    notes: [],
    recoveries: 0,
    policyMemory: {},
  };
}

/**
 * The whole brain of one migration: what is known after `input`, and the decisions to carry out now.
 * Pure: the same inputs give the same decisions, byte for byte.
 */
export function reduce(
  migration: Migration,
  input: Input,
): { readonly migration: Migration; readonly decisions: readonly Decision[] } {
  const seen = observe(migration, input);
  const answered =
    input.kind === 'result'
      ? answer(seen, input.decision, input.result)
      : withoutAnswer(seen, input);
  const next = advance(expire(answered), input);
  const decisions = next.decisions.slice(seen.decisions.length).map((each) => each.decision);
  return { migration: next, decisions };
}

/** Walks on until a command is under way or there is nothing to do before the next input. */
function advance(migration: Migration, input: Input): Migration {
  if (migration.pending) return migration;
  const step = steps[migration.phase];
  if (step) return send(migration, step, input);
  switch (migration.phase) {
    case 'observed':
      return begin(migration, input);
    case 'moving':
      return move(migration, input);
    case 'post-copy':
      // A status from before a recovery would ask for the next one at once.
      return isNews(input) ? followed(migration, input) : watched(migration);
    case 'switching':
      return followed(afterSwitchover(migration), input, migration.phase);
    default:
      return migration;
  }
}

function followed(migration: Migration, input: Input, before: Phase = migration.phase): Migration {
  const next = before === 'post-copy' ? followStatus(migration) : migration;
  return next.phase === before ? next : advance(next, input);
}

/** During post-copy: without the source's word nobody here can say how it ends. */
function watched(migration: Migration): Migration {
  if (migration.source && !isSourceSilent(migration)) return migration;
  const reason =
    'the source does not answer during post-copy: look at the destination whether the VM runs there';
  return needsHuman(migration, reason);
}

function begin(migration: Migration, input: Input): Migration {
  if (migration.abortReason !== undefined) {
    return advance(ended(migration, 'cancelled', migration.abortReason), input);
  }
  if (!migration.order || !migration.source) return migration;
  if (isFollowed(migration)) return migration.last?.ram ? joined(migration) : migration;
  if (!migration.destination) return migration;
  const isWanted = policyNamed(migration.policy).probes && migration.source.canProbe;
  const probes = isWanted && migration.probe === undefined;
  return advance({ ...migration, phase: probes ? 'probing' : 'arming-destination' }, input);
}

/** Phases that need a plan or an attempt get it here. */
function prepared(migration: Migration): Migration {
  if (migration.phase === 'arming-destination' && !migration.nextArming) {
    return { ...migration, nextArming: policyNamed(migration.policy).plan(migration) };
  }
  if (migration.phase === 'starting' && migration.nextArming) {
    return opened(migration, migration.nextArming);
  }
  return migration;
}

/** Sends what the phase begins with; a phase that has nothing to send is passed through. */
function send(migration: Migration, step: Step, input: Input): Migration {
  const isPreparing = migration.ending === undefined && migration.attempts.length === 0;
  if (isPreparing && migration.abortReason !== undefined) {
    return advance(ended(migration, 'cancelled', migration.abortReason), input);
  }
  if (isPreparing && !(migration.source && migration.destination)) {
    const gone = migration.source ? 'destination' : 'source';
    return advance(ended(migration, 'failed', `the ${gone} QEMU is gone`), input);
  }
  if (step.isDue?.(migration) === false) return migration;
  const ready = prepared(migration);
  const draft = stepDraft(ready, step);
  if (draft) return decide(ready, draft);
  if (step.applied === 'settled') return settled(ready);
  return advance({ ...ready, phase: step.applied }, input);
}

function move(migration: Migration, input: Input): Migration {
  const now = followStatus(migration);
  if (now.phase !== 'moving') return advance(now, input);
  if (!now.source) return advance(ended(now, 'failed', sourceLost), input);
  if (isSourceSilent(now)) {
    const reason = 'the source monitor does not answer; whether the VM still runs is unknown';
    return advance(ended(now, 'failed', reason), input);
  }
  const reason = reasonToStop(now);
  if (reason !== undefined) return isStopTurnedDown(now, input) ? now : stop(now, reason);
  if (isInDoubt(input)) {
    return letGo(now, 'nobody-listened', { silentMilliseconds: input.silentMilliseconds });
  }
  if (now.heldBecause !== undefined) {
    const evidence = { reason: now.heldBecause };
    return isNews(input) ? letGo(now, 'held-by-operator', evidence) : now;
  }
  const wanted = isNews(input) && isActive(now) ? policyNamed(now.policy).decide(now) : undefined;
  return wanted ? make(now, wanted) : now;
}

/** What stops a migration is tried again when there is news, not in the same breath. */
function isStopTurnedDown(migration: Migration, input: Input): boolean {
  const last = migration.decisions.at(-1)?.decision.operation.kind;
  return input.kind === 'result' && (last === 'cancel' || last === 'start-postcopy');
}

function isNews(input: Input): boolean {
  return input.kind === 'sample' && input.side === 'source';
}

function isActive(migration: Migration): boolean {
  return migration.last?.status === 'active' && migration.last.ram !== undefined;
}

function stop(migration: Migration, reason: string): Migration {
  const draft = stopDraft(migration, reason);
  const isCancel = draft.operation.kind === 'cancel';
  return decide(
    isCancel ? { ...migration, phase: 'cancelling', abortReason: reason } : migration,
    draft,
  );
}

/** A guest that is held, or was left alone, is not held back: the throttle of ours goes. */
function letGo(migration: Migration, rule: string, evidence: Evidence): Migration {
  const mechanism = throttleInForce(migration);
  if (mechanism === undefined) return migration;
  return decide(migration, {
    side: 'source',
    operation: { kind: 'throttle', percent: 0, mechanism },
    method: 'auto-converge',
    rule,
    evidence,
  });
}

/** Nothing is sent for a migration that is only watched, and none of somebody else's is ended. */
function isWithinReach(migration: Migration, { kind }: Move): boolean {
  return (
    maySend(migration) && !(isFollowed(migration) && (kind === 'restart' || kind === 'give-up'))
  );
}

/** What would be done is said once, not at every sample at which it still would. */
function advised(migration: Migration, { method, rule, evidence }: Move): Migration {
  const isSaid = migration.notes.at(-1)?.rule === rule;
  if (!isAdvised(migration) || isSaid) return migration;
  return noted(migration, { atMilliseconds: migration.nowMilliseconds, method, rule, evidence });
}

/** Carries out what the policy wants. */
function make(migration: Migration, wanted: Move): Migration {
  const { method, rule, evidence, prediction } = wanted;
  if (!isWithinReach(migration, wanted)) return advised(migration, wanted);
  const now = { ...migration, policyMemory: { ...migration.policyMemory, ...wanted.memory } };
  const reasoned = { method, rule, evidence, ...(prediction && { prediction }) };
  const cancel = { side: 'source', operation: { kind: 'cancel' }, ...reasoned } as const;
  switch (wanted.kind) {
    case 'command':
      return decide(now, { side: 'source', operation: wanted.operation, ...reasoned });
    case 'restart':
      return decide({ ...now, phase: 'cancelling', nextArming: wanted.plan }, cancel);
    case 'give-up':
      return decide({ ...now, phase: 'cancelling', abortReason: leftRunning }, cancel);
    case 'note':
      return noted(now, { atMilliseconds: now.nowMilliseconds, method, rule, evidence });
  }
}

const sourceLost = 'the source QEMU is gone, or hangs: its monitor is lost';
const leftRunning = 'every allowed method was tried; the VM was left running on the source';

function noted(migration: Migration, note: Note): Migration {
  return { ...migration, notes: [...migration.notes, note] };
}
