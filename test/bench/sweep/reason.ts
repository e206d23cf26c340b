/** Why a run of `adaptive` cost more than another choice: which of its decisions cost what. */
import type { Decision } from '../../../brain/core/decision.ts';
import type { Migration } from '../../../brain/core/migration.ts';
import type { WorldRun } from '../../simulator/world.ts';
import type { Played } from './judge.ts';

type Run = WorldRun<Migration>;

/** A decision held responsible, and the J that it accounts for. */
interface Blame {
  readonly cost: number;
  readonly text: string;
}

const limitMilliseconds = 300;
const weights = { work: 5, gap: 10 };
/** Less is not worth a word. */
const noticeableCost = 0.15;

/** The difference in its parts, then the dearest decisions; in one line. */
export function reasonOf(run: Run, best: Played): string {
  if (!run.truth.completed) return `did not complete; ${best.name} did`;
  const blames = [restarts, family, needlessThrottle, lateThrottle, longThrottle, switchover]
    .flatMap((find) => find(run, best))
    .filter(({ cost }) => cost >= noticeableCost)
    .toSorted((one, other) => other.cost - one.cost);
  return [parts(run, best), ...blames.slice(0, 2).map(({ text }) => text)].join('; ');
}

/** `time +1.2, work lost +0.8 (0.16 s), gap +0.1`: units of J against the best. */
function parts(run: Run, best: Played): string {
  const { time, work, gap } = difference(run, best);
  const signed = (value: number) => `${value < 0 ? '' : '+'}${value.toFixed(1)}`;
  return `time ${signed(time)}, work lost ${signed(work)}, gap ${signed(gap)}`;
}

function difference({ truth }: Run, best: Played) {
  const excess = (milliseconds: number) => Math.max(0, milliseconds - limitMilliseconds) / 1000;
  const { totalMilliseconds, guestWorkLostSeconds, longestGapMilliseconds } = best.truth;
  return {
    time: (truth.totalMilliseconds - totalMilliseconds) / 1000,
    work: weights.work * (truth.guestWorkLostSeconds - guestWorkLostSeconds),
    gap: weights.gap * (excess(truth.longestGapMilliseconds) - excess(longestGapMilliseconds)),
  };
}

/** What earlier attempts took is thrown away, unless the best threw it away as well. */
function restarts(run: Run): Blame[] {
  const { attempts } = run.migration;
  return attempts.slice(1).flatMap((next, index) => {
    const from = attempts[index];
    if (from?.startedAtMilliseconds === undefined || next.startedAtMilliseconds === undefined)
      return [];
    const cost = (next.startedAtMilliseconds - from.startedAtMilliseconds) / 1000;
    const text = `started over from ${from.arming.family} in ${next.arming.family}, ${cost.toFixed(1)} s thrown away`;
    return [{ cost, text }];
  });
}

/** Another family was the better one: what had been predicted of both. */
function family(run: Run, best: Played): Blame[] {
  const arming = run.decisions.findLast(({ operation }) => operation.kind === 'arm');
  const chosen = run.migration.attempts.at(-1)?.arming.family ?? 'plain';
  if (chosen === best.family) return [];
  const cost = Object.values(difference(run, best)).reduce((sum, each) => sum + each, 0);
  const told = (name: string) => String(arming?.evidence[`cost ${name}`] ?? 'not considered');
  const text = `chose ${chosen} (predicted J ${told(chosen)}) over ${best.family} (${told(best.family)}) on a link ${String(arming?.evidence['linkProvenance'])}`;
  return [{ cost, text }];
}

function needlessThrottle(run: Run, best: Played): Blame[] {
  const order = firstThrottle(run);
  if (!order || best.truth.throttleSeconds > 0) return [];
  const ended = (best.truth.totalMilliseconds / 1000).toFixed(1);
  const text = `throttled ${orderText(run, order)} for ${run.truth.throttleSeconds.toFixed(2)} s where ${best.name} ended unthrottled at ${ended} s`;
  return [{ cost: difference(run, best).work, text }];
}

/** Rounds that ran free although only the throttle ended it; the first pass must be sent anyway. */
function lateThrottle(run: Run, best: Played): Blame[] {
  const order = firstThrottle(run);
  if (best.truth.throttleSeconds === 0) return [];
  const firstPassEnd = run.rounds[1]?.atMilliseconds ?? Infinity;
  const until = order?.atMilliseconds ?? startOf(run) + run.truth.totalMilliseconds;
  const cost = (until - firstPassEnd) / 1000;
  const doing = order ? `throttled ${orderText(run, order)}` : 'never throttled';
  return [{ cost, text: `${doing}, ${cost.toFixed(1)} s after the first pass` }];
}

function longThrottle(run: Run, best: Played): Blame[] {
  const order = firstThrottle(run);
  if (!order || best.truth.throttleSeconds === 0) return [];
  const text = `lost ${run.truth.guestWorkLostSeconds.toFixed(2)} s of work, throttled ${orderText(run, order)}`;
  return [{ cost: difference(run, best).work, text }];
}

function switchover(run: Run, best: Played): Blame[] {
  const text = `the guest stood still for ${run.truth.longestGapMilliseconds.toFixed(0)} ms`;
  return [{ cost: difference(run, best).gap, text }];
}

function firstThrottle(run: Run): Decision | undefined {
  return run.decisions.find(({ operation }) => operation.kind === 'throttle');
}

function startOf(run: Run): number {
  return run.migration.attempts[0]?.startedAtMilliseconds ?? 0;
}

/** `to 90 % at 4.2 s in round 5 (throttle-pays-now: J 5.1 against 8.0)`. */
function orderText(run: Run, { operation, atMilliseconds, rule, evidence }: Decision): string {
  const percent = operation.kind === 'throttle' ? operation.percent : 0;
  const seconds = ((atMilliseconds - startOf(run)) / 1000).toFixed(1);
  const { round, costChosen, costOtherwise } = evidence;
  const costs = `J ${String(costChosen)} against ${String(costOtherwise)}`;
  return `to ${percent} % at ${seconds} s in round ${String(round)} (${rule}: ${costs})`;
}
