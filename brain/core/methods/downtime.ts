/**
 * The switchover test corrected. QEMU compares raw remaining bytes with wire bandwidth x downtime
 * limit; with compression the wire carries several times as much guest RAM per second, so QEMU
 * waits too long. avail-switchover-bandwidth (8.2 on) says what the link really takes; before 8.2
 * the downtime limit itself is scaled. The guest's gap stays within the objective either way.
 */
import type { Tuning } from '../../../shared/command.ts';
import type { Family } from '../../../shared/sample.ts';
import {
  countsBeforeCompression,
  drainRates,
  firstRateRounds,
  multifdConnections,
} from '../families.ts';
import type { Migration } from '../migration.ts';
import { roundsOfAttempt } from '../rounds.ts';
import type { Method } from './method.ts';

/** Part of the promised gain that is used: ratios of the last pages vary. */
const caution = 0.7;
const largestCorrection = 8;
const leastCorrection = 1.2;
/** By so much a figure over 100 ms differs from the link's anyway. */
const understatedShare = 0.7;

/** Guest RAM per second that the switchover will really carry; undefined when QEMU's own figure is right. */
export function availSwitchoverBytesPerSecond(
  migration: Migration,
  family: Family,
  wireBytesPerSecond: number,
): number | undefined {
  const ratio = laterRoundsRatio(migration, family, wireBytesPerSecond);
  const uncapped = uncappedRatio(migration, wireBytesPerSecond);
  const correction = Math.min(largestCorrection, Math.max(1, ratio * caution) * uncapped);
  if (correction > leastCorrection) return wireBytesPerSecond * correction;
  return isUnderstated(migration, wireBytesPerSecond) ? wireBytesPerSecond : undefined;
}

/**
 * QEMU's figure of the bandwidth is what it sent within 100 ms or more, whatever kept it from sending:
 * where rounds are short, the syncs between them. A guest under a quota may hold QEMU's global lock
 * while it is held itself, and the sync waits [measured: 2 MiB/s over a link of 32, and 1 MiB left
 * that QEMU did not switch over upon for 4 s].
 */
function isUnderstated(migration: Migration, wireBytesPerSecond: number): boolean {
  const told = migration.tuning.availSwitchoverBandwidthBytesPerSecond ?? 0;
  const wasSo = told > 0 && told <= leastCorrection * wireBytesPerSecond;
  return wasSo || figureOf(migration) < understatedShare * wireBytesPerSecond;
}

function figureOf({ last }: Migration): number {
  return last?.ram?.bandwidthBytesPerSecond ?? Infinity;
}

/** Guest RAM per byte on the wire: of the last round at the family's later rate, else as promised. */
function laterRoundsRatio(
  migration: Migration,
  family: Family,
  wireBytesPerSecond: number,
): number {
  const round = roundsOfAttempt(migration).at(-1);
  if (round && round.number > firstRateRounds(family) && round.transferredBytes > 0) {
    return (round.startRemainingBytes - round.unsentBytes) / round.transferredBytes;
  }
  return (
    drainRates(migration, family, wireBytesPerSecond).laterRoundsBytesPerSecond / wireBytesPerSecond
  );
}

/** A max-bandwidth cap does not bind the last burst: with a known faster link QEMU is too careful. */
function uncappedRatio(migration: Migration, wireBytesPerSecond: number): number {
  const objective = migration.order?.objective;
  const cap = objective?.maxBandwidthBytesPerSecond;
  const link = objective?.linkBandwidthBytesPerSecond;
  if (cap === undefined || link === undefined || link <= cap) return 1;
  return Math.max(1, link / Math.max(cap, wireBytesPerSecond));
}

/** The settings that make QEMU's test come out right, in whatever way this QEMU offers. */
export function switchoverTuning(
  migration: Migration,
  family: Family,
  wireBytesPerSecond: number,
): Tuning {
  const limit = pauseLimitMilliseconds(migration, wireBytesPerSecond);
  const available = availSwitchoverBytesPerSecond(migration, family, wireBytesPerSecond);
  if (available === undefined) return { downtimeLimitMilliseconds: limit };
  if (migration.source?.liveSettings.includes('avail-switchover-bandwidth')) {
    return {
      downtimeLimitMilliseconds: limit,
      availSwitchoverBandwidthBytesPerSecond: Math.round(available),
    };
  }
  // It may be right again at any moment: then no more may come of it than the objective allows.
  const missed = Math.max(1, wireBytesPerSecond / figureOf(migration));
  const raised = Math.min(limit * missed, objectiveLimitMilliseconds(migration));
  const scaled = (raised * available) / wireBytesPerSecond;
  return { downtimeLimitMilliseconds: Math.round(scaled) };
}

/**
 * Armed uncorrected: what a family makes of the last rounds is a promise until it is measured, and
 * a promise too good is a gap too long. The policy corrects the test in flight.
 */
export const downtime: Method = {
  name: 'downtime',
  arm: (migration) => ({
    tuning: { downtimeLimitMilliseconds: objectiveLimitMilliseconds(migration) },
  }),
};

/** QEMU's own test, for a link of this bandwidth. */
export function plainTuning(migration: Migration, wireBytesPerSecond: number): Tuning {
  return { downtimeLimitMilliseconds: pauseLimitMilliseconds(migration, wireBytesPerSecond) };
}

