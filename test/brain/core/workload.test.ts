import assert from 'node:assert/strict';
import { withWorkingSet } from '../../../brain/core/workload.ts';
import type { Migration, Round } from '../../../brain/core/migration.ts';
import { dirtiedBytes } from '../../../brain/core/working-set.ts';
import { mebibyte, movingMigration, probeReport, randomCurve, roundOf } from './support.ts';

/** A full second of the guest's running, which left this many MiB. */
const leaving = (number: number, megabytes: number): Round =>
  roundOf(number, 64 * mebibyte, megabytes * mebibyte);

/** Nothing is left unsent at the syncs, so that backlogs are what was dirtied. */
function learned(rounds: readonly Round[], change: Partial<Migration> = {}): number {
  const migration = movingMigration({
    rounds,
    tuning: { downtimeLimitMilliseconds: 0 },
    ...change,
  });
  const { workingSet } = withWorkingSet(migration);
  assert.ok(workingSet);
  return dirtiedBytes(workingSet, 1) / mebibyte;
}

describe('core/workload', () => {
  it('knows nothing without a probe and without a round', () => {
    assert.equal(learned([]), 0);
  });

  it('learns from rounds alone where there is no probe', () => {
    assert.ok(Math.abs(learned([leaving(1, 30)]) - 30) < 4);
  });

  it('stays with the probe while rounds agree with it', () => {
    const probe = probeReport();
    const alone = learned([], { probe });
    const agreeing = learned([leaving(1, alone)], { probe });
    assert.ok(Math.abs(agreeing / alone - 1) < 0.05);
  });

  it('follows a round that contradicts the probe: the workload has changed', () => {
    const probe = probeReport();
    assert.ok(learned([leaving(1, 8)], { probe }) < 16);
  });

  it('learns a new phase from its own rounds, not from what was before', () => {
    const calm = probeReport({ dirtyCurve: randomCurve(4 * mebibyte, 5 * mebibyte) });
    const busy = (seconds: number): number => 60 * (1 - Math.exp(-seconds));
    const lasting = (number: number, seconds: number): Round => ({
      ...leaving(number, busy(seconds)),
      guestRunMilliseconds: 1000 * seconds,
    });
    const first = { ...leaving(1, 10), guestRunMilliseconds: 6000 };
    const tuning = { downtimeLimitMilliseconds: 0 };
    const after = [lasting(2, 1.9), lasting(3, 1.4), lasting(4, 1.2)].reduce(
      (migration, round) => withWorkingSet({ ...migration, rounds: [...migration.rounds, round] }),
      withWorkingSet(movingMigration({ probe: calm, rounds: [first], tuning })),
    );
    assert.ok(after.workingSet);
    assert.ok(Math.abs(after.workingSet.bytes / mebibyte - 60) < 15);
    for (const [seconds, tolerance] of [
      [0.3, 0.2],
      [1, 0.1],
      [3, 0.1],
    ] as const) {
      const wanted = busy(seconds) * mebibyte;
      assert.ok(Math.abs(dirtiedBytes(after.workingSet, seconds) / wanted - 1) < tolerance);
    }
  });

  /** What a guest dirties of 62 MiB, when it has begun to write them at random at 100 MiB/s. */
  const shortly = (seconds: number): number => 62 * (1 - Math.exp(-seconds / 0.6));

  /** Distinct MiB in a tenth of a second, after a probe of a steady guest and rounds of such lengths. */
  function learnedShortly(
    probeMegabytesPerSecond: number,
    rounds: readonly (readonly [seconds: number, megabytes: number])[],
  ): number {
    const spans = [100, 150, 250, 400, 500, 750, 1000, 1300];
    const probe = probeReport({
      dirtyCurve: spans.map((windowMilliseconds) => ({
        windowMilliseconds,
        dirtyBytes: (probeMegabytesPerSecond * mebibyte * windowMilliseconds) / 1000,
      })),
    });
    const tuning = { downtimeLimitMilliseconds: 0 };
    const last = rounds.reduce(
      (migration, [seconds, megabytes], index) => {
        const round = { ...leaving(index + 1, megabytes), guestRunMilliseconds: 1000 * seconds };
        return withWorkingSet({ ...migration, rounds: [...migration.rounds, round] });
      },
      movingMigration({ probe, rounds: [], tuning }),
    );
    assert.ok(last.workingSet);
    return dirtiedBytes(last.workingSet, 0.1) / mebibyte;
  }

  it('takes rounds that bear each other out for one phase, however wrong the model of it was', () => {
    const inside = [0.97, 0.6].map((seconds) => [seconds, shortly(seconds)] as const);
    const learnedInTwo = learnedShortly(16, [[2.9, 64], ...inside]);
    assert.ok(Math.abs(learnedInTwo / shortly(0.1) - 1) < 0.1, String(learnedInTwo));
  });

  it('trusts a probe less and less that each round contradicts a little', () => {
    const rounds = [0.97, 0.6, 0.48, 0.38, 0.35].map((span) => [span, shortly(span)] as const);
    const learnedInFive = learnedShortly(45, rounds);
    assert.ok(Math.abs(learnedInFive / shortly(0.1) - 1) < 0.2, String(learnedInFive));
  });

  it('forgets older rounds sooner than newer ones', () => {
    const rising = learned([leaving(1, 20), leaving(2, 20), leaving(3, 26)]);
    const falling = learned([leaving(1, 26), leaving(2, 20), leaving(3, 20)]);
    assert.ok(rising > falling);
  });

  it('tells what was dirtied anew from what had not been sent yet', () => {
    const unsent = learned([leaving(1, 30)], { tuning: { downtimeLimitMilliseconds: 300 } });
    assert.ok(unsent < 29);
  });

  it('never finds more than the guest has RAM', () => {
    const { workingSet } = withWorkingSet(movingMigration({ rounds: [leaving(1, 500)] }));
    assert.ok((workingSet?.bytes ?? Infinity) <= 128 * mebibyte);
  });
});
