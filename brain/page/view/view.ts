/** What the page shows, as plain data: made by the brain for what runs, by the page for a recording. */
import type { Phase } from '../../core/migration.ts';
import type { Verdict } from '../../words/verdict.ts';

/** A brain that would take over. */
export interface Standby {
  /** Who leads, when that is known. */
  readonly leader?: string;
}

/** One migration as a line of the list. */
export interface Row {
  readonly id: string;
  readonly vm: string;
  readonly from: string;
  readonly to: string;
  readonly phase: Phase;
  readonly verdict: Verdict;
  readonly elapsedMilliseconds: number;
  readonly leftMilliseconds?: number;
  readonly round: number;
  /** How much of the guest's RAM is at the destination and still valid, 0 to 1. */
  readonly doneShare: number;
  readonly remainingBytes?: number;
  readonly throttlePercent: number;
  readonly isSettled: boolean;
}

/** One migration in depth. All times are milliseconds since its begin. */
export interface Detail {
  readonly row: Row;
  /** When it was begun, Unix milliseconds. */
  readonly beganAtMilliseconds: number;
  readonly policy: string;
  readonly family?: string;
  readonly guest?: string;
  readonly guestBytesPerSecond?: number;
  readonly linkBytesPerSecond?: number;
  readonly comparisons: readonly Comparison[];
  readonly rounds: readonly RoundView[];
  /** What the model expects from now on; empty once it is over. */
  readonly forecast: readonly BacklogAt[];
  /** Backlog at which QEMU switches over. */
  readonly switchoverBytes?: number;
  readonly decisions: readonly DecisionView[];
}

export interface BacklogAt {
  readonly atMilliseconds: number;
  readonly bytes: number;
}

/** A figure that was promised beside what came, or has come so far; in words, with units. */
export interface Comparison {
  readonly name: string;
  readonly predicted?: string;
  readonly measured?: string;
  /** Whether the measured figure still grows. */
  readonly isOpen: boolean;
}

export interface RoundView {
  readonly number: number;
  readonly attempt: number;
  readonly startedAtMilliseconds: number;
  /** Absent in the round that runs. */
  readonly endedAtMilliseconds?: number;
  readonly startBytes: number;
  /** What the model had foreseen of `startBytes` one round before. */
  readonly foreseenBytes?: number;
  readonly throttlePercent: number;
}

export interface DecisionView {
  readonly number: number;
  readonly atMilliseconds: number;
  readonly sentence: string;
  readonly outcome: 'applied' | 'refused' | 'failed' | 'indeterminate' | 'open';
  readonly reason?: string;
  /** A step of the plan, which goes without saying; what tunes the migration is no step. */
  readonly isStep: boolean;
  /** Predicted beside measured, once that is known. */
  readonly effect?: string;
}

/** A point of the charts over time; a figure that is not known yet is null. */
export type Point = readonly [
  atMilliseconds: number,
  remainingBytes: number | null,
  guestBytesPerSecond: number | null,
  linkBytesPerSecond: number | null,
  throttlePercent: number | null,
];

/** One message to the page; what it does not name has not changed. */
export interface Frame {
  /** The brain's time, Unix milliseconds. */
  readonly nowMilliseconds: number;
  /** There while this brain does not lead: what it shows is of the time when it did. */
  readonly standby?: Standby;
  readonly rows?: readonly Row[];
  /** Ids that are in the list no more. */
  readonly gone?: readonly string[];
  readonly detail?: Detail;
  /** Points of the open migration from index `from` on; those before it stay. */
  readonly points?: { readonly from: number; readonly points: readonly Point[] };
}
