/**
 * CPU quota groups for single threads, over cgroup v1 or v2. A group of ours is always a child of the
 * thread's own group: limits above it keep holding, and where a thread has to return to can be read
 * off the tree, even by a later process that finds the group left behind.
 */
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** What differs between the two cgroup versions. All paths are directories below the cgroup mount. */
export interface GroupLayout {
  readonly version: 1 | 2;
  /** Where groups live; a sweep looks below it and nowhere else. */
  readonly root: string;
  /** The file that lists a group's threads and takes a thread id to move it in. */
  readonly threadsFile: string;
  /** The group named by a /proc/PID/task/TID/cgroup text; undefined when there is none we may use. */
  groupOf(procText: string): string | undefined;
  /** Makes a fresh child able to hold single threads under a quota. */
  prepare(group: string): void;
  setQuota(group: string, quota: Quota): void;
  /** Undoes what `prepare` did to the parent, once the group is gone. */
  tidy(home: string): void;
}

/** CPU time allowed per period, both in microseconds. */
export interface Quota {
  readonly quotaMicroseconds: number;
  readonly periodMicroseconds: number;
}

/**
 * A process of ferryman. A process id says something only within its namespace (pid_namespaces(7)),
 * and the kernel gives it away again; the time of the start tells.
 */
export interface Owner {
  /** The inode of its namespace of process ids; 0 where there is none to read. */
  readonly namespace: number;
  readonly pid: number;
  /** Since boot, in the kernel's ticks. */
  readonly startTicks: number;
}

const ownName = /^ferryman-(\d+)-(\d+)-(\d+)-\d+$/;
const ownNamespace = namespaceOfThisProcess();

/** True for the directory name of a group that some ferryman process made. */
export function isOwnGroup(path: string): boolean {
  return ownName.test(basename(path));
}

/** The group a thread belongs to by right: its group, or the parent of it when that group is ours. */
export function homeOf(layout: GroupLayout, procText: string): string | undefined {
  const group = layout.groupOf(procText);
  if (group === undefined || !existsSync(join(group, layout.threadsFile))) return undefined;
  return isOwnGroup(group) ? dirname(group) : group;
}

/** Makes the group for one thread below its home, without moving the thread; returns its path. */
export function makeGroup(layout: GroupLayout, home: string, threadId: number): string {
  const startTicks = startTicksOf(process.pid) ?? 0;
  const group = join(home, `ferryman-${ownNamespace}-${process.pid}-${startTicks}-${threadId}`);
  mkdirSync(group, { recursive: true });
  layout.prepare(group);
  return group;
}

/** Moves a thread; a thread that has ended meanwhile is not an error, there is nothing to move. */
export function moveThread(layout: GroupLayout, group: string, threadId: number): void {
  try {
    writeFileSync(join(group, layout.threadsFile), String(threadId));
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}

/** A thread may be born in a group while it is emptied; more often than this it is something else. */
const emptyings = 5;

/** Sends every thread of a group home and removes the group; one already removed is fine. */
export function dissolveGroup(layout: GroupLayout, group: string): void {
  const home = dirname(group);
  for (let emptying = 1; existsSync(group); emptying++) {
    try {
      emptyGroup(layout, group, home);
      rmdirSync(group);
    } catch (error) {
      const isBusy = (error as NodeJS.ErrnoException).code === 'EBUSY';
      if (!isGone(error) && !(isBusy && emptying < emptyings)) throw error;
    }
  }
  layout.tidy(home);
}

function emptyGroup(layout: GroupLayout, group: string, home: string): void {
  for (const thread of threadsIn(layout, group)) moveThread(layout, home, Number(thread));
}

/** Whether the group is there and holds the thread: administrators and other tools move threads too. */
export function holdsThread(layout: GroupLayout, group: string, threadId: number): boolean {
  return existsSync(group) && threadsIn(layout, group).includes(String(threadId));
}

function threadsIn(layout: GroupLayout, group: string): string[] {
  return readFileSync(join(group, layout.threadsFile), 'utf8').split('\n').filter(Boolean);
}

/**
 * Dissolves the groups of ferryman processes that no longer live (crashed, killed) and returns how
 * many there were. Groups of a living process are its own business, and so are those of another
 * namespace of process ids: an agent in a container cannot see who lives outside.
 */
export function sweep(layout: GroupLayout, isAlive: (owner: Owner) => boolean = lives): number {
  let swept = 0;
  for (const group of groupsBelow(layout.root)) {
    const [, ...figures] = ownName.exec(basename(group)) ?? [];
    const [namespace = 0, pid = 0, startTicks = 0] = figures.map(Number);
    if (isAlive({ namespace, pid, startTicks })) continue;
    dissolveGroup(layout, group);
    swept += 1;
  }
  return swept;
}

function groupsBelow(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(directory, entry.name))
    .flatMap((path) => (isOwnGroup(path) ? [path] : readableGroupsBelow(path)));
}

/** Groups come and go while the tree is read. */
function readableGroupsBelow(directory: string): string[] {
  try {
    return groupsBelow(directory);
  } catch (error) {
    if (isGone(error)) return [];
    throw error;
  }
}

function lives({ namespace, pid, startTicks }: Owner): boolean {
  return namespace !== ownNamespace || startTicksOf(pid) === startTicks;
}

function namespaceOfThisProcess(): number {
  try {
    return Number(/\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? 0);
  } catch {
    return 0;
  }
}

/** Field 22 of /proc/PID/stat (proc(5)); undefined when there is no such process. */
function startTicksOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name, field 2, may hold spaces and parentheses: what follows the last one begins at 3.
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
  } catch {
    return undefined;
  }
}

function isGone(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ENOENT' || code === 'ESRCH' || code === 'ENODEV';
}
