/** Processors of the host, from /proc/stat. */
import type { HostSample } from '../../shared/sample.ts';
import { type HostCollector, type HostSource, readRequiredKernelFile } from './collector.ts';

/** Ticks since boot, all processors added. */
export interface CpuTicks {
  readonly cores: number;
  readonly busy: number;
  readonly steal: number;
  readonly total: number;
}

export type CpuShares = Pick<
  HostSample,
  'cpuCores' | 'cpuBusyShare' | 'cpuStealShare' | 'idleCpuCores'
>;

/** Columns of /proc/stat after "cpu" (proc(5)). Guest time is part of user time, and not added again. */
const busyColumns = { user: 0, nice: 1, system: 2, irq: 5, softirq: 6 };
const idleColumns = { idle: 3, iowait: 4 };
const stealColumn = 7;

/** Parses /proc/stat. */
export function parseCpuTicks(text: string): CpuTicks {
  const summary = /^cpu +(.+)$/m.exec(text)?.[1];
  if (summary === undefined) throw new Error('/proc/stat has no line "cpu"');
  const ticks = summary.split(' ').map(Number);
  const sum = (...columns: readonly number[]) =>
    columns.reduce((total, column) => total + (ticks[column] ?? 0), 0);
  const busy = sum(...Object.values(busyColumns));
  const steal = sum(stealColumn);
  const cores = text.match(/^cpu\d+ /gm)?.length ?? 1;
  return { cores, busy, steal, total: busy + steal + sum(...Object.values(idleColumns)) };
}

const sinceBoot: CpuTicks = { cores: 0, busy: 0, steal: 0, total: 0 };

/** Shares of processor time between two readings; since boot when no tick passed between them. */
export function cpuShares(before: CpuTicks, after: CpuTicks): CpuShares {
  const base = after.total > before.total ? before : sinceBoot;
  const share = (ticks: number) =>
    Math.min(1, Math.max(0, ticks / Math.max(1, after.total - base.total)));
  const cpuBusyShare = share(after.busy - base.busy);
  const cpuStealShare = share(after.steal - base.steal);
  return {
    cpuCores: after.cores,
    cpuBusyShare,
    cpuStealShare,
    // Stolen time is not idle: it cannot be given to a compression thread.
    idleCpuCores: after.cores * Math.max(0, 1 - cpuBusyShare - cpuStealShare),
  };
}

/** Watches the host's processors: how busy they were since the last reading, and what is idle. */
export function createCpuCollector({ procRoot }: HostSource): HostCollector {
  const read = () => parseCpuTicks(readRequiredKernelFile(`${procRoot}/stat`));
  let before = read();
  return {
    name: 'cpu',
    collect() {
      const after = read();
      const shares = cpuShares(before, after);
      before = after;
      return shares;
    },
  };
}
