import assert from 'node:assert/strict';
import { isBurst, isLikelyToPass } from '../../../../../brain/core/policies/adaptive/bursts.ts';
import type { Migration } from '../../../../../brain/core/migration.ts';
import { mebibyte, movingMigration, probeReport, roundOf } from '../../support.ts';

/** A probe of so many MiB in each of its windows of 100, 250, 251 and 500 ms. */
const probed = (...megabytes: readonly [number, number, number, number]) =>
  probeReport({
    dirtyCurve: [100, 250, 251, 500].map((windowMilliseconds, index) => ({
      windowMilliseconds,
      dirtyBytes: (megabytes[index] ?? 0) * mebibyte,
    })),
  });
const comingAndGoing = probed(30, 60, 0, 60);

/** So long after the end of a round in which the guest wrote so many times what was expected. */
function after(milliseconds: number, surprise: number, change: Partial<Migration> = {}) {
  const round = { ...roundOf(2, 64 * mebibyte, 90 * mebibyte), surprise };
  const nowMilliseconds = round.endedAtMilliseconds + milliseconds;
  return movingMigration({ probe: comingAndGoing, rounds: [round], nowMilliseconds, ...change });
}

describe('core/policies/adaptive/bursts', () => {
  it('sees a burst where the guest suddenly writes far more than was expected', () => {
    assert.equal(isBurst(movingMigration({ surprise: 2.5 })), true);
    assert.equal(isBurst(movingMigration({ surprise: 1.5 })), false);
  });

  it('gives a burst time to pass where the probe saw the guest busy and at rest', () => {
    assert.equal(isLikelyToPass(after(500, 5)), true);
    assert.equal(isLikelyToPass(after(3000, 5)), false);
  });

  it('gives none to a guest that was as busy all the time, or does what was expected', () => {
    assert.equal(isLikelyToPass(after(500, 5, { probe: probed(10, 25, 24, 50) })), false);
    assert.equal(isLikelyToPass(after(500, 1.1)), false);
  });

  it('knows nothing without a probe', () => {
    const { probe: _, ...blind } = after(500, 5);
    assert.equal(isLikelyToPass(blind), false);
  });
});
