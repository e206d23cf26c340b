/** Chooses the family before the start: least predicted cost over every bandwidth the link may have. */
import type { Family } from '../../../../shared/sample.ts';
import { forecastCost } from '../../cost.ts';
import type { Evidence } from '../../decision.ts';
import { throttleFacts } from '../../budget.ts';
import { downtimeLimitSeconds, freshCourse, withSwitchoverShare } from '../../estimate.ts';
import { legalFamilies } from '../../families.ts';
import { currentLink, plausibleBandwidths } from '../../link.ts';
import { canArmPostCopy } from '../../methods/post-copy.ts';
import { compressionFamilies } from '../../methods/compression.ts';
import type { ArmingPlan, Migration } from '../../migration.ts';
import type { Course, Forecast } from '../../course.ts';
import { forecast } from '../../pre-copy-model.ts';
import { armed, asArmed, gentleForecast } from './switchover-choice.ts';
import { planThrottle } from '../../throttle-plan.ts';

/** What a migration in one family would come to, at the link's most likely bandwidth. */
export interface FamilyOutlook {
  readonly family: Family;
  /** Mean over the plausible bandwidths. */
  readonly cost: number;
  readonly forecast: Forecast;
  readonly throttlePercent: number;
  /** The round in which the throttle begins; 1 is the first pass. */
  readonly throttleFromRound?: number;
}

/** An optimisation must beat plain pre-copy by this much: predictions err, and it costs CPU. */
const worthwhileShare = 0.85;
const worthwhileSeconds = 0.2;
/** One endless case must not drown the rest of an unknown link's range. */
const costCap = 120;

/** Arms the family of least predicted cost, and says what it expects and why. */
export function chooseFamily(migration: Migration): ArmingPlan {
  const outlooks = candidates(migration).map((family) => outlook(migration, family));
  const chosen = best(outlooks);
  return {
    ...armed(migration, chosen.family),
    method: methodOf(chosen.family),
    rule: chosen.family === 'plain' ? 'no-method-pays' : 'least-predicted-cost',
    evidence: { ...probeEvidence(migration), ...costEvidence(outlooks) },
    ...promise(migration, chosen),
  };
}

/** Figures of time only over a link that is known: over a range of a thousand they would be a guess. */
function promise(migration: Migration, chosen: FamilyOutlook): Pick<ArmingPlan, 'prediction'> {
  if (plausibleBandwidths(currentLink(migration)).length > 1) return {};
  const { forecast: expected } = chosen;
  return {
    prediction: {
      totalMilliseconds: Math.round(expected.totalSeconds * 1000),
      downtimeMilliseconds: Math.round(expected.downtimeSeconds * 1000),
      guestWorkLostSeconds: expected.guestWorkLostSeconds,
      transferredBytes: Math.round(expected.sentBytes),
      cost: chosen.cost,
    },
  };
}

/** `compress` only where post-copy has to stay armed: multifd compression is better everywhere else. */
function candidates(migration: Migration): readonly Family[] {
  const legal = legalFamilies(migration);
  const hasMultifd = legal.includes('multifd-zstd') || legal.includes('multifd-zlib');
  return legal.filter(
    (family) => family !== 'compress' || !hasMultifd || canArmPostCopy(migration, family),
  );
}

/**
 * Predicts a migration in `family` over every bandwidth that the link may turn out to have; with QEMU's
 * switchover threshold at this share of what it should be.
 */
export function outlook(migration: Migration, family: Family, switchoverShare = 1): FamilyOutlook {
  const link = currentLink(migration);
  const bandwidths = plausibleBandwidths(link);
  const cap = bandwidths.length > 1 ? costCap : Infinity;
  const courseOver = (wire: number) =>
    withSwitchoverShare(asArmed(freshCourse(migration, family, wire), family), switchoverShare);
  const ways = bandwidths.map((wire) => bestCourse(migration, courseOver(wire)));
  const costs = ways.map(({ cost }) => Math.min(cap, cost));
  const likely = bestCourse(migration, courseOver(link.bytesPerSecond));
  return {
    family,
    cost: costs.reduce((sum, each) => sum + each, 0) / costs.length,
    forecast: likely.forecast,
    throttlePercent: likely.percent,
    ...(likely.fromRound !== undefined && { throttleFromRound: likely.fromRound }),
  };
}

