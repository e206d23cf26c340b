import assert from 'node:assert/strict';
import { randomFillSync } from 'node:crypto';
import type { GuestMemory } from '../../../agent/workload/guest-memory.ts';
import { planWindows, probeMemory } from '../../../agent/workload/memory-probe.ts';
import { probeReport } from '../../../shared/codec/sample-schemas.ts';

const pageBytes = 4096;
const mebibyte = 2 ** 20;

/** A guest whose page `i` is what `pageAt` says, under a clock that only sleeping moves. */
function simulate(pageCount: number, pageAt: (page: number, seconds: number) => Buffer) {
  let now = 5000;
  const memory: GuestMemory = {
    pageCount,
    readPages: (pages, target) => {
      for (const [index, page] of pages.entries()) {
        pageAt(page, (now - 5000) / 1000).copy(target, index * pageBytes);
      }
      now += 20;
      return Promise.resolve();
    },
    close: () => undefined,
  };
  const clock = { wallMilliseconds: () => now, monotonicMilliseconds: () => now };
  const sleep = (milliseconds: number) => {
    now += milliseconds;
    return Promise.resolve();
  };
  return { memory, time: { clock, sleep } };
}

const empty = Buffer.alloc(pageBytes);
const noise = Array.from({ length: 64 }, () => randomFillSync(Buffer.alloc(pageBytes)));
const noisePage = (index: number) => noise[index % noise.length] ?? empty;

describe('memory probe', () => {
  it('finds zero share, working set and pace of a guest that writes random pages', async () => {
    const pageCount = (64 * mebibyte) / pageBytes;
    const hotPages = pageCount / 4;
    // A hot quarter, of which the first `8192 * seconds` pages are written anew; a zero half.
    const { memory, time } = simulate(pageCount, (page, seconds) => {
      if (page >= pageCount / 2) return empty;
      return noisePage(page < hotPages && page < 8192 * seconds ? page + 1 : page);
    });
    const report = probeReport.parse(await probeMemory(memory, time, 1000));
    assert.equal(report.source, 'guest-memory');
    assert.ok(Math.abs(report.zeroShare - 0.5) < 0.002, String(report.zeroShare));
    assert.ok((report.compressionRatio ?? 0) < 1.01 && (report.dirtyCompressionRatio ?? 0) < 1.01);
    assert.equal(report.xbzrleDeltaShare, 1);
    const last = report.dirtyCurve.at(-1) ?? assert.fail();
    assert.ok(Math.abs(last.dirtyBytes / mebibyte - 16) < 1.5, `${String(last.dirtyBytes)} bytes`);
    const first = report.dirtyCurve[0] ?? assert.fail();
    assert.ok(first.dirtyBytes < last.dirtyBytes / 2);
    assert.ok(report.tookMilliseconds <= 1000, String(report.tookMilliseconds));
  });

  it('finds small deltas in content that does not compress', async () => {
    const { memory, time } = simulate(2048, (page, seconds) => {
      const content = Buffer.from(noisePage(page));
      content.writeUInt32LE(Math.floor(seconds * 100) + 1, 64);
      return content;
    });
    const report = await probeMemory(memory, time);
    assert.equal(report.dirtyCurve.at(-1)?.dirtyBytes, 8 * mebibyte);
    const delta = report.xbzrleDeltaShare ?? assert.fail();
    assert.ok(delta > 0 && delta < 10 / pageBytes, String(delta));
  });

  it('sees what pages have in common with their neighbours', async () => {
    // Each page is noise, and the next one the same noise again.
    const pairs = simulate(2048, (page) => noisePage(page >> 1));
    const alike = await probeMemory(pairs.memory, pairs.time, 200);
    const gain = alike.streamCompressionGain ?? assert.fail();
    assert.ok(gain > 1.8 && gain < 2.2, String(gain));
    const strangers = simulate(2048, noisePage);
    const unlike = await probeMemory(strangers.memory, strangers.time, 200);
    assert.ok((unlike.streamCompressionGain ?? 0) < 1.02);
  });

  it('stops early, and promises nothing about dirtied pages, when the guest is idle', async () => {
    const { memory, time } = simulate(2048, noisePage);
    const report = await probeMemory(memory, time, 2000);
    assert.ok(report.tookMilliseconds < 700);
    // Four snapshots, and a span between each two.
    assert.equal(report.dirtyCurve.length, 6);
    assert.ok(report.dirtyCurve.every(({ dirtyBytes }) => dirtyBytes === 0));
    assert.equal('xbzrleDeltaShare' in report || 'dirtyCompressionRatio' in report, false);
  });

  it('counts what went back to its old content', async () => {
    const { memory, time } = simulate(2048, (page, seconds) =>
      noisePage(seconds > 0.1 && seconds < 0.4 ? page + 1 : page),
    );
    const report = await probeMemory(memory, time);
    assert.equal(report.dirtyCurve.at(-1)?.dirtyBytes, 8 * mebibyte);
  });

  it('never takes more than two seconds, whatever it is allowed', async () => {
    const { memory, time } = simulate(2048, (page, seconds) => noisePage(page + seconds * 1000));
    const report = await probeMemory(memory, time, 60_000);
    assert.ok(report.tookMilliseconds <= 2000, String(report.tookMilliseconds));
  });

  it('plans the usual windows and fills the budget with the last', () => {
    assert.deepEqual(planWindows(1500), [100, 250, 500, 1000, 1500]);
    assert.deepEqual(planWindows(300), [100, 300]);
    assert.deepEqual(planWindows(-5), [50]);
  });
});
