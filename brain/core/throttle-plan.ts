/** The best use of the throttle on a course: when to begin, and how hard. */
import { throttleCapPercent, throttleFacts } from './budget.ts';
import { forecastCost } from './cost.ts';
import type { Course, Forecast } from './course.ts';
import { downtimeLimitSeconds } from './estimate.ts';
import { foreseenPauseMilliseconds } from './methods/auto-converge.ts';
import { mostHeldMilliseconds } from './methods/downtime.ts';
import type { Migration } from './migration.ts';
import { forecast } from './pre-copy-model.ts';

/** One way to use the throttle on a course: when it begins and how hard, and what comes of it. */
export interface ThrottlePlan {
  readonly percent: number;
  /** From the running round on, from the next sync, from the one after; `never` is no throttle. */
  readonly begin: 'now' | 'next-round' | 'later' | 'never';
  readonly forecast: Forecast;
  readonly cost: number;
}

const levelsPercent = [99, 95, 90, 85, 80, 70, 60, 50, 40, 30, 20, 10];

/** Levels the objective allows, its cap first: the hardest is nearly always the gentlest in sum. */
export function allowedLevels(migration: Migration): readonly number[] {
  const order = migration.order;
  if (!order || !throttleFacts(migration)) return [];
  const cap = throttleCapPercent(order.objective);
  if (cap <= 1) return [];
  return [cap, ...levelsPercent.filter((level) => level < cap)];
}

/**
 * The level of least predicted cost when throttling begins at `begin`; one whose pauses are too long
 * only where no other ends the migration.
 */
export function planThrottle(
  migration: Migration,
  course: Course,
  begin: ThrottlePlan['begin'],
): ThrottlePlan {
  const limit = downtimeLimitSeconds(migration);
  const planAt = (percent: number): ThrottlePlan => {
    const predicted = forecast({ ...course, throttles: schedule(begin, percent / 100) });
    return { percent, begin, forecast: predicted, cost: forecastCost(predicted, limit) };
  };
  if (begin === 'never') return planAt(0);
  const levels = allowedLevels(migration);
  const borne = levels.filter((percent) => isBearable(migration, percent));
  const best = cheapest(borne.map(planAt));
  if (best?.forecast.finishes) return best;
  const none = { percent: 0, begin, forecast: forecast(course), cost: Infinity };
  return cheapest(levels.map(planAt)) ?? none;
}

/** The first of about the same cost. */
function cheapest(plans: readonly ThrottlePlan[]): ThrottlePlan | undefined {
  return plans.reduce<ThrottlePlan | undefined>(
    (best, plan) => (best && plan.cost >= best.cost * 0.98 ? best : plan),
    undefined,
  );
}

/** The hardest level whose pauses the downtime limit bears; undefined where none is allowed, or borne. */
export function hardestBearable(migration: Migration): number | undefined {
  return allowedLevels(migration).find((percent) => isBearable(migration, percent));
}

/**
 * A hard throttle may hold the guest for longer at a stretch than a lower downtime limit can make up
 * for, and what is held when QEMU stops the guest is a part of its pause [measured at 99 %: 0.7 to 2 s].
 */
function isBearable(migration: Migration, percent: number): boolean {
  const heldMilliseconds = foreseenPauseMilliseconds(migration, percent);
  return heldMilliseconds <= mostHeldMilliseconds(migration);
}

function schedule(begin: ThrottlePlan['begin'], theta: number): Course['throttles'] {
  switch (begin) {
    case 'now':
      return [theta, theta, theta];
    case 'next-round':
      return [0, theta, theta];
    case 'later':
      return [0, 0, theta];
    case 'never':
      return [0, 0, 0];
  }
}
