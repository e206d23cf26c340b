/** What a decision promised beside what was measured of it at the end. */
import type { Decision, Evidence, Prediction } from './decision.ts';
import type { DecisionRecord, Migration } from './migration.ts';

export interface Effect {
  readonly decision: Decision;
  readonly predicted: Prediction;
  /** Under the names of the prediction, and `outcome`. */
  readonly measured: Evidence;
}

/** The effect of one decision; undefined before the end, and for one that promised nothing. */
export function effectOf({ decision, measured }: DecisionRecord): Effect | undefined {
  const predicted = decision.prediction;
  return predicted && measured && { decision, predicted, measured };
}

/** The effects of all decisions of a settled migration, in their order. */
export function effectsOf({ decisions }: Migration): readonly Effect[] {
  return decisions.flatMap((record) => effectOf(record) ?? []);
}
