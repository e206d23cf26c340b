/** What ferryman itself costs while one VM migrates. */
import { setTimeout as sleep } from 'node:timers/promises';
import { startPair } from '../../rig/pair.ts';
import { familyOf, watchCpu } from '../policies/cpu-watch.ts';
import { runFerryman } from '../policies/ferryman-run.ts';
import { workloads } from '../policies/workloads.ts';
import { residentMebibytes } from './processes.ts';

const linkBytesPerSecond = 32 * 2 ** 20;
/** A long one that is not throttled: what there is to see and to decide, for half a minute. */
export const migratingSettings = {
  qemu: '7.2',
  workload: 'random',
  policy: 'none',
  deadlineSeconds: 30,
} as const;
const memoryPollMilliseconds = 500;

export interface MigratingCost {
  /** CPU of the agents, brain and bus together, over one core. */
  readonly cpuShare: number;
  /** Of that, the bus. */
  readonly busCpuShare: number;
  readonly residentMebibytes: number;
}

/** Migrates once; agents, brain and bus are one command. */
export async function measureMigrating(
  ferryman: string,
  tracePath: string,
): Promise<MigratingCost> {
  const workload = workloads.find(({ name }) => name === migratingSettings.workload);
  if (workload === undefined) throw new Error(`no workload ${migratingSettings.workload}`);
  const pair = await startPair({
    qemu: migratingSettings.qemu,
    guest: workload.guest(linkBytesPerSecond),
    linkBytesPerSecond,
  });
  let pid: number | undefined;
  const cpu = watchCpu(() => ({ ferryman: familyOf(pid), bus: familyOf(pid).slice(1) }));
  const resident: number[] = [];
  const timer = setInterval(() => resident.push(familyMebibytes(pid)), memoryPollMilliseconds);
  try {
    const run = await runFerryman(pair, {
      ...migratingSettings,
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

/** Of the process and what it started. */
function familyMebibytes(pid: number | undefined): number {
  return familyOf(pid).reduce((sum, each) => sum + residentMebibytes(each), 0);
}
