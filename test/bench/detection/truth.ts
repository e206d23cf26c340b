/** What really happens to a guest that nobody touches. */
import { runChoice } from '../../simulator/baseline.ts';
import { Guest } from '../../simulator/guest.ts';
import type { SyncRecord } from '../../simulator/qemu.ts';
import { seededRandom } from '../../simulator/random.ts';
import type { Scenario, Truth } from '../../simulator/simulation.ts';
import { pageBytes } from '../../simulator/workload.ts';

/** An untouched run that takes longer than this many times M/R diverges. */
const divergingPasses = 10;
/** The first round whose true contraction reaches this is when the truth shows. */
const trueContraction = 0.98;

/** 10 x M/R: what the RAM that is not zero takes on this link, ten times over. */
export function patienceMilliseconds(scenario: Scenario): number {
  const { zero } = new Guest(scenario.workload, seededRandom(scenario.seed));
  const nonZeroBytes = zero.reduce((sum, isZero) => sum + pageBytes * (1 - isZero), 0);
  return (1000 * divergingPasses * nonZeroBytes) / linkOf(scenario);
}

export function linkOf({ linkBytesPerSecond }: Scenario): number {
  return typeof linkBytesPerSecond === 'number' ? linkBytesPerSecond : linkBytesPerSecond(0);
}

/** Migrates it from `startMilliseconds` of its life on; what has not completed in time diverges. */
export function leftAlone(scenario: Scenario, startMilliseconds: number): Truth {
  const choice = { leadMilliseconds: startMilliseconds };
  return runChoice(scenario, choice, patienceMilliseconds(scenario)).truth;
}

/** Its twin: from `atMilliseconds` of its life on it does for ever what the guest did then. */
export function twin(scenario: Scenario, atMilliseconds: number): Scenario {
  const { workload } = scenario;
  const loads = (run: number) => workload.loads(Math.min(run, atMilliseconds));
  return { ...scenario, workload: { ...workload, loads } };
}

/** The sync that ends the first round which left nearly all that it found; -1 when none did. */
export function whenTruthShows(syncs: readonly SyncRecord[]): number {
  return syncs.findIndex(
    ({ remainingBytes }, index) =>
      index > 0 && remainingBytes >= trueContraction * (syncs[index - 1]?.remainingBytes ?? 0),
  );
}
