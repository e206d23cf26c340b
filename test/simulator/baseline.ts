/** Runs without a brain, to compare with: what the same guest does under one fixed choice. */
import type { Arming, Tuning } from '../../shared/command.ts';
import type { SyncRecord } from './qemu.ts';
import { Simulation, type Scenario, type Truth } from './simulation.ts';

export const plainArming: Arming = { family: 'plain', autoConverge: false, postCopy: false };

/** One fixed choice, made before the start and never looked at again. */
export interface Choice {
  readonly arming?: Arming;
  readonly tuning?: Tuning;
  /** Applied at once and throughout, as a cgroup would. */
  readonly throttlePercent?: number;
  /** How long the guest runs before, so that runs meet its phases alike; 0 unless told. */
  readonly leadMilliseconds?: number;
}

export interface BaselineRun {
  readonly truth: Truth;
  readonly syncs: readonly SyncRecord[];
}

const defaultDowntimeLimitMilliseconds = 300;

/** Migrates under one choice until it completes or has tried for `maxMilliseconds`. */
export function runChoice(
  scenario: Scenario,
  choice: Choice,
  maxMilliseconds = 60_000,
): BaselineRun {
  const { arming = plainArming, tuning = {}, throttlePercent = 0, leadMilliseconds = 0 } = choice;
  const simulation = new Simulation(scenario);
  while (simulation.nowMilliseconds < leadMilliseconds) simulation.step();
  simulation.cgroupThrottlePercent = throttlePercent;
  const qemu = simulation.migrate(arming, tuning);
  const endMilliseconds = leadMilliseconds + maxMilliseconds;
  while (qemu.running && simulation.nowMilliseconds < endMilliseconds) simulation.step();
  const { downtimeLimitMilliseconds = defaultDowntimeLimitMilliseconds } = tuning;
  return { truth: simulation.truth(downtimeLimitMilliseconds), syncs: qemu.syncs };
}

/** QEMU's defaults, nobody at the wheel. */
export function untouched(scenario: Scenario, maxMilliseconds?: number): BaselineRun {
  return runChoice(scenario, {}, maxMilliseconds);
}

/** QEMU's own auto-converge with its default settings. */
export function autoConverge(scenario: Scenario, maxMilliseconds?: number): BaselineRun {
  return runChoice(scenario, { arming: { ...plainArming, autoConverge: true } }, maxMilliseconds);
}

/** One throttle from start to end. */
export function staticThrottle(
  scenario: Scenario,
  throttlePercent: number,
  maxMilliseconds?: number,
): BaselineRun {
  return runChoice(scenario, { throttlePercent }, maxMilliseconds);
}
