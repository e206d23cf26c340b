import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { openQmp } from '../../agent/monitor/qmp-socket.ts';
import type { Monitor } from '../../agent/monitor/monitor.ts';
import { readVcpuSeconds } from '../../agent/collectors/vcpu.ts';
import { rateBetween } from '../guests/assess.ts';
import type { Guest } from '../guests/guest.ts';
import { startPair, type Pair } from '../rig/pair.ts';
import { bothVersions, mebibyte } from './support.ts';

/** What one vCPU does that misses no tick. */
const unitsPerSecond = 1e8;
const watchedMilliseconds = 1500;
const quiet: Guest = {
  workingSetBytes: 8 * mebibyte,
  dirtyBytesPerSecond: mebibyte,
  content: 'random',
};

async function withMonitor(
  guest: Guest,
  qemu: (typeof bothVersions)[number],
  use: (pair: Pair, monitor: Monitor) => Promise<void>,
): Promise<void> {
  const pair = await startPair({ qemu, guest });
  try {
    const monitor = await openQmp(pair.sourceQmp);
    await use(pair, monitor).finally(() => {
      monitor.close();
    });
  } finally {
    await pair.stop();
  }
}

async function bytesOnDisk(monitor: Monitor): Promise<number> {
  const [disk] = (await monitor.execute('query-blockstats')) as {
    readonly stats: { readonly wr_bytes: number };
  }[];
  return disk?.stats.wr_bytes ?? NaN;
}

async function workShare(pair: Pair): Promise<number> {
  const seen = await pair.observer.observe();
  const end = seen.timesMilliseconds.at(-1) ?? NaN;
  return rateBetween(seen, seen.work, end - watchedMilliseconds, end) / unitsPerSecond;
}

for (const qemu of bothVersions) {
  describe(`devices of the guest on QEMU ${qemu}`, () => {
    it('writes to its disk at its pace, with little of its vCPU', async () => {
      const guest = { ...quiet, diskBytesPerSecond: 2 * mebibyte };
      await withMonitor(guest, qemu, async (pair, monitor) => {
        const before = await bytesOnDisk(monitor);
        await sleep(watchedMilliseconds);
        const written = (await bytesOnDisk(monitor)) - before;
        const nominal = (await workShare(pair)) * guest.diskBytesPerSecond;
        const paced = written / ((watchedMilliseconds / 1000) * nominal);
        assert.ok(paced > 0.7 && paced < 1.4, `${paced} of its pace`);
      });
    });

    it('has a second vCPU that works beside the one that writes', async () => {
      await withMonitor({ ...quiet, secondVcpu: true }, qemu, async (pair, monitor) => {
        const vcpus = (await monitor.execute('query-cpus-fast')) as { 'thread-id': number }[];
        const seconds = () =>
          vcpus.map((vcpu) => readVcpuSeconds(pair.sourcePid() ?? NaN, [vcpu['thread-id']]) ?? 0);
        const before = seconds();
        await sleep(watchedMilliseconds);
        const [first = NaN, second = NaN] = seconds().map((used, index) => {
          return used - (before[index] ?? NaN);
        });
        const share = await workShare(pair);
        assert.ok(share > 1 && share < 2.1, `work of ${share} vCPUs`);
        assert.ok(second > 2 * first, `the second used ${second} s, the first ${first} s`);
      });
    });
  });
}
