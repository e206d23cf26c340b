import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openCgroupThrottle, quotaFor } from '../../../agent/throttle/cgroup.ts';
import { homeOf, sweep } from '../../../agent/throttle/groups.ts';
import { detectLayout } from '../../../agent/throttle/layouts.ts';
import { readVcpuSeconds } from '../../../agent/collectors/vcpu.ts';

describe('cgroup throttle', () => {
  it('caps a busy vCPU at what is left of a CPU, with a 10 ms period', () => {
    assert.deepEqual(quotaFor(50, 1), { quotaMicroseconds: 5000, periodMicroseconds: 10_000 });
  });

  it('takes its share of the measured use, as a quota is a cap', () => {
    assert.deepEqual(quotaFor(50, 0.4), { quotaMicroseconds: 2000, periodMicroseconds: 10_000 });
  });

  it('lengthens the period when the quota would fall below what the kernel allows', () => {
    assert.deepEqual(quotaFor(90, 0.1), { quotaMicroseconds: 1000, periodMicroseconds: 100_000 });
    assert.deepEqual(quotaFor(99, 0.001), {
      quotaMicroseconds: 1000,
      periodMicroseconds: 1_000_000,
    });
  });
});

describe('cgroup throttle on a busy process (cgroup v1, root)', () => {
  let busy: ChildProcess;
  let pid: number;

  beforeEach(function () {
    if (!canUseV1()) {
      console.warn('      no writable cgroup v1 cpu controller here: not run');
      this.skip();
    }
    busy = spawn('/bin/sh', ['-c', 'while :; do :; done'], { stdio: 'ignore' });
    pid = busy.pid ?? assert.fail('the busy process did not start');
  });
  afterEach(() => {
    busy.kill('SIGKILL');
  });

  it('slows the thread at once and sends it home on release', async () => {
    const throttle = openThrottle(pid);
    const home = groupOf(pid);
    throttle.set(80);
    assert.match(groupOf(pid), new RegExp(`/ferryman-${String(process.pid)}-${String(pid)}$`));
    const before = cpuSeconds(pid);
    const startedAt = performance.now();
    await sleep(300);
    const share = (cpuSeconds(pid) - before) / ((performance.now() - startedAt) / 1000);
    assert.ok(share < 0.45, `a fifth of a CPU was allowed, ${share.toFixed(2)} was used`);
    const group = groupOf(pid);
    throttle.release();
    assert.equal(groupOf(pid), home);
    assert.equal(existsSync(group), false);
    assert.equal(throttle.percent, 0);
  });

  it('moves between levels both ways without leaving its group', () => {
    const throttle = openThrottle(pid);
    for (const [level, quota] of [
      [20, '8000'],
      [95, '1000'],
      [50, '5000'],
    ] as const) {
      throttle.set(level);
      assert.equal(readFileSync(join(groupOf(pid), 'cpu.cfs_quota_us'), 'utf8').trim(), quota);
      assert.equal(throttle.percent, level);
    }
    throttle.release();
  });

  it('sweeps what a dead owner left and leaves a living owner alone', () => {
    const layout = detectLayout() ?? assert.fail();
    const home = groupOf(pid);
    openThrottle(pid).set(50);
    assert.equal(sweep(layout), 0);
    assert.match(groupOf(pid), /ferryman-/);
    const swept = sweep(layout, (owner) => owner !== process.pid);
    assert.ok(swept >= 1);
    assert.equal(groupOf(pid), home);
  });

  it('releases a thread that an earlier agent left throttled when it attaches', () => {
    const home = groupOf(pid);
    const abandoned = openThrottle(pid);
    abandoned.set(50);
    openThrottle(pid);
    assert.equal(groupOf(pid), home);
    abandoned.release();
  });

  it('releases quietly when the process has ended', async () => {
    const throttle = openThrottle(pid);
    throttle.set(50);
    const group = groupOf(pid);
    const ended = new Promise((resolve) => busy.once('exit', resolve));
    busy.kill('SIGKILL');
    await ended;
    throttle.release();
    assert.equal(existsSync(group), false);
  });

  it('remembers the use it measured while nothing throttled the thread', () => {
    let seconds = 0;
    const throttle = openThrottle(pid, () => seconds);
    throttle.measure(0);
    seconds = 0.25;
    throttle.measure(1000);
    throttle.set(20);
    assert.equal(readFileSync(join(groupOf(pid), 'cpu.cfs_quota_us'), 'utf8').trim(), '2000');
    throttle.release();
  });
});

function openThrottle(pid: number, read = () => readVcpuSeconds(pid, [pid])) {
  const layout = detectLayout() ?? assert.fail('no cgroup layout');
  const options = { layout, pid, threadIds: [pid], cpuSeconds: read };
  return openCgroupThrottle(options) ?? assert.fail('the throttle is not available');
}

function groupOf(pid: number): string {
  const text = readFileSync(`/proc/${String(pid)}/task/${String(pid)}/cgroup`, 'utf8');
  return detectLayout()?.groupOf(text) ?? assert.fail(text);
}

function cpuSeconds(pid: number): number {
  return readVcpuSeconds(pid, [pid]) ?? assert.fail('no CPU time');
}

function canUseV1(): boolean {
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
