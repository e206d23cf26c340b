import assert from 'node:assert/strict';
import { randomFillSync } from 'node:crypto';
import fc from 'fast-check';
import {
  compressedBytes,
  estimateShare,
  estimateXbzrle,
  isChangedPage,
  isZeroPage,
  pickPages,
  thinOut,
  toDirtyCurve,
} from '../../../agent/workload/page-statistics.ts';

const pageBytes = 4096;
const snapshot = (...pages: readonly Buffer[]) => ({ bytes: Buffer.concat(pages), pageBytes });
const filled = (value: number) => Buffer.alloc(pageBytes, value);
const random = () => randomFillSync(Buffer.alloc(pageBytes));

describe('page statistics', () => {
  it('tells zero pages from pages of one other value, and from nearly zero ones', () => {
    const nearly = filled(0);
    nearly[pageBytes - 1] = 1;
    const pages = snapshot(filled(0), filled(7), nearly);
    assert.deepEqual(
      [0, 1, 2].map((index) => isZeroPage(pages, index)),
      [true, false, false],
    );
  });

  it('sees a single changed byte', () => {
    const changed = filled(1);
    changed[2000] = 2;
    const before = snapshot(filled(1), filled(1));
    const after = snapshot(filled(1), changed);
    assert.deepEqual(
      [0, 1].map((index) => isChangedPage(before, after, index)),
      [false, true],
    );
  });

  it('compresses each page by itself: nothing gained on random, much on repetition', () => {
    assert.ok(compressedBytes(random()) > pageBytes);
    assert.ok(compressedBytes(filled(3)) < 60);
  });

  it('estimates XBZRLE with overflow as a whole page', () => {
    const small = filled(1);
    small[0] = 9;
    const before = snapshot(filled(1), filled(1), filled(1));
    const after = snapshot(small, random(), filled(1));
    const estimate = estimateXbzrle(before, after, [0, 1]);
    assert.equal(estimate?.overflowShare, 0.5);
    assert.equal(estimate.deltaShare, (3 + pageBytes) / (2 * pageBytes));
    assert.equal(estimateXbzrle(before, after, []), undefined);
  });

  it('picks one page of each stretch, in order, whatever the sizes', () => {
    const sizes = fc.tuple(fc.integer({ min: 1, max: 50_000 }), fc.integer({ min: 1, max: 9000 }));
    fc.assert(
      fc.property(sizes, fc.double({ min: 0, max: 0.999, noNaN: true }), ([total, count], luck) => {
        const picked = pickPages(total, count, () => luck);
        assert.equal(picked.length, Math.min(count, total));
        assert.ok(picked.every((page, index) => page < total && page > (picked[index - 1] ?? -1)));
      }),
      { numRuns: 50, examples: [[[49_982, 4760], 10 / 11]] },
    );
  });

  it('knows a working set of neighbouring pages almost exactly', () => {
    const [total, hot, count] = [262_144, 4096, 4096];
    const picked = pickPages(total, count, Math.random);
    const hits = picked.filter((page) => page >= 100_000 && page < 100_000 + hot).length;
    assert.ok(Math.abs(hits - (hot * count) / total) <= 2, String(hits));
  });

  it('thins out evenly', () => {
    const items = Array.from({ length: 1000 }, (_, index) => index);
    const thinned = thinOut(items, 100);
    assert.equal(thinned.length, 100);
    assert.deepEqual(thinned.slice(0, 3), [0, 10, 20]);
    assert.deepEqual(thinOut([1, 2, 3], 100), [1, 2, 3]);
  });

  it('gives shares with their standard error', () => {
    assert.deepEqual(estimateShare(25, 100), { share: 0.25, standardError: 0.04330127018922193 });
    assert.deepEqual(estimateShare(0, 0), { share: 0, standardError: 0 });
  });

  it('gives what was dirtied between each snapshot and each later one, by length of the span', () => {
    // One page changes in each of two spans, one in the first only, one in the last only, one never.
    const history = Uint32Array.of(0b101, 0b001, 0b100, 0);
    assert.deepEqual(toDirtyCurve(history, [1000, 1100, 1250, 1500], 400), [
      { windowMilliseconds: 100, dirtyBytes: 200 },
      { windowMilliseconds: 150, dirtyBytes: 0 },
      { windowMilliseconds: 250, dirtyBytes: 200 },
      { windowMilliseconds: 250, dirtyBytes: 200 },
      { windowMilliseconds: 400, dirtyBytes: 200 },
      { windowMilliseconds: 500, dirtyBytes: 300 },
    ]);
  });

  it('never finds less in a span than in a part of it, nor more than the RAM', () => {
    const ramBytes = 2 ** 30;
    const histories = fc.uint32Array({ minLength: 1, maxLength: 50, max: 0b11111 });
    fc.assert(
      fc.property(histories, (history) => {
        // Spans of these lengths are told apart by their length.
        const moments = [0, 1, 3, 7, 15, 31];
        const curve = toDirtyCurve(history, moments, ramBytes);
        const found = (start: number, end: number) =>
          curve.find(({ windowMilliseconds }) => windowMilliseconds === end - start)?.dirtyBytes ??
          NaN;
        for (const [index, end] of moments.slice(1).entries()) {
          assert.ok(found(0, end) >= found(moments[index] ?? NaN, end));
          assert.ok(found(0, 31) >= found(0, end) && found(0, 31) <= ramBytes);
        }
      }),
    );
  });
});
