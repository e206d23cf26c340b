/** CPU time of vCPU threads, from /proc/PID/task/TID. */
import { closeSync, openSync, readSync } from 'node:fs';
import { nanosecondsToMilliseconds } from '../qemu/units.ts';

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
const sources = [
  { name: 'schedstat', parse: parseSchedulerSeconds },
  { name: 'stat', parse: parseThreadSeconds },
];

/** The CPU time of a process's threads, asked for again and again. */
export interface VcpuClock {
  /** CPU seconds of each of these threads since it began; undefined when one of them is gone. */
  read(threadIds: readonly number[]): readonly number[] | undefined;
  /** Nothing can be read afterwards. */
  close(): void;
}

/** Keeps the files open that it has read: opening one costs several times as much as reading it. */
export function openVcpuClock(qemuPid: number, procRoot = '/proc'): VcpuClock {
  const files = new Map<number, ThreadFile>();
  let isOpen = true;
  const fileOf = (threadId: number): ThreadFile | undefined => {
    const known = files.get(threadId);
    if (known !== undefined || !isOpen) return known;
    const opened = openThread(`${procRoot}/${String(qemuPid)}/task/${String(threadId)}`);
    if (opened !== undefined) files.set(threadId, opened);
    return opened;
  };
  const readThread = (threadId: number): number | undefined => {
    const file = fileOf(threadId);
    const seconds = file && readSeconds(file);
    if (file === undefined || seconds !== undefined) return seconds;
    closeSync(file.descriptor);
    files.delete(threadId);
    return undefined;
  };
  return {
    read(threadIds) {
      const all: number[] = [];
      for (const id of threadIds) {
        const seconds = readThread(id);
        if (seconds === undefined) return undefined;
        all.push(seconds);
      }
      return all;
    },
    close() {
      isOpen = false;
      for (const { descriptor } of files.values()) closeSync(descriptor);
      files.clear();
    },
  };
}

/** CPU seconds of these threads since each began, added; undefined when one of them is gone. */
export function readVcpuSeconds(
  qemuPid: number,
  threadIds: readonly number[],
  procRoot = '/proc',
): number | undefined {
  const clock = openVcpuClock(qemuPid, procRoot);
  try {
    return addSeconds(clock.read(threadIds));
  } finally {
    clock.close();
  }
}

/** Of nobody it is not known. */
export function addSeconds(seconds: readonly number[] | undefined): number | undefined {
  if (seconds === undefined || seconds.length === 0) return undefined;
  return seconds.reduce((sum, each) => sum + each, 0);
}

/** Stays with its thread: when that has ended nothing can be read, whoever gets its number. */
interface ThreadFile {
  readonly descriptor: number;
  readonly parse: (text: string) => number | undefined;
}

function openThread(directory: string): ThreadFile | undefined {
  for (const { name, parse } of sources) {
    try {
      return { descriptor: openSync(`${directory}/${name}`, 'r'), parse };
    } catch {
      // This kernel does not have it, or the thread has ended.
    }
  }
  return undefined;
}

/** More than any line of the two has. */
const line = Buffer.alloc(1024);

function readSeconds({ descriptor, parse }: ThreadFile): number | undefined {
  try {
    return parse(line.toString('latin1', 0, readSync(descriptor, line, 0, line.length, 0)));
  } catch {
    return undefined;
  }
}
