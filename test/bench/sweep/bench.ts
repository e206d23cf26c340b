/**
 * `npm run bench -- sweep`: `adaptive` against every other choice on hundreds of simulated
 * workloads, judged by what really happened to the simulated guests.
 */
import { writeFileSync } from 'node:fs';
import { setImmediate as breathe } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { defaultObjective } from '../../../shared/objective.ts';
import { judge, type Verdict } from './judge.ts';
import { reportOf, summaryOf } from './report.ts';

const signals = ['SIGINT', 'SIGTERM'] as const;

/** Prints a Markdown report; exit code 1 when a seed is beyond the goal. A signal ends it early. */
export async function benchSweep(_ferryman: string, words: readonly string[]): Promise<number> {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...words],
    options: {
      seeds: { ...text, default: '500' },
      from: { ...text, default: '0' },
      'max-throttle': { ...text, default: String(defaultObjective.maxThrottlePercent) },
      json: text,
    },
  });
  const from = wholeNumber('--from', values.from);
  const seeds = wholeNumber('--seeds', values.seeds);
  const maxThrottlePercent = wholeNumber('--max-throttle', values['max-throttle']);
  const verdicts = await judgeAll(from, seeds, maxThrottlePercent);
  const summary = summaryOf(verdicts);
  const record = { date: new Date().toISOString(), maxThrottlePercent, from, summary, verdicts };
  if (values.json !== undefined) {
    writeFileSync(values.json, `${JSON.stringify(record, undefined, 1)}\n`);
  }
  process.stdout.write(`${reportOf(verdicts, maxThrottlePercent)}\n`);
  return summary.beyond === 0 && verdicts.length === seeds ? 0 : 1;
}

function wholeNumber(flag: string, text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  throw new RangeError(`${flag}: ${text} is not a whole number, like 500`);
}

/** One after the other; what was judged when a signal came is reported all the same. */
async function judgeAll(
  from: number,
  seeds: number,
  maxThrottlePercent: number,
): Promise<readonly Verdict[]> {
  const verdicts: Verdict[] = [];
  const stop = new AbortController();
  const end = (): void => {
    stop.abort();
  };
  for (const signal of signals) process.once(signal, end);
  while (verdicts.length < seeds && !stop.signal.aborted) {
    verdicts.push(judge(from + verdicts.length, maxThrottlePercent));
    if (verdicts.length % 50 === 0) process.stderr.write(`${verdicts.length}/${seeds}\n`);
    await breathe();
  }
  for (const signal of signals) process.off(signal, end);
  return verdicts;
}
