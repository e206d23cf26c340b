/** Processes and their groups on this host, for the tests that need a real cgroup v1. */
import assert from 'node:assert/strict';
import { accessSync, constants, readFileSync, readdirSync } from 'node:fs';
import { openCgroupThrottle } from '../../../agent/throttle/cgroup.ts';
import { homeOf } from '../../../agent/throttle/groups.ts';
import { detectLayout } from '../../../agent/throttle/layouts.ts';
import { readVcpuSeconds } from '../../../agent/collectors/vcpu.ts';
import { until } from '../agent-rig.ts';

/** The throttle of a process with one thread. */
export function openThrottle(pid: number, read = () => readVcpuSeconds(pid, [pid])) {
  const layout = detectLayout() ?? assert.fail('no cgroup layout');
  const options = { layout, pid, threadIds: [pid], cpuSeconds: read };
  return openCgroupThrottle(options) ?? assert.fail('the throttle is not available');
}

/** The threads of a process, once it has more than two. */
export function threadsOf(pid: number): Promise<number[]> {
  return until('threads', () => {
    const found = readdirSync(`/proc/${pid}/task`).map(Number);
    return found.length > 2 ? found : undefined;
  });
}

/** The group that a thread is in; its own by default. */
export function groupOf(pid: number, threadId = pid): string {
  const text = readFileSync(`/proc/${pid}/task/${threadId}/cgroup`, 'utf8');
  return detectLayout()?.groupOf(text) ?? assert.fail(text);
}

/** CPU time of a process with one thread. */
export function cpuSeconds(pid: number): number {
  return readVcpuSeconds(pid, [pid]) ?? assert.fail('no CPU time');
}

/** Whether this process may make groups here. */
export function canUseV1(): boolean {
  const layout = detectLayout();
  if (layout?.version !== 1) return false;
  const text = readFileSync('/proc/self/cgroup', 'utf8');
  try {
    accessSync(homeOf(layout, text) ?? '', constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
