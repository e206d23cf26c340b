/**
 * QEMU's throttle as a two-way set-point. Armed inert (initial = max = 1 %); with increment 99 QEMU's
 * min(now + increment, max) jumps to `max` at the sync that fires, up or down.
 *
 * QEMU fires at every second qualifying sync (more than a second after the one before, and more
 * bytes dirtied than `throttle-trigger-threshold` percent of those sent). The first of the two can
 * be had in advance: threshold 1 until one sync has counted, then 100 holds the trigger half-cocked,
 * and the sync after a set-point was written fires at once.
 */
import type { AutoConvergeSettings, CommandResult, Operation } from '../../../shared/command.ts';
import type { ThrottleMechanism } from '../../../shared/sample.ts';
import { throttleCapPercent, throttleFacts } from '../budget.ts';
import type { Migration } from '../migration.ts';
import type { Method } from './method.ts';

/** 1 % at most, and the first qualifying sync counts. */
export const inert: AutoConvergeSettings = {
  initialPercent: 1,
  incrementPercent: 99,
  maxPercent: 1,
  triggerThresholdPercent: 1,
};

/** A level to jump to, up or down, at the sync that fires; 0 is the inert 1 %. */
export function setPoint(percent: number): AutoConvergeSettings {
  const level = Math.max(1, percent);
  return { ...inert, initialPercent: level, maxPercent: level };
}

/** Inert, and no ordinary sync counts any more. */
export const halfCocked: AutoConvergeSettings = { ...inert, triggerThresholdPercent: 100 };

/** Arms the set-point when QEMU's throttle is the mechanism; a cgroup quota needs no arming. */
export const autoConverge: Method = {
  name: 'auto-converge',
  arm: (migration) => {
    const order = migration.order;
    const allowed = order !== undefined && throttleCapPercent(order.objective) > 1;
    return allowed && throttleFacts(migration)?.mechanism === 'qemu'
      ? { arming: { autoConverge: true }, tuning: { autoConverge: inert } }
      : undefined;
  },
};

/** QEMU's own auto-converge with its own defaults, under the objective's cap. */
export const nativeAutoConverge: Method = {
  name: 'auto-converge',
  arm: (migration) => {
    // QEMU takes 1 to 99.
    const cap = Math.min(99, migration.order ? throttleCapPercent(migration.order.objective) : 0);
    if (cap < 1) return undefined;
    return {
      arming: { autoConverge: true },
      tuning: {
        autoConverge: {
          initialPercent: Math.min(20, cap),
          incrementPercent: 10,
          maxPercent: cap,
          triggerThresholdPercent: 50,
        },
      },
    };
  },
};

/** The mechanism that may hold the guest back now, by an order of ours or as it was armed. */
export function throttleInForce(migration: Migration): ThrottleMechanism | undefined {
  const last = migration.decisions.findLast(
    ({ decision, outcome }) => decision.operation.kind === 'throttle' && outcome === 'applied',
  )?.decision.operation;
  if (migration.orderedThrottlePercent > 0 && last?.kind === 'throttle') return last.mechanism;
  return (migration.tuning.autoConverge?.maxPercent ?? 0) > inert.maxPercent ? 'qemu' : undefined;
}

/**
 * How long a throttle may hold the guest at a stretch. QEMU lets a vCPU run for slices of 10 ms
 * (softmmu/cpu-throttle.c). Under a quota it runs to the end of the kernel's tick, and pays with up to
 * two periods [measured: pauses of 88 and 176 ms, 113 and 226 ms, by the period].
 */
export function throttlePauseMilliseconds(
  { percent, mechanism }: Extract<Operation, { kind: 'throttle' }>,
  applied: CommandResult['applied'],
): number {
  return pauseOf(mechanism, percent, Number(applied?.['cgroup-period-microseconds'] ?? 0));
}

/** The same of a level that may be ordered, by how much of its vCPUs the guest uses. */
export function foreseenPauseMilliseconds(migration: Migration, percent: number): number {
  const mechanism = throttleFacts(migration)?.mechanism;
  if (mechanism === undefined || percent <= inert.maxPercent) return 0;
  const quotaShare = Math.max(1e-9, (1 - percent / 100) * useOf(migration));
  const [shortest, longest] = periodsMicroseconds;
  const period = Math.min(longest, Math.max(shortest, smallestQuotaMicroseconds / quotaShare));
  return pauseOf(mechanism, percent, period);
}

/** How much of its vCPUs the guest uses, or would while nothing held it back; 1 is all of them. */
function useOf({ activity, last }: Migration): number {
  const busyShare = activity?.vcpuBusyShare ?? 1;
  const ranShare = Math.max(0.01, 1 - (last?.throttlePercent ?? 0) / 100);
  return Math.min(1, Math.max(smallestUse, busyShare / ranShare));
}

function pauseOf(mechanism: ThrottleMechanism, percent: number, periodMicroseconds: number) {
  return mechanism === 'qemu'
    ? (sliceMilliseconds * percent) / (100 - percent)
    : (2 * periodMicroseconds) / 1000;
}

const sliceMilliseconds = 10;
/** As the agent sets quotas (agent/throttle/cgroup.ts): the least that the kernel takes, in these periods. */
const smallestQuotaMicroseconds = 1000;
const periodsMicroseconds = [4000, 200_000] as const;
/** A vCPU that uses less is held as one that uses this (agent/throttle/use-meter.ts). */
const smallestUse = 0.05;

/** Whether QEMU has counted the first of the two syncs, so that the trigger can be held there. */
export function canHalfCock(migration: Migration): boolean {
  const settings = migration.tuning.autoConverge;
  const isArmed = migration.attempts.at(-1)?.arming.autoConverge === true;
  const isInert = settings?.maxPercent === 1 && settings.triggerThresholdPercent === 1;
  return isArmed && isInert && qualifyingSyncs(migration) % 2 === 1;
}

/** QEMU looks at the dirty bytes of a period at the first sync more than this after the last look. */
const periodMilliseconds = 1000;

function qualifyingSyncs(migration: Migration): number {
  let periodStart = migration.attempts.at(-1)?.startedAtMilliseconds ?? 0;
  let count = 0;
  for (const round of migration.rounds) {
    if (round.attempt !== migration.attempts.length) continue;
    if (round.endedAtMilliseconds - periodStart <= periodMilliseconds) continue;
    periodStart = round.endedAtMilliseconds;
    count += 1;
  }
  return count;
}
