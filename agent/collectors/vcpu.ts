/** CPU time of vCPU threads, from /proc/PID/task/TID. */
import { nanosecondsToMilliseconds } from '../qemu/units.ts';
import { readKernelFile } from './collector.ts';

/** USER_HZ, which the kernel fixes at 100 on every architecture that runs KVM. */
const ticksPerSecond = 100;

/** Parses /proc/PID/task/TID/schedstat: nanoseconds on a CPU come first. */
export function parseSchedulerSeconds(text: string): number | undefined {
  const nanoseconds = /^(\d+) /.exec(text)?.[1];
  return nanoseconds === undefined
    ? undefined
    : nanosecondsToMilliseconds(Number(nanoseconds)) / 1000;
}

/**
 * Parses /proc/PID/task/TID/stat: user and system time, fields 14 and 15 (proc(5)). The thread's
 * name, field 2, may hold spaces and parentheses, so counting starts after the last one.
 */
export function parseThreadSeconds(text: string): number | undefined {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]);
  return Number.isFinite(ticks) ? ticks / ticksPerSecond : undefined;
}

/** schedstat counts nanoseconds where stat counts ticks of 10 ms: a tenth of our sample period. */
function readThreadSeconds(directory: string): number | undefined {
  const precise = readKernelFile(`${directory}/schedstat`);
  if (precise !== undefined) return parseSchedulerSeconds(precise);
  const coarse = readKernelFile(`${directory}/stat`);
  return coarse === undefined ? undefined : parseThreadSeconds(coarse);
}

/** CPU seconds of these threads since each began, added; undefined when one of them is gone. */
export function readVcpuSeconds(
  qemuPid: number,
  threadIds: readonly number[],
  procRoot = '/proc',
): number | undefined {
  let sumSeconds = 0;
  for (const id of threadIds) {
    const seconds = readThreadSeconds(`${procRoot}/${String(qemuPid)}/task/${String(id)}`);
    if (seconds === undefined) return undefined;
    sumSeconds += seconds;
  }
  return threadIds.length === 0 ? undefined : sumSeconds;
}
