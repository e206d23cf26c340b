import assert from 'node:assert/strict';
import { fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openCgroupThrottle } from '../../../agent/throttle/cgroup.ts';
import { dissolveGroup, moveThread, sweep } from '../../../agent/throttle/groups.ts';
import { detectLayout } from '../../../agent/throttle/layouts.ts';
import { until } from '../agent-rig.ts';
import { canUseV1, cpuSeconds, groupOf, openThrottle, threadsOf } from './cgroup-rig.ts';

const ownNamespace = () => /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? assert.fail();

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
    assert.match(groupOf(pid), new RegExp(`/ferryman-\\d+-${process.pid}-\\d+-${pid}$`));
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
      [20, '3200'],
      [95, '1000'],
      [50, '2000'],
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
    const swept = sweep(layout, (owner) => owner.pid !== process.pid);
    assert.ok(swept >= 1);
    assert.equal(groupOf(pid), home);
  });

  it('sweeps what a dead process with the id of a living one left', () => {
    const layout = detectLayout() ?? assert.fail();
    const home = groupOf(pid);
    const left = join(home, `ferryman-${ownNamespace()}-${process.pid}-1-${pid}`);
    mkdirSync(left);
    moveThread(layout, left, pid);
    assert.equal(sweep(layout), 1);
    assert.equal(groupOf(pid), home);
    assert.equal(existsSync(left), false);
  });

  it('leaves what belongs to another namespace of process ids, whose life it cannot see', () => {
    const layout = detectLayout() ?? assert.fail();
    const home = groupOf(pid);
    const others = join(home, `ferryman-1-${process.pid}-1-${pid}`);
    mkdirSync(others);
    moveThread(layout, others, pid);
    assert.equal(sweep(layout), 0);
    assert.equal(groupOf(pid).endsWith(basename(others)), true);
    dissolveGroup(layout, others);
  });

  it('puts a thread back that somebody else sent home', () => {
    const layout = detectLayout() ?? assert.fail();
    const home = groupOf(pid);
    const throttle = openThrottle(pid);
    throttle.set(50);
    const group = groupOf(pid);
    dissolveGroup(layout, join(home, basename(group)));
    assert.equal(groupOf(pid), home);
    throttle.measure(1000);
    assert.equal(groupOf(pid), group);
    throttle.release();
    throttle.measure(2000);
    assert.equal(groupOf(pid), home);
  });

  it('releases by itself when the process that set it is killed', async () => {
    const home = groupOf(pid);
    const setter = fork(new URL('throttle-and-die.ts', import.meta.url), [String(pid)], {
      execArgv: ['--import', 'tsx'],
      stdio: 'ignore',
    });
    await once(setter, 'message');
    assert.match(groupOf(pid), /ferryman-/);
    setter.kill('SIGKILL');
    await until('the thread at home', () => groupOf(pid) === home || undefined);
  });

  it('holds two VMs apart', () => {
    const other = spawn('/bin/sh', ['-c', 'while :; do :; done'], { stdio: 'ignore' });
    const otherPid = other.pid ?? assert.fail('the other did not start');
    try {
      const home = groupOf(pid);
      const [one, two] = [openThrottle(pid), openThrottle(otherPid)];
      one.set(50);
      two.set(90);
      assert.notEqual(groupOf(pid), groupOf(otherPid));
      one.release();
      assert.equal(groupOf(pid), home);
      assert.match(groupOf(otherPid), /ferryman-/);
      two.release();
    } finally {
      other.kill('SIGKILL');
    }
  });

  it('frees every vCPU it can when one group cannot be removed', async () => {
    const layout = detectLayout() ?? assert.fail('no cgroup layout');
    const threaded = spawn(process.execPath, ['-e', 'setInterval(() => 0, 1000)']);
    try {
      const owner = threaded.pid ?? assert.fail('the process did not start');
      const threadIds = await threadsOf(owner);
      let troubles = 1;
      const tidy = (): void => {
        if (troubles-- > 0) throw new Error('stuck');
      };
      const options = { layout: { ...layout, tidy }, pid: owner, threadIds };
      const throttle = openCgroupThrottle(options) ?? assert.fail('not available');
      const homes = threadIds.map((threadId) => groupOf(owner, threadId));
      throttle.set(50);
      assert.throws(() => {
        throttle.release();
      }, /stuck/);
      assert.deepEqual(
        threadIds.map((threadId) => groupOf(owner, threadId)),
        homes,
      );
      throttle.release();
    } finally {
      threaded.kill('SIGKILL');
    }
  });

  it('throttles vCPUs that came later and lets those go that are none any more', async () => {
    const threaded = spawn(process.execPath, ['-e', 'setInterval(() => 0, 1000)']);
    try {
      const owner = threaded.pid ?? assert.fail('the process did not start');
      const [, first = NaN, later = NaN] = await threadsOf(owner);
      const layout = detectLayout() ?? assert.fail('no cgroup layout');
      const options = { layout, pid: owner, threadIds: [first] };
      const throttle = openCgroupThrottle(options) ?? assert.fail('not available');
      const home = groupOf(owner, first);
      throttle.set(50);
      throttle.set(50, [later]);
      assert.equal(groupOf(owner, first), home);
      assert.match(groupOf(owner, later), /ferryman-/);
      throttle.release();
      assert.equal(groupOf(owner, later), home);
    } finally {
      threaded.kill('SIGKILL');
    }
  });

  it('makes no group for a vCPU that has gone', async () => {
    const throttle = openThrottle(pid);
    const home = groupOf(pid);
    const ended = once(busy, 'exit');
    busy.kill('SIGKILL');
    await ended;
    throttle.set(50);
    assert.deepEqual(
      readdirSync(home).filter((name) => name.endsWith(`-${pid}`)),
      [],
    );
    throttle.release();
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
    const read = (name: string) => Number(readFileSync(join(groupOf(pid), name), 'utf8'));
    assert.equal(read('cpu.cfs_quota_us') / read('cpu.cfs_period_us'), 0.2);
    assert.equal(throttle.periodMicroseconds, read('cpu.cfs_period_us'));
    throttle.release();
    assert.equal(throttle.periodMicroseconds, 0);
  });
});
