/** CPU time of processes over a migration, whichever of them come and go. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseThreadSeconds } from '../../../agent/collectors/vcpu.ts';

/** Process ids by what they are counted as. */
export type ProcessGroups = Readonly<Record<string, readonly (number | undefined)[]>>;

export interface CpuWatch {
  /** CPU seconds a group used between two Unix times; `host` is the whole machine. */
  secondsBetween(group: string, fromMilliseconds: number, toMilliseconds: number): number;
  stop(): void;
}

interface Point {
  readonly atMilliseconds: number;
  readonly seconds: Readonly<Record<string, number>>;
}

const periodMilliseconds = 100;
const ticksPerSecond = 100;

/** Watches until `stop`; `groups` is asked anew at each look. */
export function watchCpu(groups: () => ProcessGroups): CpuWatch {
  const points: Point[] = [];
  // The last seen of each process: what one used is not forgotten when it ends.
  const used = new Map<string, Map<number, number>>();
  const look = (): void => {
    for (const [group, pids] of Object.entries(groups())) {
      const known = used.get(group) ?? new Map<number, number>();
      used.set(group, known);
      for (const pid of pids) {
        const seconds = pid === undefined ? undefined : processSeconds(pid);
        if (pid !== undefined && seconds !== undefined) known.set(pid, seconds);
      }
    }
    const sums = [...used].map(([group, known]) => [group, sum([...known.values()])] as const);
    const seconds = { ...Object.fromEntries(sums), host: hostSeconds() };
    points.push({ atMilliseconds: Date.now(), seconds });
  };
  look();
  const timer = setInterval(look, periodMilliseconds);
  return {
    secondsBetween: (group, from, to) =>
      secondsAt(points, group, to) - secondsAt(points, group, from),
    stop: () => {
      clearInterval(timer);
    },
  };
}

/** How many cores of the machine are busy, measured over this time. */
export async function hostBusyCores(milliseconds: number): Promise<number> {
  const before = hostSeconds();
  await sleep(milliseconds);
  return ((hostSeconds() - before) * 1000) / milliseconds;
}

/** A process and all that it started. */
export function familyOf(pid: number | undefined): readonly number[] {
  if (pid === undefined) return [];
  const children = read(`/proc/${pid}/task/${pid}/children`) ?? '';
  return [pid, ...children.split(' ').filter(Boolean).map(Number).flatMap(familyOf)];
}

function secondsAt(points: readonly Point[], group: string, atMilliseconds: number): number {
  return points.findLast((point) => point.atMilliseconds <= atMilliseconds)?.seconds[group] ?? 0;
}

/** User and system time of a process; undefined when it has ended. */
export function processSeconds(pid: number): number | undefined {
  const text = read(`/proc/${pid}/stat`);
  return text === undefined ? undefined : parseThreadSeconds(text);
}

/** All that was not idle, nor waiting for a disk, nor of lower priority: that gives way at once. */
function hostSeconds(): number {
  const [all = ''] = (read('/proc/stat') ?? '').split('\n');
  const [user = 0, , system = 0, , , interrupt = 0, soft = 0, steal = 0] = all
    .split(/\s+/)
    .slice(1)
    .map(Number);
  return sum([user, system, interrupt, soft, steal]) / ticksPerSecond;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // Ended meanwhile.
    return undefined;
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