/**
 * What a migration in `family` costs at least, as in its outlook: all that must be sent, at the best
 * rate that the link and the sockets could ever give. Spares the play of rounds where even that is
 * too much.
 */
export function leastCost(migration: Migration, family: Family): number {
  const link = currentLink(migration);
  const seconds = [...plausibleBandwidths(link), link.bytesPerSecond].map((wire) => {
    const { remainingBytes, gulp, ...rates } = freshCourse(migration, family, wire);
    const fastest = Math.max(rates.drainBytesPerSecond, rates.laterDrainBytesPerSecond);
    // The sockets are empty when the first pass begins, and once more when the guest stands still.
    return (remainingBytes - 2 * (gulp?.bytes ?? 0)) / fastest;
  });
  return Math.min(costCap, ...seconds);
}

/** One way through a course: free, or throttled from the start of a round on. */
interface Way {
  readonly percent: number;
  readonly fromRound?: number;
  readonly forecast: Forecast;
  readonly cost: number;
}

/** Untouched, or throttled from the round on from which it pays most, as the policy does in flight. */
function bestCourse(migration: Migration, course: Course): Way {
  const limitSeconds = downtimeLimitSeconds(migration);
  const free = gentleForecast(course, limitSeconds);
  const untouched: Way = { percent: 0, forecast: free, cost: forecastCost(free, limitSeconds) };
  const isImmediate = throttleFacts(migration)?.lag === 'immediate';
  const plan = planThrottle(migration, course, isImmediate ? 'next-round' : 'later');
  const earliest = { ...plan, fromRound: isImmediate ? 2 : 3 };
  const throttled = waitWhileCheaper(course, earliest, limitSeconds);
  return throttled.cost < untouched.cost ? throttled : untouched;
}

/** Begins round after round later, until that does not pay any more. */
function waitWhileCheaper(
  course: Course,
  soon: Way & { readonly fromRound: number },
  limitSeconds: number,
): Way {
  const free = Array.from({ length: soon.fromRound }, () => 0);
  const predicted = forecast({ ...course, throttles: [...free, soon.percent / 100] });
  const wait = {
    percent: soon.percent,
    fromRound: soon.fromRound + 1,
    forecast: predicted,
    cost: forecastCost(predicted, limitSeconds),
  };
  const pays = soon.percent > 0 && wait.cost < soon.cost;
  return pays ? waitWhileCheaper(course, wait, limitSeconds) : soon;
}

/** The cheapest family; plain pre-copy unless another one is clearly cheaper. */
export function best(outlooks: readonly FamilyOutlook[]): FamilyOutlook {
  const plain = outlooks.find((each) => each.family === 'plain');
  const least = outlooks.reduce((chosen, each) => (each.cost < chosen.cost ? each : chosen));
  if (!plain) return least;
  const pays =
    least.cost < plain.cost * worthwhileShare && least.cost < plain.cost - worthwhileSeconds;
  return pays ? least : plain;
}

/** The method that a family stands for in a decision; plain pre-copy is the plan itself. */
export function methodOf(family: Family): ArmingPlan['method'] {
  if (compressionFamilies.includes(family)) return 'compression';
  return family === 'xbzrle' || family === 'multifd' ? family : 'plan';
}

function probeEvidence(migration: Migration): Evidence {
  const probe = migration.probe;
  const link = currentLink(migration);
  return {
    linkBytesPerSecond: Math.round(link.bytesPerSecond),
    linkProvenance: link.provenance,
    ...(migration.workingSet && { workingSetBytes: Math.round(migration.workingSet.bytes) }),
    ...(probe?.compressionRatio !== undefined && { compressionRatio: probe.compressionRatio }),
    ...(probe?.xbzrleDeltaShare !== undefined && { xbzrleDeltaShare: probe.xbzrleDeltaShare }),
  };
}

function costEvidence(outlooks: readonly FamilyOutlook[]): Evidence {
  return Object.fromEntries(
    outlooks.map((each) => [`cost ${each.family}`, Math.round(each.cost * 100) / 100]),
  );
}
