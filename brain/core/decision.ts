/** What the core decides: one typed command for one side, with why and what it expects of it. */
import type { Operation } from '../../shared/command.ts';

export type Side = 'source' | 'destination';

/** The optimisation a decision belongs to; `plan` moves the migration along without tuning it. */
export type MethodName =
  | 'plan'
  | 'auto-converge'
  | 'compression'
  | 'xbzrle'
  | 'multifd'
  | 'downtime'
  | 'bandwidth'
  | 'post-copy'
  | 'restart';

/** Figures a rule looked at, by name with units. */
export type Evidence = Readonly<Record<string, number | string | boolean>>;

/** What the core expects to follow; compared later with what did. */
export interface Prediction {
  readonly totalMilliseconds?: number;
  readonly downtimeMilliseconds?: number;
  readonly guestWorkLostSeconds?: number;
  readonly transferredBytes?: number;
  /** Backlog at the start of the next round. */
  readonly nextRoundBytes?: number;
  readonly cost?: number;
}

export interface Decision {
  /** 1, 2, 3 ... within one migration; the command id is `<migration id>.<number>`. */
  readonly number: number;
  readonly atMilliseconds: number;
  readonly side: Side;
  readonly operation: Operation;
  readonly method: MethodName;
  /** The rule's name, kebab-case, e.g. `throttle-pays-now`. */
  readonly rule: string;
  readonly evidence: Evidence;
  readonly prediction?: Prediction;
}

/** A step considered and not taken (a rung that cannot be reached, an option that does not pay). */
export interface Note {
  readonly atMilliseconds: number;
  readonly method: MethodName;
  readonly rule: string;
  readonly evidence: Evidence;
}
