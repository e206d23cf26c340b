/** `npm run bench -- agent`: what ferryman itself costs, migrating and at rest. */
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { median } from '../policies/statistics.ts';
import { withScratch } from '../scratch.ts';
import { measureMigrating, migratingSettings, type MigratingCost } from './migrating.ts';
import { measureAtRest } from './resting.ts';
import { holds, tableOf } from './table.ts';

const qemu = '7.2';

/** Prints a Markdown table; exit code 1 when a goal is missed. */
export async function benchAgent(ferryman: string, words: readonly string[]): Promise<number> {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...words],
    options: {
      runs: { ...text, default: '3' },
      vms: { ...text, default: '20' },
      seconds: { ...text, default: '60' },
      json: text,
    },
  });
  const [runs, vms, seconds] = [values.runs, values.vms, values.seconds].map(Number);
  const figures = await withScratch(async (folder) => {
    const rest = { ferryman, qemu, vms: vms ?? 0, seconds: seconds ?? 0, folder } as const;
    const atRest = await measureAtRest(rest);
    const costs: MigratingCost[] = [];
    for (let run = 1; run <= (runs ?? 0); run++) {
      costs.push(await measureMigrating(ferryman, join(folder, 'trace.jsonl')));
    }
    return { vms: rest.vms, seconds: rest.seconds, atRest, migrating: mediansOf(costs), costs };
  });
  process.stdout.write(`${tableOf(figures).join('\n')}\n`);
  if (values.json !== undefined) {
    writeFileSync(values.json, `${JSON.stringify({ ...circumstances(), ...figures })}\n`);
  }
  return holds(figures) ? 0 : 1;
}

function mediansOf(costs: readonly MigratingCost[]): MigratingCost {
  const of = (figure: keyof MigratingCost) => median(costs.map((cost) => cost[figure]));
  return {
    cpuShare: of('cpuShare'),
    busCpuShare: of('busCpuShare'),
    residentMebibytes: of('residentMebibytes'),
  };
}

function circumstances() {
  const cores = cpus();
  return {
    date: new Date().toISOString().slice(0, 10),
    machine: { cpu: cores[0]?.model ?? 'unknown', cores: cores.length },
    versions: { node: process.versions.node, qemu },
    settings: migratingSettings,
  };
}
