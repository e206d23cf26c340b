/** `npm run bench -- predictions`: what is foretold before a start, against what then happens. */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { QemuVersion } from '../../../scripts/tools.mjs';
import { parseBandwidth } from '../../../shared/units.ts';
import { drawScenario } from '../../simulator/scenarios.ts';
import { drawWideScenario } from '../../simulator/wide-scenarios.ts';
import type { Scenario } from '../../simulator/simulation.ts';
import type { Foretold, NamedGuess } from './foretold.ts';
import { benchReal } from './real-bench.ts';
import { realFamilies, realWorkloads } from './real.ts';
import { reportOf } from './report.ts';
import { foretellSeed } from './simulated.ts';

const progressEvery = 20;
const versions: readonly QemuVersion[] = ['7.2', '10.0'];

/** Prints Markdown. Throws RangeError for flags that make no sense. */
export async function benchPredictions(
  ferryman: string,
  words: readonly string[],
): Promise<number> {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...words],
    options: {
      seeds: { ...text, default: '300' },
      from: { ...text, default: '0' },
      wide: { type: 'boolean', default: false },
      real: { type: 'boolean', default: false },
      learned: { type: 'boolean', default: false },
      qemu: { ...text, default: '7.2' },
      link: { ...text, default: '32MiB/s' },
      workloads: { ...text, default: realWorkloads.join() },
      families: { ...text, default: realFamilies.join() },
      json: text,
    },
  });
  if (!values.real) {
    return benchSimulated(values.wide ? drawWideScenario : drawScenario, {
      first: countOf('--from', values.from),
      count: countOf('--seeds', values.seeds),
      json: values.json,
    });
  }
  return benchReal(ferryman, {
    qemu: oneOf('--qemu', values.qemu, versions),
    linkBytesPerSecond: parseBandwidth(values.link),
    workloads: values.workloads.split(',').map((each) => oneOf('--workloads', each, realWorkloads)),
    families: values.families.split(',').map((each) => oneOf('--families', each, realFamilies)),
    json: values.json,
    isLearned: values.learned,
  });
}

interface SimulatedFlags {
  readonly first: number;
  readonly count: number;
  readonly json: string | undefined;
}

function benchSimulated(
  draw: (seed: number) => Scenario,
  { first, count, json }: SimulatedFlags,
): number {
  const foretold: Foretold[] = [];
  const backlogs: NamedGuess[] = [];
  for (let seed = first; seed < first + count; seed++) {
    const told = foretellSeed(seed, draw(seed));
    foretold.push(...told.foretold);
    backlogs.push(...told.backlogs);
    const done = seed + 1 - first;
    if (done % progressEvery === 0) process.stderr.write(`${String(done)} of ${String(count)}\n`);
  }
  process.stdout.write(`${reportOf(foretold, backlogs)}\n`);
  if (json !== undefined) writeFileSync(json, `${JSON.stringify({ foretold, backlogs })}\n`);
  return 0;
}

function countOf(flag: string, text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 0) return count;
  throw new RangeError(`${flag}: ${text} is not a number of seeds, like 300`);
}

function oneOf<T extends string>(flag: string, text: string, known: readonly T[]): T {
  const found = known.find((each) => each === text);
  if (found !== undefined) return found;
  throw new RangeError(`${flag}: no ${text}; there are ${known.join(', ')}`);
}
