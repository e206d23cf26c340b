import assert from 'node:assert/strict';
import { roundsOf, throttleSeconds, type Reading } from './run.ts';

/** Half a second apart: sync count, backlog, throttle. */
function readings(rows: readonly (readonly [number, number, number])[]): Reading[] {
  return rows.map(([dirtySyncCount, remainingBytes, throttlePercent], index) => {
    return { atMilliseconds: 500 * index, dirtySyncCount, remainingBytes, throttlePercent };
  });
}

describe('bench/run: rounds from readings', () => {
  it('are the first readings after each sync', () => {
    const seen = readings([
      [1, 80, 0],
      [1, 40, 0],
      [2, 60, 1],
      [2, 20, 80],
      [3, 30, 80],
    ]);
    assert.deepEqual(roundsOf(seen), { backlogBytes: [80, 60, 30], throttledFromRound: 1 });
  });

  it('are those of the last attempt', () => {
    const seen = readings([
      [1, 80, 0],
      [2, 70, 90],
      [1, 80, 0],
      [2, 10, 0],
    ]);
    assert.deepEqual(roundsOf(seen), { backlogBytes: [80, 10] });
    assert.deepEqual(roundsOf([]), { backlogBytes: [] });
  });

  it('count throttle above the inert percent, by time', () => {
    const seen = readings([
      [1, 80, 1],
      [1, 60, 80],
      [2, 50, 80],
      [3, 10, 0],
    ]);
    assert.ok(Math.abs(throttleSeconds(seen) - 0.8) < 1e-9);
  });
});
