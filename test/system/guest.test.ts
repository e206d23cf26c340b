import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { deflateSync } from 'node:zlib';
import { openQmp } from '../../agent/monitor/qmp-socket.ts';
import { openGuestMemory } from '../../agent/workload/guest-memory.ts';
import { assessMigration, rateBetween, watchMilliseconds } from '../guests/assess.ts';
import type { Observation } from '../guests/assess.ts';
import type { Content, Guest } from '../guests/guest.ts';
import { startPair, type Pair, type PairOptions } from '../rig/pair.ts';

const mebibyte = 2 ** 20;
const pageBytes = 4096;
const pagesPerMebibyte = mebibyte / pageBytes;
/** The working set begins here, see guest.asm. */
const firstPage = 2 * pagesPerMebibyte;

/** What a guest does that misses no tick. */
const unitsPerSecond = 1e8;

const busy: Guest = {
  workingSetBytes: 16 * mebibyte,
  dirtyBytesPerSecond: 64 * mebibyte,
  content: 'random',
};

async function withPair(options: PairOptions, use: (pair: Pair) => Promise<void>): Promise<void> {
  const pair = await startPair(options);
  try {
    await use(pair);
  } finally {
    await pair.stop();
  }
}

interface Reading {
  readonly pages: readonly Buffer[];
  /** Unix time; the middle, as reading takes a while. */
  readonly atMilliseconds: number;
}

/** `count` pages of the source, from the first of the working set on. */
async function readPages(pair: Pair, count: number): Promise<Reading> {
  const memory = openGuestMemory(pair.sourcePid() ?? NaN, pair.memoryBytes);
  const all = Buffer.alloc(count * pageBytes);
  const numbers = Array.from({ length: count }, (_, index) => firstPage + index);
  const startedAt = Date.now();
  await memory.readPages(numbers, all);
  const atMilliseconds = (startedAt + Date.now()) / 2;
  memory.close();
  const pages = numbers.map((_, index) => all.subarray(index * pageBytes).subarray(0, pageBytes));
  return { pages, atMilliseconds };
}

interface Changes {
  /** Per page, how many bytes differ between the two readings. */
  readonly changedBytes: readonly number[];
  /** Between the two readings of a page, of the time in which the host let the guest run. */
  readonly guestSeconds: number;
}

/** What changes in the first `count` pages within `milliseconds`, or longer on a busy host. */
async function changes(pair: Pair, count: number, milliseconds: number): Promise<Changes> {
  const before = await readPages(pair, count);
  await sleep(milliseconds);
  const after = await readPages(pair, count);
  const [from, to] = [before.atMilliseconds, after.atMilliseconds];
  const share = shareOfTime(await pair.observer.observe(), from, to);
  const changedBytes = before.pages.map((page, index) =>
    differingBytes(page, after.pages[index] ?? page),
  );
  return { changedBytes, guestSeconds: (share * (to - from)) / 1000 };
}

/**
 * How much of its ticks the guest could keep: other work on this host takes some. A tick more or
 * less is a tenth of the shortest window here.
 */
function shareOfTime(seen: Observation, fromMilliseconds: number, toMilliseconds: number): number {
  const share = rateBetween(seen, seen.work, fromMilliseconds, toMilliseconds) / unitsPerSecond;
  assertWithin(share, 0.5, 1.15, 'share of the time in which the guest could work');
  return share;
}

function differingBytes(one: Buffer, other: Buffer): number {
  if (one.equals(other)) return 0;
  return one.reduce((sum, byte, index) => sum + (byte === other[index] ? 0 : 1), 0);
}

function changedPages(changedBytes: readonly number[]): number {
  return changedBytes.filter((bytes) => bytes > 0).length;
}

function compressionRatio(pages: readonly Buffer[]): number {
  const tried = pages.filter((_, index) => index % 17 === 0);
  const compressed = tried.reduce((sum, page) => sum + deflateSync(page, { level: 1 }).length, 0);
  return (tried.length * pageBytes) / compressed;
}

function assertWithin(value: number, least: number, most: number, what: string): void {
  assert.ok(value >= least && value <= most, `${what}: ${String(value)}`);
}

const ratios: Readonly<Record<Content, readonly [number, number]>> = {
  random: [0.98, 1.01],
  text: [3, 4],
  sparse: [0.98, 1.01],
  mixed: [1.3, 1.8],
};

