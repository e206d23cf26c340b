/** The vCPU threads of one VM, and the group of each that is under a quota. */
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import {
  dissolveGroup,
  holdsThread,
  homeOf,
  makeGroup,
  moveThread,
  type GroupLayout,
  type Quota,
} from './groups.ts';
import { guardGroup } from './keeper.ts';

/** Lives as long as its VM is attached. */
export class VcpuGroups {
  readonly #layout: GroupLayout;
  readonly #pid: number;
  readonly #homes = new Map<number, string>();
  readonly #groups = new Map<number, string>();

  constructor(layout: GroupLayout, pid: number) {
    this.#layout = layout;
    this.#pid = pid;
  }

  get threadIds(): readonly number[] {
    return [...this.#homes.keys()];
  }

  /**
   * These are the vCPU threads from now on. False when a group of one of them is not there for us to
   * make others in. Threads found in a group that an earlier agent left are released.
   */
  follow(threadIds: readonly number[]): boolean {
    for (const threadId of this.threadIds) {
      if (threadIds.includes(threadId)) continue;
      this.#homes.delete(threadId);
      this.#dissolve(threadId);
    }
    for (const threadId of threadIds) {
      if (this.#homes.has(threadId)) continue;
      const home = writableHome(this.#layout, this.#pid, threadId);
      if (home === undefined) return false;
      this.#homes.set(threadId, home);
      moveThread(this.#layout, home, threadId);
    }
    return this.#homes.size > 0;
  }

  /** Puts each thread under its quota. Throws what the kernel answered. */
  cap(quotaOf: (threadId: number) => Quota): void {
    for (const [threadId, home] of this.#homes) {
      // The kernel gives thread ids away again, and a stranger must not come under our quota.
      if (!existsSync(`/proc/${this.#pid}/task/${threadId}`)) continue;
      const group = makeGroup(this.#layout, home, threadId);
      this.#groups.set(threadId, group);
      guardGroup(this.#layout, group);
      this.#layout.setQuota(group, quotaOf(threadId));
      moveThread(this.#layout, group, threadId);
    }
  }

  /** True while every living thread stands where it was put. */
  get isWhole(): boolean {
    return [...this.#groups].every(
      ([threadId, group]) =>
        !existsSync(`/proc/${this.#pid}/task/${threadId}`) ||
        holdsThread(this.#layout, group, threadId),
    );
  }

  /** Sends all home. Throws only when all others are free; what failed is kept for another try. */
  release(): void {
    const failures = [...this.#groups.keys()].flatMap((threadId) => {
      try {
        this.#dissolve(threadId);
        return [];
      } catch (error) {
        return [error];
      }
    });
    if (failures.length > 0) throw failures[0];
  }

  #dissolve(threadId: number): void {
    const group = this.#groups.get(threadId);
    if (group !== undefined) dissolveGroup(this.#layout, group);
    this.#groups.delete(threadId);
  }
}

function writableHome(layout: GroupLayout, pid: number, threadId: number): string | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/task/${threadId}/cgroup`, 'utf8');
    const home = homeOf(layout, text);
    if (home !== undefined) accessSync(home, constants.W_OK);
    return home;
  } catch {
    // Ended meanwhile, or not ours to write: both mean that there is no throttle to offer.
    return undefined;
  }
}
