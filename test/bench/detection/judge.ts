/** Calls against the truth; pure. */
import { whenTruthShows } from './truth.ts';
import type { Call, Watched } from './watch.ts';

/** A call on a guest that really diverges; negative figures are early. */
export interface Lateness {
  readonly rounds: number;
  readonly seconds: number;
}

export interface Judged {
  readonly watched: Watched;
  readonly call: Call | undefined;
  readonly outcome: 'right call' | 'right silence' | 'false alarm' | 'miss';
  /** Of a right call, where the truth has shown at all. */
  readonly lateness?: Lateness;
}

/** One rule over all guests. */
export interface Judgement {
  readonly rule: string;
  readonly judged: readonly Judged[];
}

export function judge(rule: string, guests: readonly Watched[]): Judgement {
  return { rule, judged: guests.map((watched) => judgeOne(rule, watched)) };
}

function judgeOne(rule: string, watched: Watched): Judged {
  const call = watched.calls.find((each) => each.rule === rule);
  const { diverges } = watched;
  if (call === undefined) {
    return { watched, call, outcome: diverges ? 'miss' : 'right silence' };
  }
  if (!diverges) return { watched, call, outcome: 'false alarm' };
  const lateness = latenessOf(call, watched);
  return { watched, call, outcome: 'right call', ...(lateness && { lateness }) };
}

function latenessOf(call: Call, { syncs }: Watched): Lateness | undefined {
  const shown = whenTruthShows(syncs);
  const at = syncs[shown];
  if (at === undefined) return undefined;
  const called = syncs.findLastIndex((sync) => sync.atMilliseconds <= call.atMilliseconds);
  return {
    rounds: called - shown,
    seconds: (call.atMilliseconds - at.atMilliseconds) / 1000,
  };
}

export function ofOutcome({ judged }: Judgement, outcome: Judged['outcome']): readonly Judged[] {
  return judged.filter((each) => each.outcome === outcome);
}

export interface Spread {
  readonly median: number;
  readonly p95: number;
  readonly worst: number;
}

/** Of one figure of the lateness of all right calls. */
export function spreadOf(judgement: Judgement, figure: keyof Lateness): Spread {
  const values = judgement.judged
    .flatMap(({ lateness }) => (lateness ? [lateness[figure]] : []))
    .sort((one, other) => one - other);
  const at = (share: number) => values[Math.ceil(share * values.length) - 1] ?? NaN;
  return { median: at(0.5), p95: at(0.95), worst: at(1) };
}
