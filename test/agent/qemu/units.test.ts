import assert from 'node:assert/strict';
import {
  floorToPowerOfTwo,
  mebibytesPerSecondToBytesPerSecond,
  megabitsPerSecondToBytesPerSecond,
  microsecondsToMilliseconds,
  nanosecondsToMilliseconds,
  pagesToBytes,
} from '../../../agent/qemu/units.ts';

describe('units of QEMU', () => {
  it('become ours', () => {
    assert.equal(megabitsPerSecondToBytesPerSecond(8), 1_000_000);
    assert.equal(mebibytesPerSecondToBytesPerSecond(2), 2_097_152);
    assert.equal(microsecondsToMilliseconds(1500), 1.5);
    assert.equal(nanosecondsToMilliseconds(2_500_000), 2.5);
    assert.equal(pagesToBytes(3, 4096), 12_288);
  });

  it('caches come in powers of two', () => {
    const exact = 64 * 1024 * 1024;
    assert.deepEqual([exact - 1, exact, exact + 1].map(floorToPowerOfTwo), [
      exact / 2,
      exact,
      exact,
    ]);
  });
});
