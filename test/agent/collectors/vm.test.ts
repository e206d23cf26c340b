import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { activityBetween, createActivityReader } from '../../../agent/collectors/activity.ts';
import { parseBlockCounters, readBlockCounters } from '../../../agent/collectors/block-io.ts';
import {
  openVcpuClock,
  parseSchedulerSeconds,
  parseThreadSeconds,
  readVcpuSeconds,
} from '../../../agent/collectors/vcpu.ts';
import { readFixture } from '../fixtures/read.ts';
import { replyingMonitor } from '../replying-monitor.ts';

const disk = (reads: number, written: number) => ({
  stats: { rd_bytes: reads, rd_operations: 1, wr_bytes: written, wr_operations: 2 },
  parent: { stats: { rd_bytes: reads, wr_bytes: written } },
});

describe('block-io collector', () => {
  it('adds devices, without the nodes below them', () => {
    assert.deepEqual(parseBlockCounters([disk(512, 1024), disk(100, 0), { stats: 'none' }, 7]), {
      blockReadBytes: 612,
      blockWrittenBytes: 1024,
      blockOperations: 6,
    });
  });

  it('reads the reply of QEMU 7.2', async () => {
    const reply = readFixture('query-blockstats-7.2.json');
    const monitor = replyingMonitor({ 'query-blockstats': () => reply });
    const { blockReadBytes, blockOperations } = await readBlockCounters(monitor);
    assert.deepEqual([blockReadBytes, blockOperations], [512, 1]);
  });
});

/** Files about the threads of a process that this one has open. */
function filesOpenOf(pid: number): number {
  const folder = '/proc/self/fd';
  return readdirSync(folder).filter((name) => {
    // What is open only to list the folder is gone when it is looked at.
    const link = join(folder, name);
    return existsSync(link) && readlinkSync(link).startsWith(`/proc/${pid}/task/`);
  }).length;
}

describe('vcpu collector', () => {
  it('reads a thread whose name holds spaces and parentheses', () => {
    const stat = '6051 (CPU 0/KVM) (x) S 1 6051 6051 0 -1 4194304 98 0 0 0 250 50 0 0 20 0 1 0';
    assert.equal(parseThreadSeconds(stat), 3);
    assert.equal(parseThreadSeconds('nonsense'), undefined);
    assert.equal(parseSchedulerSeconds('943393000 19058 2\n'), 0.943393);
  });

  it('sees a thread at work, and one that is gone', () => {
    const before = readVcpuSeconds(process.pid, [process.pid]) ?? assert.fail();
    const until = performance.now() + 60;
    while (performance.now() < until);
    const after = readVcpuSeconds(process.pid, [process.pid]) ?? assert.fail();
    assert.ok(after > before && after - before < 10, `${String(before)} then ${String(after)}`);
    assert.equal(readVcpuSeconds(process.pid, [process.pid, 1]), undefined);
    assert.equal(readVcpuSeconds(process.pid, []), undefined);
  });

  it('keeps the file of a thread open, until it is gone or the clock is closed', async () => {
    const child = spawn('sleep', ['60']);
    const { pid = assert.fail() } = child;
    const clock = openVcpuClock(pid);
    for (let times = 0; times < 3; times++) assert.ok((clock.read([pid])?.[0] ?? -1) >= 0);
    assert.equal(filesOpenOf(pid), 1);
    child.kill('SIGKILL');
    await once(child, 'exit');
    assert.equal(clock.read([pid]), undefined);

    const own = openVcpuClock(process.pid);
    assert.ok((own.read([process.pid])?.[0] ?? 0) > 0);
    own.close();
    assert.equal(own.read([process.pid]), undefined);
    assert.deepEqual([pid, process.pid].map(filesOpenOf), [0, 0]);
  });

  it('makes do with the coarser figure where there is no other', async () => {
    const root = await mkdtemp(join(tmpdir(), 'ferryman-proc-'));
    try {
      await mkdir(join(root, '7/task/8'), { recursive: true });
      const fields = `8 (CPU 0/TCG) R ${'0 '.repeat(10)}150 50 0`;
      await writeFile(join(root, '7/task/8/stat'), fields);
      assert.equal(readVcpuSeconds(7, [8], root), 2);
    } finally {
      await rm(root, { recursive: true });
    }
  });
});

describe('activity', () => {
  const start = { vcpuSeconds: 10, blockReadBytes: 0, blockWrittenBytes: 0, blockOperations: 50 };
  const idle = { vcpuBusyShare: 0, blockBytesPerSecond: 0, blockOperationsPerSecond: 0 };

  it('is a rate over the time between two looks', () => {
    const later = {
      vcpuSeconds: 10.5,
      blockReadBytes: 4096,
      blockWrittenBytes: 1024,
      blockOperations: 60,
    };
    assert.deepEqual(activityBetween(start, later, 500, 2), {
      vcpuBusyShare: 0.5,
      blockBytesPerSecond: 10_240,
      blockOperationsPerSecond: 20,
    });
  });

  it('is nothing when no time passed or a counter began anew', () => {
    assert.deepEqual(activityBetween(start, { ...start, vcpuSeconds: 11 }, 0, 2), idle);
    assert.deepEqual(activityBetween(start, { vcpuSeconds: 1 }, 1000, 2), idle);
  });

  it('does not take a counter that could be read again for a burst', () => {
    assert.deepEqual(activityBetween({}, start, 1000, 2), idle);
  });

  it('needs two samples', () => {
    let now = 0;
    const clock = { wallMilliseconds: () => now, monotonicMilliseconds: () => now };
    const read = createActivityReader(1, clock);
    assert.equal(read({ vcpuSeconds: 1 }), undefined);
    now = 1000;
    assert.equal(read({ vcpuSeconds: 1.25 })?.vcpuBusyShare, 0.25);
  });
});
