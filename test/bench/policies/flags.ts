/** The flags of `npm run bench -- policies`. */
import { parseArgs } from 'node:util';
import { join } from 'node:path';
import { parseBandwidth, parseDuration } from '../../../shared/units.ts';
import { projectRoot, type QemuVersion } from '../../../scripts/tools.mjs';
import { policies } from './policies.ts';
import { workloads } from './workloads.ts';

export interface BenchFlags {
  readonly qemu: QemuVersion;
  readonly links: readonly number[];
  readonly workloads: readonly string[];
  readonly policies: readonly string[];
  /** Policies whose cells are measured anew. */
  readonly again: readonly string[];
  /** Runs of each cell; default by policy. */
  readonly runs?: number;
  /** How long a cell waits for a machine that is busy with something else. */
  readonly patienceMilliseconds: number;
  readonly json: string;
}

const versions: readonly QemuVersion[] = ['7.2', '10.0'];

/** Throws RangeError for what there is not, with what there is. */
export function benchFlags(words: readonly string[]): BenchFlags {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...words],
    options: {
      qemu: { ...text, default: '7.2' },
      link: { ...text, default: '32MiB/s,250MiB/s' },
      workloads: text,
      policies: text,
      again: { ...text, default: '' },
      runs: text,
      patience: { ...text, default: '2m' },
      json: text,
    },
  });
  const allPolicies = policies.map(({ name }) => name);
  const [qemu = '7.2'] = chosen('--qemu', values.qemu, versions);
  const runs = values.runs === undefined ? undefined : Number(values.runs);
  if (runs !== undefined && !(Number.isInteger(runs) && runs > 0)) {
    throw new RangeError(`--runs: ${String(values.runs)} is not a number of runs, like 1 or 3`);
  }
  const date = new Date().toISOString().slice(0, 10);
  return {
    qemu,
    links: values.link.split(',').map(parseBandwidth),
    workloads: chosen(
      '--workloads',
      values.workloads,
      workloads.map(({ name }) => name),
    ),
    policies: chosen('--policies', values.policies, allPolicies),
    again: values.again === '' ? [] : chosen('--again', values.again, allPolicies),
    ...(runs !== undefined && { runs }),
    patienceMilliseconds: parseDuration(values.patience),
    json: values.json ?? join(projectRoot, `test/bench/records/${date}-policies.json`),
  };
}

/** The named ones of `all`, in the order of `all`; every one when none is named. */
export function chosen<T extends string>(
  flag: string,
  text: string | undefined,
  all: readonly T[],
): T[] {
  if (text === undefined) return [...all];
  const names = text.split(',');
  const unknown = names.filter((name) => !all.some((known) => known === name));
  if (unknown.length > 0) {
    throw new RangeError(`${flag}: no ${unknown.join(', ')}; there are ${all.join(', ')}`);
  }
  return all.filter((name) => names.includes(name));
}
