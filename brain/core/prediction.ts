/**
 * What a migration would come to in each family, before anything starts. Every figure comes with a
 * range: the model is asked at several bandwidths that the link may have, each with the probe as it
 * was, and as it would have been had chance shown it other pages.
 */
import type { Family, ProbeReport } from '../../shared/sample.ts';
import type { Evidence } from './decision.ts';
import { firstPassBytes } from './estimate.ts';
import { drainRates, legalFamilies } from './families.ts';
import type { LinkEstimate } from './input.ts';
import { currentLink, plausibleBandwidths } from './link.ts';
import { certain, linkOutlooks, type LinkOutlook } from './link-outlook.ts';
import type { Migration } from './migration.ts';
import { outlook, type FamilyOutlook } from './policies/adaptive/family-choice.ts';
import { policyNamed } from './policies/index.ts';
import { withWorkingSet } from './workload.ts';
import { dirtyBytesPerSecond } from './working-set.ts';

/** What is most likely, and the least and the most of all cases considered. */
export interface Span {
  readonly likely: number;
  readonly low: number;
  readonly high: number;
}

export interface FamilyPrediction {
  readonly family: Family;
  /** Whether it ends in the likely case, and in which share (0 to 1) of all cases. */
  readonly finishes: boolean;
  readonly finishingShare: number;
  /** In cases that do not end this is the deadline, at which a migration is given up. */
  readonly totalMilliseconds: Span;
  readonly downtimeMilliseconds: Span;
  /** On the wire, compressed or encoded; QEMU 7.2 counts multifd's bytes before it compresses them. */
  readonly transferredBytes: Span;
  /** Guest RAM sent per byte on the wire: what compression or encoding make of it. */
  readonly ratio: Span;
  /** The first pass over the guest's RAM, in the likely case. */
  readonly firstPassMilliseconds: number;
  readonly guestWorkLostSeconds: Span;
  /** What it takes to end like this; 0 when the guest can be left alone. */
  readonly throttlePercent: Span;
  /** The round from which on it is throttled in the likely case; 1 is the first pass. */
  readonly throttleFromRound?: number;
  /** J by which families are compared, see cost.ts. */
  readonly cost: number;
}

/** The guest as the probe saw it. */
export interface GuestFindings {
  readonly ramBytes: number;
  readonly zeroShare: number;
  readonly workingSetBytes: number;
  /** Distinct bytes made dirty per second, over a short while. */
  readonly dirtyBytesPerSecond: number;
  readonly compressionRatio?: number;
  readonly xbzrleDeltaShare?: number;
}

export interface MigrationPrediction {
  /** The VM's name. */
  readonly vm: string;
  readonly policy: string;
  readonly link: LinkEstimate;
  /** Absent when there was no probe: the guest is then taken to write nothing. */
  readonly guest?: GuestFindings;
  /** Why there was none. */
  readonly unprobedBecause?: string;
  /** Least cost first. */
  readonly families: readonly FamilyPrediction[];
  /** By the speed of the link; present where that is not known. */
  readonly overLinks?: readonly LinkOutlook[];
  /** What the policy would arm, and why. */
  readonly chosen: { readonly family: Family; readonly rule: string; readonly evidence: Evidence };
}

/** Predicts an ordered migration, with its probe, in every family that both sides can arm. Pure. */
export function predictMigration(migration: Migration): MigrationPrediction {
  const { arming, rule, evidence } = policyNamed(migration.policy).plan(migration);
  const guest = guestFindings(migration);
  const cases = casesOf(migration);
  const overLinks = linkOutlooks(migration);
  return {
    vm: migration.source?.name ?? migration.id,
    policy: migration.policy,
    link: currentLink(migration),
    ...(guest ? { guest } : { unprobedBecause: unprobedBecause(migration) }),
    families: legalFamilies(migration)
      .map((family) => predictFamily(migration, cases, family))
      .sort((left, right) => left.cost - right.cost),
    ...(overLinks.length > 0 && { overLinks }),
    chosen: { family: arming.family, rule, evidence },
  };
}

function guestFindings({ probe, workingSet }: Migration): GuestFindings | undefined {
  if (!probe || !workingSet) return undefined;
  const { ramBytes, zeroShare, compressionRatio, xbzrleDeltaShare } = probe;
  return {
    ramBytes,
    zeroShare,
    workingSetBytes: Math.round(workingSet.bytes),
    dirtyBytesPerSecond: Math.round(dirtyBytesPerSecond(workingSet)),
    ...(compressionRatio !== undefined && { compressionRatio }),
    ...(xbzrleDeltaShare !== undefined && { xbzrleDeltaShare }),
  };
}

function unprobedBecause({ decisions }: Migration): string {
  const probe = decisions.find(({ decision }) => decision.operation.kind === 'probe');
  return probe?.reason ?? 'this VM cannot be probed here';
}

/** A case: the migration with one bandwidth and one reading of the probe, and QEMU's test off by a factor. */
interface Case {
  readonly migration: Migration;
  readonly switchoverShare: number;
}

/**
 * QEMU takes the bandwidth of the last 100 ms for its switchover test, and the sockets take bytes in
 * gulps [measured: peaks of 1.2 to 1.3 over a steady link].
 */
const switchoverShares = [1 / 1.3, 1, 1.3];

