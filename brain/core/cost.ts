/** The one cost that `adaptive`, the bench and the simulator share (design: J). */
import type { Forecast } from './course.ts';

/** Seconds of cost per second of each kind of harm. */
export interface CostWeights {
  readonly guestWorkLost: number;
  readonly gapAboveLimit: number;
  /** A migration that does not end is charged this on top of its horizon. */
  readonly unfinished: number;
}

export const defaultWeights: CostWeights = {
  guestWorkLost: 5,
  gapAboveLimit: 10,
  unfinished: 600,
};

export interface Harm {
  readonly finishes: boolean;
  readonly totalSeconds: number;
  readonly guestWorkLostSeconds: number;
  readonly gapSeconds: number;
}

/** J = total + 5 x guest work lost + 10 x the gap's excess over the downtime limit, in seconds. */
export function cost(harm: Harm, limitSeconds: number, weights = defaultWeights): number {
  return (
    harm.totalSeconds +
    weights.guestWorkLost * harm.guestWorkLostSeconds +
    weights.gapAboveLimit * Math.max(0, harm.gapSeconds - limitSeconds) +
    (harm.finishes ? 0 : weights.unfinished)
  );
}

/** J of a forecast, whose only gap is the switchover. */
export function forecastCost(forecast: Forecast, limitSeconds: number): number {
  return cost({ ...forecast, gapSeconds: forecast.downtimeSeconds }, limitSeconds);
}
