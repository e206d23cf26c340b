import assert from 'node:assert/strict';
import { xbzrleEncodedBytes } from '../../../agent/workload/xbzrle-size.ts';

const pageBytes = 4096;

/** Two pages that differ in these stretches [start, end) and nowhere else. */
function pagesDifferingIn(...stretches: readonly (readonly [number, number])[]) {
  const before = Buffer.alloc(pageBytes, 0x11);
  const after = Buffer.from(before);
  for (const [start, end] of stretches) after.fill(0x22, start, end);
  return [before, after] as const;
}

function size(...stretches: readonly (readonly [number, number])[]): number | undefined {
  return xbzrleEncodedBytes(...pagesDifferingIn(...stretches));
}

describe('xbzrle size', () => {
  it('is nothing for an unchanged page', () => {
    assert.equal(size(), 0);
  });

  it('counts both run lengths and the changed bytes, and drops the unchanged end', () => {
    assert.equal(size([0, 1]), 1 + 1 + 1);
    assert.equal(size([100, 108]), 1 + 1 + 8);
    assert.equal(size([100, 108], [110, 111]), 1 + 1 + 8 + 1 + 1 + 1);
  });

  it('takes two bytes for a length from 128 on', () => {
    assert.equal(size([127, 128]), 1 + 1 + 1);
    assert.equal(size([128, 129]), 2 + 1 + 1);
    assert.equal(size([0, 127]), 1 + 1 + 127);
    assert.equal(size([0, 128]), 1 + 2 + 128);
    assert.equal(size([4095, 4096]), 2 + 1 + 1);
  });

  it('overflows when it would not fit into a page', () => {
    assert.equal(size([0, 4096]), undefined);
    assert.equal(size([3, 4096]), 1 + 2 + 4093);
    assert.equal(size([2, 4096]), undefined);
  });

  it('overflows when fewer than two bytes are left and the page goes on, changed or not', () => {
    assert.equal(size([0, 4091]), 1 + 2 + 4091);
    assert.equal(size([0, 4092]), undefined);
  });

  it('overflows on many small changes', () => {
    const everyOther = Array.from({ length: 2048 }, (_, i) => [2 * i, 2 * i + 1] as const);
    assert.equal(size(...everyOther), undefined);
    const everyFourth = Array.from({ length: 1024 }, (_, i) => [4 * i, 4 * i + 1] as const);
    assert.equal(size(...everyFourth), 3 * 1024);
  });
});
