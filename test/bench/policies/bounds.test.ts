import assert from 'node:assert/strict';
import { firstPayingRound, fluidBacklogBytes } from './bounds.ts';

const guest = { workingSetBytes: 80, dirtyBytesPerSecond: 64, content: 'random' } as const;

describe('bench/bounds: the backlog that no sending can undercut', () => {
  it('is H(1 - R/D) for uniform writes', () => {
    assert.equal(fluidBacklogBytes(guest, 32), 40);
  });

  it('is nothing where the link keeps up', () => {
    assert.equal(fluidBacklogBytes(guest, 64), 0);
    assert.equal(fluidBacklogBytes({ ...guest, dirtyBytesPerSecond: 0 }, 32), 0);
  });

  it('leaves the hot part dirty first, as little of it as the link allows', () => {
    const hotSet = { bytes: 16, writeShare: 0.75 };
    // Cold: 64 bytes at 16 a second, clean; what is left keeps a third of the hot part clean.
    assert.ok(Math.abs(fluidBacklogBytes({ ...guest, hotSet }, 32) - (16 * 2) / 3) < 1e-9);
    assert.equal(fluidBacklogBytes({ ...guest, hotSet }, 8), 16 + 32);
  });
});

describe('bench/bounds: the first round from which throttling pays', () => {
  it('is the first that takes less than a sixth off the backlog', () => {
    assert.equal(firstPayingRound([100, 60, 40, 34, 33], 5), 2);
  });

  it('is never the first pass, whose backlog is the memory', () => {
    assert.equal(firstPayingRound([100, 99, 50, 10], 5), undefined);
  });
});