for (const qemu of ['7.2', '10.0'] as const) {
  describe(`guests on QEMU ${qemu}`, () => {
    for (const [content, [least, most]] of Object.entries(ratios)) {
      it(`${content} content keeps its zlib ratio when rewritten`, async () => {
        const guest = { ...busy, content: content as Content };
        await withPair({ qemu, guest }, async (pair) => {
          assertWithin(
            compressionRatio((await readPages(pair, 4096)).pages),
            least,
            most,
            'at boot',
          );
          await sleep(700);
          assertWithin(
            compressionRatio((await readPages(pair, 4096)).pages),
            least,
            most,
            'rewritten',
          );
        });
      });
    }

    it('a sweep dirties its working set at its rate, and nothing beside it', async () => {
      const guest: Guest = {
        workingSetBytes: 32 * mebibyte,
        dirtyBytesPerSecond: 8 * mebibyte,
        content: 'text',
        order: 'sequential',
        idleBytes: 8 * mebibyte,
        wait: 'spin',
      };
      await withPair({ qemu, guest }, async (pair) => {
        const { changedBytes, guestSeconds } = await changes(pair, 40 * pagesPerMebibyte, 1000);
        const idle = changedBytes.slice(32 * pagesPerMebibyte);
        assert.equal(changedPages(idle), 0, 'idle pages that changed');
        const mebibytesPerSecond = changedPages(changedBytes) / pagesPerMebibyte / guestSeconds;
        assertWithin(mebibytesPerSecond, 8 * 0.85, 8 * 1.15, 'MiB/s');
      });
    });

    it('random order reaches the whole working set, the hot set more often', async () => {
      const hotSet = { bytes: 2 * mebibyte, writeShare: 0.9 };
      await withPair({ qemu, guest: { ...busy, hotSet } }, async (pair) => {
        // Thirteen draws for each hot page: one in a thousand runs misses one.
        const { changedBytes, guestSeconds } = await changes(pair, 16 * pagesPerMebibyte, 450);
        const hotPages = 2 * pagesPerMebibyte;
        const coldPages = 14 * pagesPerMebibyte;
        // Uniform draws with replacement: the share hit is 1 - exp(-draws / pages).
        const coldDraws = 64 * pagesPerMebibyte * guestSeconds * 0.1;
        const expected = coldPages * (1 - Math.exp(-coldDraws / coldPages));
        assert.equal(changedPages(changedBytes.slice(0, hotPages)), hotPages);
        const cold = changedPages(changedBytes.slice(hotPages));
        assertWithin(cold / expected, 0.8, 1.2, 'cold pages hit, of the expected number');
      });
    });

    it('sparse writes change a few bytes of a page', async () => {
      const guest: Guest = { ...busy, content: 'sparse', sparseBytes: 32, order: 'sequential' };
      await withPair({ qemu, guest }, async (pair) => {
        // 16 MiB at 64 MiB/s: a sweep takes 250 ms, so no page is written twice in 100 ms.
        const { changedBytes } = await changes(pair, 256, 100);
        const written = changedBytes.filter((bytes) => bytes > 0);
        assertWithin(Math.max(0, ...written), 0, 2 * 32, 'bytes changed in a page');
        await sleep(300);
        assertWithin(changedPages((await changes(pair, 256, 300)).changedBytes), 250, 256, 'pages');
      });
    });

    it('works on between its bursts, without dirtying', async () => {
      const burst = { onMilliseconds: 300, offMilliseconds: 300 };
      await withPair({ qemu, guest: { ...busy, burst } }, async (pair) => {
        await sleep(1500);
        const seen = await pair.observer.observe();
        const [end = NaN] = seen.timesMilliseconds.slice(-1);
        const share = shareOfTime(seen, end - 1200, end);
        const pagesPerSecond = rateBetween(seen, seen.pages, end - 1200, end) / share;
        assertWithin(pagesPerSecond / pagesPerMebibyte, 32 * 0.85, 32 * 1.15, 'MiB/s');
      });
    });

    it('changes its ways when its later phase comes', async () => {
      const later = { ...busy, dirtyBytesPerSecond: 16 * mebibyte, afterMilliseconds: 1000 };
      await withPair({ qemu, guest: { ...busy, later } }, async (pair) => {
        await sleep(2500);
        const seen = await pair.observer.observe();
        const [end = NaN] = seen.timesMilliseconds.slice(-1);
        const share = shareOfTime(seen, end - 1000, end);
        const pagesPerSecond = rateBetween(seen, seen.pages, end - 1000, end) / share;
        assertWithin(pagesPerSecond / pagesPerMebibyte, 16 * 0.85, 16 * 1.15, 'MiB/s');
      });
    });

    it('is observed across a migration over a link of known speed', async () => {
      const guest: Guest = { ...busy, dirtyBytesPerSecond: 4 * mebibyte, idleBytes: 16 * mebibyte };
      const linkBytesPerSecond = 32 * mebibyte;
      await withPair({ qemu, guest, linkBytesPerSecond }, async (pair) => {
        await sleep(watchMilliseconds.before + 100);
        const start = Date.now();
        const transferredBytes = await migrate(pair);
        const end = Date.now();
        await sleep(watchMilliseconds.after + 100);
        const cost = assessMigration(await pair.observer.observe(), start, end);
        assertWithin(cost.baselineUnitsPerSecond / unitsPerSecond, 0.5, 1.02, 'share before');
        assertWithin(cost.longestGuestGapMilliseconds, 5, 1500, 'longest gap in ms');
        const lostMilliseconds = cost.guestWorkLostSeconds * 1000;
        assertWithin(lostMilliseconds, cost.longestGuestGapMilliseconds * 0.5, 3000, 'lost ms');
        if (!pair.isShaped) return;
        const mebibytesPerSecond = (transferredBytes * 1000) / (end - start) / mebibyte;
        assertWithin(mebibytesPerSecond, 20, 36, 'MiB/s on the link');
      });
    });
  });
}

/** Plain pre-copy, as QEMU does it. Resolves with the bytes sent. */
async function migrate(pair: Pair): Promise<number> {
  const source = await openQmp(pair.sourceQmp);
  const destination = await openQmp(pair.destinationQmp);
  try {
    await destination.execute('migrate-incoming', { uri: pair.uri });
    await source.execute('migrate-set-parameters', { 'max-bandwidth': 10 ** 10 });
    await source.execute('migrate', { uri: pair.uri });
    for (;;) {
      const state = (await source.execute('query-migrate')) as MigrationState;
      if (state.status === 'completed') return state.ram?.transferred ?? 0;
      assert.notEqual(state.status, 'failed', state['error-desc']);
      await sleep(20);
    }
  } finally {
    source.close();
    destination.close();
  }
}

interface MigrationState {
  readonly status?: string;
  readonly ram?: { readonly transferred: number };
  readonly 'error-desc'?: string;
}
