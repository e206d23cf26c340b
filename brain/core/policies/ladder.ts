/**
 * The talk's performance accessor, to the letter: auto-converge, then memory compression, then
 * XBZRLE, each tuned as far as QEMU allows, then post-copy. The tendency detector says when to go
 * on. Since QEMU freezes capabilities at the start, a further rung is a restart; a rung that cannot
 * be reached (no way to start a destination, not legal on both sides) is recorded and passed over.
 */
import type { AutoConvergeSettings } from '../../../shared/command.ts';
import type { Family } from '../../../shared/sample.ts';
import { inertThrottlePercent, throttleCapPercent } from '../budget.ts';
import type { Evidence, MethodName } from '../decision.ts';
import { legalFamilies } from '../families.ts';
import { bandwidth } from '../methods/bandwidth.ts';
import { compression, compressionFamilies } from '../methods/compression.ts';
import { downtime } from '../methods/downtime.ts';
import { compose, type Method } from '../methods/method.ts';
import { isPostCopyArmed, postCopy } from '../methods/post-copy.ts';
import { canRestart } from '../methods/restart.ts';
import { xbzrle } from '../methods/xbzrle.ts';
import type { ArmingPlan, Migration } from '../migration.ts';
import { roundsOfAttempt } from '../rounds.ts';
import type { Move, Policy } from './policy.ts';

interface Rung {
  readonly method: MethodName;
  /** Families that are this rung, best first. */
  readonly families: readonly Family[];
}

const rungs: readonly Rung[] = [
  { method: 'auto-converge', families: ['plain'] },
  { method: 'compression', families: ['compress', 'multifd-zstd', 'multifd-zlib'] },
  { method: 'xbzrle', families: ['xbzrle'] },
];

/** A round that shrank the backlog by less than a tenth is a diverging tendency. */
const shrinkingContraction = 0.9;
/** Rounds in which a setting may show its effect before the next step. */
const roundsPerStep = 2;
/** A throttle that QEMU's trigger does not bring about is not waited for longer than this. */
const mostRoundsPerStep = 6;
const throttleStepPercent = 10;

/** Auto-converge armed to begin at `level` and to stay there until the next step. */
function held(level: number): AutoConvergeSettings {
  return {
    initialPercent: level,
    incrementPercent: throttleStepPercent,
    maxPercent: level,
    triggerThresholdPercent: 1,
  };
}

function cap(migration: Migration): number {
  return migration.order ? throttleCapPercent(migration.order.objective) : 1;
}

const steppedAutoConverge = (level: (migration: Migration) => number): Method => ({
  name: 'auto-converge',
  arm: (migration) => ({
    arming: { autoConverge: true },
    tuning: { autoConverge: held(Math.max(1, level(migration))) },
  }),
});

const common: readonly Method[] = [bandwidth, downtime, compression, xbzrle, postCopy];
/** The first rung begins inert; later rungs keep what the throttle had reached. */
const firstRung = [...common, steppedAutoConverge(() => 1)];
const laterRungs = [...common, steppedAutoConverge(cap)];

export const ladder: Policy = {
  name: 'ladder',
  probes: true,
  plan: (migration) => ({
    ...compose(firstRung, migration, 'plain'),
    method: 'auto-converge',
    rule: 'first-rung',
    evidence: {},
  }),
  decide: (migration) => {
    if (!isStuck(migration)) return undefined;
    return tuneThrottle(migration) ?? climb(migration);
  },
};

/**
 * The tendency is diverging, and the last step has had its rounds to show an effect: rounds in which
 * QEMU's throttle stood where it was ordered to, since it moves only at every second sync.
 */
function isStuck(migration: Migration): boolean {
  const rounds = roundsOfAttempt(migration);
  const round = rounds.at(-1);
  if (!round || round.number < 2) return false;
  const since = rounds.slice(Number(migration.policyMemory['steppedAtRound'] ?? 0));
  const level = migration.tuning.autoConverge?.maxPercent ?? 0;
  const effective = since.filter((each) => each.throttlePercent >= level);
  const isDue =
    level <= inertThrottlePercent
      ? since.length >= roundsPerStep
      : effective.length > roundsPerStep || since.length >= mostRoundsPerStep;
  return isDue && round.endRemainingBytes > shrinkingContraction * round.startRemainingBytes;
}

function memoryNow(migration: Migration) {
  return { steppedAtRound: roundsOfAttempt(migration).length };
}

function evidenceOf(migration: Migration): Evidence {
  const round = roundsOfAttempt(migration).at(-1);
  return {
    round: round?.number ?? 0,
    foundBytes: round?.startRemainingBytes ?? 0,
    leftBytes: round?.endRemainingBytes ?? 0,
    dirtyPagesPerSecond: migration.last?.ram?.dirtyPagesPerSecond ?? 0,
  };
}

/** Raises the throttle by one step, on the rung where it is the method. */
function tuneThrottle(migration: Migration): Move | undefined {
  const isFirstRung = migration.attempts.at(-1)?.arming.family === 'plain';
  const level = migration.tuning.autoConverge?.maxPercent ?? 1;
  const limit = cap(migration);
  if (!isFirstRung || level >= limit) return undefined;
  const next = Math.min(limit, level === 1 ? 2 * throttleStepPercent : level + throttleStepPercent);
  return {
    kind: 'command',
    operation: { kind: 'tune', tuning: { autoConverge: held(next) } },
    method: 'auto-converge',
    rule: level === 1 ? 'diverging-enable-auto-converge' : 'diverging-tune-auto-converge',
    evidence: { ...evidenceOf(migration), throttlePercent: next },
    memory: memoryNow(migration),
  };
}

/** To the next rung that can be reached; each one passed over is recorded first. */
function climb(migration: Migration): Move {
  const tried = Number(migration.policyMemory['rung'] ?? 0);
  const rung = rungs[tried + 1];
  if (!rung) return lastRung(migration);
  const legal = legalFamilies(migration);
  const family = rung.families.find((each) => legal.includes(each));
  const memory = { rung: tried + 1, ...memoryNow(migration) };
  const evidence = evidenceOf(migration);
  if (!family || !canRestart(migration)) {
    const why = family ? 'no destination command' : 'not legal on both sides';
    return {
      kind: 'note',
      method: rung.method,
      rule: 'rung-out-of-reach',
      evidence: { ...evidence, why },
      memory: { rung: tried + 1 },
    };
  }
  const rule = compressionFamilies.includes(family)
    ? 'diverging-try-compression'
    : 'diverging-try-xbzrle';
  return {
    kind: 'restart',
    plan: planOf(migration, family, rung.method, rule, evidence),
    method: rung.method,
    rule,
    evidence: { ...evidence, family },
    memory: { ...memory, steppedAtRound: 0 },
  };
}

function planOf(
  migration: Migration,
  family: Family,
  method: MethodName,
  rule: string,
  evidence: Evidence,
): ArmingPlan {
  return { ...compose(laterRungs, migration, family), method, rule, evidence };
}

function lastRung(migration: Migration): Move {
  const evidence = { ...evidenceOf(migration), triedRungs: rungs.length };
  if (isPostCopyArmed(migration)) {
    return {
      kind: 'command',
      operation: { kind: 'start-postcopy' },
      method: 'post-copy',
      rule: 'all-methods-tried',
      evidence,
    };
  }
  return { kind: 'give-up', method: 'post-copy', rule: 'all-methods-tried', evidence };
}
