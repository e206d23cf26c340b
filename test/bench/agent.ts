/** `npm run bench -- agent`: what ferryman itself costs while one VM migrates. */
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import { startPair } from '../rig/pair.ts';
import { familyOf, watchCpu } from './policies/cpu-watch.ts';
import { runFerryman } from './policies/ferryman-run.ts';
import { median } from './policies/statistics.ts';
import { workloads } from './policies/workloads.ts';
import { withScratch } from './scratch.ts';

const linkBytesPerSecond = 32 * 2 ** 20;
const largestCpuShare = 0.03;
/** A long one that is not throttled: what there is to see and to decide, for half a minute. */
const settings = { qemu: '7.2', workload: 'random', policy: 'none', deadlineSeconds: 30 } as const;
const memoryPollMilliseconds = 500;

interface Cost {
  /** CPU of the agents, brain and bus together, over one core. */
  readonly cpuShare: number;
  /** Of that, the bus. */
  readonly busCpuShare: number;
  readonly residentMebibytes: number;
}

/** Prints a Markdown table; exit code 1 when the CPU is above the goal. */
export async function benchAgent(ferryman: string, words: readonly string[]): Promise<number> {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...words],
    options: { runs: { ...text, default: '3' }, json: text },
  });
  const costs: Cost[] = [];
  await withScratch(async (folder) => {
    const tracePath = join(folder, 'trace.jsonl');
    for (let run = 1; run <= Number(values.runs); run++) {
      costs.push(await measure(ferryman, tracePath));
    }
  });
  const cpuShare = median(costs.map((cost) => cost.cpuShare));
  const busCpuShare = median(costs.map((cost) => cost.busCpuShare));
  const residentMebibytes = median(costs.map((cost) => cost.residentMebibytes));
  const holds = cpuShare <= largestCpuShare;
  const verdict = holds ? 'holds' : 'does not hold';
  const lines = [
    '| ferryman while one VM migrates | median | goal |',
    '| --- | --- | --- |',
    `| CPU, percent of a core | ${(100 * cpuShare).toFixed(2)} | at most 3: ${verdict} |`,
    `| of that, the bus | ${(100 * busCpuShare).toFixed(2)} | - |`,
    `| resident memory, MiB | ${residentMebibytes.toFixed(0)} | - |`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
  if (values.json !== undefined) {
    const figures = { cpuShare, busCpuShare, residentMebibytes, costs };
    writeFileSync(values.json, `${JSON.stringify({ ...circumstances(), ...figures })}\n`);
  }
  return holds ? 0 : 1;
}

function circumstances() {
  const cores = cpus();
  return {
    date: new Date().toISOString().slice(0, 10),
    machine: { cpu: cores[0]?.model ?? 'unknown', cores: cores.length },
    versions: { node: process.versions.node, qemu: settings.qemu },
    settings,
  };
}

async function measure(ferryman: string, tracePath: string): Promise<Cost> {
  const workload = workloads.find(({ name }) => name === settings.workload);
  if (workload === undefined) throw new Error(`no workload ${settings.workload}`);
  const pair = await startPair({
    qemu: settings.qemu,
    guest: workload.guest(linkBytesPerSecond),
    linkBytesPerSecond,
  });
  let pid: number | undefined;
  const cpu = watchCpu(() => ({ ferryman: familyOf(pid), bus: familyOf(pid).slice(1) }));
  const resident: number[] = [];
  const timer = setInterval(() => resident.push(residentMebibytes(pid)), memoryPollMilliseconds);
  try {
    const run = await runFerryman(pair, {
      ...settings,
      ferryman,
      tracePath,
      linkBytesPerSecond,
      downtimeLimitMilliseconds: 300,
      onStart: () => undefined,
      onProcess: (started) => (pid = started),
    });
    await sleep(memoryPollMilliseconds);
    const end = run.startMilliseconds + run.totalMilliseconds;
    const share = (group: string) =>
      (1000 * cpu.secondsBetween(group, run.startMilliseconds, end)) / run.totalMilliseconds;
    return {
      cpuShare: share('ferryman'),
      busCpuShare: share('bus'),
      residentMebibytes: Math.max(0, ...resident),
    };
  } finally {
    clearInterval(timer);
    cpu.stop();
    await pair.stop();
  }
}

/** Of the process and what it started; 0 of what has ended. */
function residentMebibytes(pid: number | undefined): number {
  return familyOf(pid).reduce((sum, each) => sum + residentKibibytes(each) / 1024, 0);
}

function residentKibibytes(pid: number): number {
  try {
    return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}
