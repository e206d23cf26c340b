/** `npm run bench -- detection`: does the detector know in time which migrations will not end? */
import { writeFileSync } from 'node:fs';
import { setImmediate as breathe } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { goalsOf } from './goals.ts';
import { judge, type Judgement } from './judge.ts';
import { rules } from './rules.ts';
import { sectionOf } from './table.ts';
import { watch, type Watched } from './watch.ts';

interface Flags {
  readonly from: number;
  readonly seeds: number;
  readonly json?: string;
}

const sights = [
  { title: 'With a probe', canProbe: true },
  { title: 'Without a probe', canProbe: false },
];

/** Prints Markdown; exit code 1 when a goal does not hold with a probe. */
export async function benchDetection(_ferryman: string, words: readonly string[]): Promise<number> {
  const flags = flagsOf(words);
  const parts = [`# Detection, seeds ${flags.from} to ${flags.from + flags.seeds - 1}`];
  const sections: object[] = [];
  let holds = true;
  for (const { title, canProbe } of sights) {
    const judgements = await judgeAll(flags, canProbe);
    const goals = judgements.slice(0, 1).flatMap(goalsOf);
    if (canProbe) holds = goals.every((goal) => goal.holds);
    parts.push(sectionOf(title, judgements));
    sections.push({ title, goals, rules: judgements.map(recordOf) });
  }
  process.stdout.write(`${parts.join('\n\n')}\n`);
  if (flags.json !== undefined) {
    const record = { date: new Date().toISOString(), ...flags, sections };
    writeFileSync(flags.json, `${JSON.stringify(record, undefined, 1)}\n`);
  }
  return holds ? 0 : 1;
}

/** Without the syncs of each guest: the seed brings them back. */
function recordOf({ rule, judged }: Judgement): object {
  return {
    rule,
    judged: judged.map(({ watched: { syncs: _, calls: __, ...watched }, ...rest }) => ({
      ...watched,
      ...rest,
    })),
  };
}

function flagsOf(words: readonly string[]): Flags {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...words],
    options: { from: { ...text, default: '0' }, seeds: { ...text, default: '300' }, json: text },
  });
  return {
    from: wholeNumber('--from', values.from, 0),
    seeds: wholeNumber('--seeds', values.seeds, 1),
    ...(values.json !== undefined && { json: values.json }),
  };
}

function wholeNumber(flag: string, text: string, least: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= least) return value;
  throw new RangeError(`${flag}: ${text} is not a whole number from ${least} on`);
}

async function judgeAll({ from, seeds }: Flags, canProbe: boolean): Promise<readonly Judgement[]> {
  const guests: Watched[] = [];
  while (guests.length < seeds) {
    guests.push(watch(from + guests.length, canProbe));
    if (guests.length % 50 === 0) process.stderr.write(`${guests.length}/${seeds}\n`);
    // A signal is heard between two guests.
    await breathe();
  }
  return rules.map(({ name }) => judge(name, guests));
}