function casesOf(migration: Migration): readonly Case[] {
  const link = currentLink(migration);
  const bandwidths = new Set([
    link.lowBytesPerSecond,
    ...plausibleBandwidths(link),
    link.highBytesPerSecond,
  ]);
  const known = readings(migration).flatMap((reading) =>
    [...bandwidths].map((wire) => ({ ...reading, link: certain(link, wire) })),
  );
  return known.flatMap((each) =>
    switchoverShares.map((switchoverShare) => ({ migration: each, switchoverShare })),
  );
}

/** As it was probed, and as it would be with all that chance and the end of the probe may have hidden. */
function readings(migration: Migration): readonly Migration[] {
  const { probe } = migration;
  if (!probe) return [migration];
  const others = ([-1, 1] as const).map((direction) =>
    withWorkingSet(
      { ...migration, probe: misread(probe, direction) },
      direction === 1 ? 'most' : 'least',
    ),
  );
  return [migration, ...others];
}

/** Two standard errors: what a sample hides from 19 probes of 20. */
const standardErrors = 2;
/** No spread is reported with a ratio: a tenth covers some hundred pages, and zstd taken for zlib. */
const ratioErrorShare = 0.1;

/** The trial of compression is timed on a host that has other work, which comes and goes. */
const compressionTimes = { calm: 0.5, busy: 1.5 } as const;

/** The probe had it met a busier guest than its sample showed (direction 1), or a calmer one (-1). */
function misread(probe: ProbeReport, direction: 1 | -1): ProbeReport {
  const { ramBytes, compressionRatio, dirtyCompressionRatio, xbzrleDeltaShare } = probe;
  const shifted = (share: number, by: number) => {
    const pages = Math.max(1, probe.sampledPages);
    // At 0 and 1 the formula knows no error; a sample does not tell one page from none.
    const error = Math.sqrt((share * (1 - share) + 1 / pages) / pages);
    return Math.min(1, Math.max(0, share + by * standardErrors * error));
  };
  const ratio = (value: number) => Math.max(1, value * (1 - direction * ratioErrorShare));
  return {
    ...probe,
    zeroShare: shifted(probe.zeroShare, -direction),
    dirtyCurve: probe.dirtyCurve.map((point) => ({
      ...point,
      dirtyBytes: shifted(point.dirtyBytes / ramBytes, direction) * ramBytes,
    })),
    ...(compressionRatio !== undefined && { compressionRatio: ratio(compressionRatio) }),
    ...(dirtyCompressionRatio !== undefined && {
      dirtyCompressionRatio: ratio(dirtyCompressionRatio),
    }),
    ...(probe.compressionSecondsPerPage !== undefined && {
      compressionSecondsPerPage:
        probe.compressionSecondsPerPage * compressionTimes[direction === 1 ? 'busy' : 'calm'],
    }),
    ...(xbzrleDeltaShare !== undefined && {
      xbzrleDeltaShare: Math.min(1, xbzrleDeltaShare * (1 + direction * ratioErrorShare)),
    }),
  };
}

interface Prospect extends FamilyOutlook {
  readonly wireBytes: number;
}

function prospect({ migration, switchoverShare }: Case, family: Family): Prospect {
  const seen = outlook(migration, family, switchoverShare);
  return { ...seen, wireBytes: Math.round(wireBytes(migration, seen)) };
}

/** What of the guest RAM sent goes over the wire: each rate's bytes by what the family makes of them. */
function wireBytes(migration: Migration, { family, forecast }: FamilyOutlook): number {
  // On a wire this slow no CPU is a bound: what is drained is guest RAM per byte on the wire.
  const ratios = drainRates(migration, family, 1);
  const { sentBytes, firstRateBytes } = forecast;
  return (
    firstRateBytes / Math.max(1, ratios.firstPassBytesPerSecond) +
    (sentBytes - firstRateBytes) / Math.max(1, ratios.laterRoundsBytesPerSecond)
  );
}

function predictFamily(
  migration: Migration,
  cases: readonly Case[],
  family: Family,
): FamilyPrediction {
  const likely = prospect({ migration, switchoverShare: 1 }, family);
  const others = cases.map((each) => prospect(each, family));
  const ending = others.filter(({ forecast }) => forecast.finishes);
  const span = (figure: (of: Prospect) => number): Span => {
    const figures = [likely, ...ending].map(figure);
    return { likely: figure(likely), low: Math.min(...figures), high: Math.max(...figures) };
  };
  return {
    family,
    finishes: likely.forecast.finishes,
    finishingShare: thousandths(ending.length / others.length),
    totalMilliseconds: span(({ forecast }) => Math.round(forecast.totalSeconds * 1000)),
    downtimeMilliseconds: span(({ forecast }) => Math.round(forecast.downtimeSeconds * 1000)),
    transferredBytes: span(({ wireBytes }) => wireBytes),
    ratio: span(({ forecast, wireBytes }) =>
      thousandths(forecast.sentBytes / Math.max(1, wireBytes)),
    ),
    firstPassMilliseconds: firstPassMilliseconds(migration, family),
    guestWorkLostSeconds: span(({ forecast }) => thousandths(forecast.guestWorkLostSeconds)),
    throttlePercent: span(({ throttlePercent }) => throttlePercent),
    ...(likely.throttleFromRound !== undefined && { throttleFromRound: likely.throttleFromRound }),
    cost: thousandths(likely.cost),
  };
}

function firstPassMilliseconds(migration: Migration, family: Family): number {
  const rates = drainRates(migration, family, currentLink(migration).bytesPerSecond);
  return Math.round((1000 * firstPassBytes(migration)) / rates.firstPassBytesPerSecond);
}

function thousandths(value: number): number {
  return Math.round(value * 1000) / 1000;
}
