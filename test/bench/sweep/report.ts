/** What the sweep found, as figures and as Markdown. */
import type { Verdict } from './judge.ts';

export interface Summary {
  readonly seeds: number;
  /** Seeds whose J exceeds 1.5 times the best other + 0.3: the goal is none. */
  readonly beyond: number;
  /** Seeds within 1.1 times + 0.3. */
  readonly withinTenth: number;
  readonly medianRatio: number;
  readonly p95Ratio: number;
  readonly worstRatio: number;
  /** Seeds that nobody completes. */
  readonly impossible: number;
  /** How often each other choice was the best of them. */
  readonly bestOthers: Readonly<Record<string, number>>;
}

const mostRatio = 1.5;
const tenth = 1.1;
const worstShown = 10;

/** The ratio to judge by: what adaptive did not complete and another did is infinitely worse. */
function ratioOf({ ratio, bestCost }: Verdict): number {
  if (bestCost === null) return 0;
  return ratio ?? Infinity;
}

export function summaryOf(verdicts: readonly Verdict[]): Summary {
  const ratios = verdicts.map(ratioOf).toSorted((one, other) => one - other);
  const at = (share: number) =>
    ratios[Math.min(ratios.length - 1, Math.floor(share * ratios.length))] ?? NaN;
  return {
    seeds: verdicts.length,
    beyond: ratios.filter((ratio) => ratio > mostRatio).length,
    withinTenth: ratios.filter((ratio) => ratio <= tenth).length,
    medianRatio: at(0.5),
    p95Ratio: at(0.95),
    worstRatio: at(1),
    impossible: verdicts.filter(({ bestCost }) => bestCost === null).length,
    bestOthers: countsOf(verdicts.map(({ best }) => best)),
  };
}

function countsOf(names: readonly string[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return Object.fromEntries([...counts].toSorted(([, one], [, other]) => other - one));
}

/** The report, in Markdown. */
export function reportOf(verdicts: readonly Verdict[], maxThrottlePercent: number): string {
  const summary = summaryOf(verdicts);
  const { seeds, beyond, withinTenth, medianRatio, p95Ratio, worstRatio, impossible } = summary;
  const share = (100 * withinTenth) / Math.max(1, seeds);
  const others = Object.entries(summary.bestOthers).map(([name, count]) => `${name} ${count}`);
  return [
    `# adaptive against every other choice, ${seeds} simulated workloads, throttle up to ${maxThrottlePercent} %`,
    '',
    '| J less 0.3, over the best other J | |',
    '| --- | --- |',
    `| median, 95th percentile, worst | ${[medianRatio, p95Ratio, worstRatio].map(figure).join(', ')} |`,
    `| within 1.1 | ${withinTenth} (${share.toFixed(1)} %) |`,
    `| beyond 1.5 | ${beyond}, goal 0: ${beyond === 0 ? 'holds' : 'does not hold'} |`,
    `| that nobody completes | ${impossible} |`,
    '',
    `Best of the others: ${others.join(', ')}.`,
    '',
    '| seed | workload | adaptive | J | best other | J | ratio | reason |',
    '| --- | --- | --- | --- | --- | --- | --- | --- |',
    ...worst(verdicts).map(row),
  ].join('\n');
}

function worst(verdicts: readonly Verdict[]): readonly Verdict[] {
  return verdicts.toSorted((one, other) => ratioOf(other) - ratioOf(one)).slice(0, worstShown);
}

function row(verdict: Verdict): string {
  const { seed, workload, chosen, cost, best, bestCost, ratio, reason } = verdict;
  const cells = [seed, workload, chosen, figure(cost), best, figure(bestCost), figure(ratio)];
  return `| ${[...cells, reason].join(' | ')} |`;
}

function figure(value: number | null): string {
  return value === null ? '-' : value.toFixed(2);
}
