import assert from 'node:assert/strict';
import { buildGuest, neededMemoryBytes, type Guest } from './guest.ts';

const mebibyte = 2 ** 20;
const guest: Guest = {
  workingSetBytes: 8 * mebibyte,
  dirtyBytesPerSecond: mebibyte,
  content: 'random',
};

describe('a guest', () => {
  it('needs memory for its largest working set and its idle part', () => {
    const later = { ...guest, workingSetBytes: 32 * mebibyte, afterMilliseconds: 1000 };
    const needed = neededMemoryBytes({ ...guest, idleBytes: 16 * mebibyte, later });
    assert.ok(needed >= 48 * mebibyte && needed < 64 * mebibyte);
  });

  it('with numbers that contradict each other is refused before anything is assembled', () => {
    const hotSet = { bytes: 8 * mebibyte, writeShare: 0.5 };
    assert.throws(() => {
      buildGuest({ ...guest, hotSet }, '/nonexistent');
    }, /hotSet\.bytes/);
    assert.throws(() => {
      buildGuest({ ...guest, workingSetBytes: 0 }, '/nonexistent');
    }, /workingSetBytes/);
  });
});