/** What QEMU may use of the objective's limit. */
function objectiveLimitMilliseconds({ order, source }: Migration): number {
  const limit = order?.objective.downtimeLimitMilliseconds ?? 300;
  if (source?.owner !== 'libvirt') return limit;
  return Math.max(Math.round(limit * leastShare), limit - libvirtMilliseconds);
}

/**
 * libvirt is asked before the switchover, and lets the guest go on itself [measured beside QEMU's
 * part: 10 to 60 ms, 100 once on a busy machine].
 */
const libvirtMilliseconds = 40;

/**
 * The limit for QEMU's test that keeps the guest's own pause at the objective's. QEMU counts a page
 * as sent once the kernel has taken it; what still waits in socket and queue goes first when the
 * guest stands still [measured: 650 ms instead of 300 over a link that had fallen to 8 MiB/s].
 */
export function pauseLimitMilliseconds(migration: Migration, wireBytesPerSecond: number): number {
  const unseen = unseenPauseMilliseconds(migration, wireBytesPerSecond);
  return limitBeside(unseen, migration, credibleShare(migration));
}

/** What the guest's pause has beside what QEMU takes into account, and is too long to be passed over. */
export function unseenPauseMilliseconds(migration: Migration, wireBytesPerSecond: number): number {
  const connections = migration.attempts.at(-1)?.arming.multifdChannels ?? 1;
  return unseenBehind(connections, migration, wireBytesPerSecond / hiddenRatio(migration));
}

/** The same before anything has started, by what a family will arm and how this QEMU counts its bytes. */
export function foreseenPauseLimitMilliseconds(
  migration: Migration,
  family: Family,
  wireBytesPerSecond: number,
): number {
  const connections = family.startsWith('multifd') ? multifdConnections(migration, family) : 1;
  const credible = countsBeforeCompression(migration, family) ? 1 / syncPeak : 1;
  const unseen = unseenBehind(connections, migration, wireBytesPerSecond);
  return limitBeside(unseen, migration, credible);
}

/**
 * What waits in the queues of so many connections, and a throttle that was just holding the guest
 * when QEMU stops it: both are part of one pause to the guest.
 */
function unseenBehind(
  connections: number,
  { orderedThrottlePercent, throttlePauseMilliseconds = 0 }: Migration,
  flowingBytesPerSecond: number,
): number {
  const queueMilliseconds = (1000 * connections * queuedBytes) / flowingBytesPerSecond;
  const heldMilliseconds = orderedThrottlePercent > 0 ? throttlePauseMilliseconds : 0;
  return Math.max(0, queueMilliseconds + heldMilliseconds - negligibleMilliseconds);
}

/** What is left of the limit beside so much pause that QEMU does not see. */
function limitBeside(unseenMilliseconds: number, migration: Migration, credible: number): number {
  const limit = objectiveLimitMilliseconds(migration);
  const left = (limit - unseenMilliseconds) * credible;
  return Math.round(Math.max(limit * leastShare, left));
}

/** How long a throttle may hold the guest at a stretch, so that the least limit makes up for it. */
export function mostHeldMilliseconds(migration: Migration): number {
  return negligibleMilliseconds + (1 - leastShare) * objectiveLimitMilliseconds(migration);
}

/**
 * What of QEMU's own figure of the bandwidth can be believed: it rests on 100 ms. Where pages are
 * counted before they are compressed it is what the threads took over, and doubles at a sync
 * [measured: 1.2 s of pause at a limit of 300 ms].
 */
function credibleShare(migration: Migration): number {
  const { bandwidthBytesPerSecond, peakBytesPerSecond } = migration;
  if (hiddenRatio(migration) > 1) return 1 / syncPeak;
  if (!bandwidthBytesPerSecond || !peakBytesPerSecond) return 1;
  return Math.min(1, (usualPeak * bandwidthBytesPerSecond) / peakBytesPerSecond);
}

/**
 * Guest RAM per byte that flows, where QEMU counts the bytes before compression (multifd on 7.2):
 * then the wire seems to take as much as is drained. 1 elsewhere.
 */
function hiddenRatio({ attempts, probe, ...rates }: Migration): number {
  const { bandwidthBytesPerSecond = 0, firstPassBytesPerSecond = Infinity } = rates;
  const family = attempts.at(-1)?.arming.family;
  const isCompressing = family === 'multifd-zlib' || family === 'multifd-zstd';
  const isHidden = bandwidthBytesPerSecond > hiddenShare * firstPassBytesPerSecond;
  return isCompressing && isHidden ? Math.max(1, probe?.compressionRatio ?? 1) : 1;
}

const hiddenShare = 0.85;
/** Peaks over a steady link [measured: up to 1.2 in plain pre-copy]. */
const usualPeak = 1.3;
/** [measured: 223 MiB/s at a sync where 99 were drained]. */
const syncPeak = 2.3;
/** Of one TCP connection: its send buffer, as the kernel sizes it for links of this kind, and the queue below. */
export const queuedBytes = 3 * 2 ** 20;
/** As much as QEMU's own figure errs by anyway. */
const negligibleMilliseconds = 100;
/** A limit below this share would keep slow links from ever switching over. */
const leastShare = 0.3;
