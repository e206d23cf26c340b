import assert from 'node:assert/strict';
import type { MigrationSample, RamSample } from '../../../shared/sample.ts';
import type { Migration } from '../../../brain/core/migration.ts';
import { observeRound, switchoverBytes } from '../../../brain/core/rounds.ts';
import { activeSample, mebibyte, movingMigration, pageBytes } from './support.ts';

const pages = (megabytes: number) => (megabytes * mebibyte) / pageBytes;

/** The n-th sync has been made, `sent` MiB were sent in all and `remaining` are known to be left. */
function at(
  sync: number,
  sent: number,
  remaining: number,
  change: Partial<MigrationSample> = {},
  ram: Partial<RamSample> = {},
): MigrationSample {
  return activeSample(
    {
      dirtySyncCount: sync,
      normalPages: pages(sent),
      transferredBytes: sent * mebibyte,
      remainingBytes: remaining * mebibyte,
      ...ram,
    },
    change,
  );
}

const fresh: Migration = (() => {
  const { openRound: _, ...rest } = movingMigration({ rounds: [] });
  return rest;
})();

/** One second passes before each of the samples. */
function follow(...samples: readonly MigrationSample[]): Migration {
  return samples.reduce((migration, sample) => {
    const next = { ...migration, nowMilliseconds: migration.nowMilliseconds + 1000 };
    return observeRound(next, sample, 1000);
  }, fresh);
}

describe('core/rounds', () => {
  it('opens the first pass with the first sample that counts RAM', () => {
    assert.equal(follow({ status: 'active', throttlePercent: 0 }).openRound, undefined);
    assert.equal(follow(at(1, 0, 128, { status: 'setup' })).openRound, undefined);
    assert.equal(follow(at(1, 0, 128)).openRound?.number, 1);
  });

  it('closes a round at the sync after a full pass, with what it found and left', () => {
    const { rounds, openRound } = follow(at(1, 0, 128), at(1, 64, 64), at(2, 128, 40));
    assert.equal(rounds.length, 1);
    const [first] = rounds;
    assert.equal(first?.startRemainingBytes, 128 * mebibyte);
    assert.equal(first.endRemainingBytes, 40 * mebibyte);
    assert.equal(first.transferredBytes, 128 * mebibyte);
    assert.equal(first.endedAtMilliseconds - first.startedAtMilliseconds, 2000);
    assert.equal(openRound?.number, 2);
    assert.equal(openRound.startRemainingBytes, 40 * mebibyte);
  });

  it('does not close it within a pass, however `remaining` moves', () => {
    assert.deepEqual(follow(at(1, 0, 128), at(1, 64, 64), at(1, 120, 8)).rounds, []);
  });

  it('sees no round in a timer sync: less than half of the backlog was sent', () => {
    const { rounds, openRound } = follow(at(1, 0, 128), at(2, 40, 120), at(3, 60, 110));
    assert.deepEqual(rounds, []);
    assert.equal(openRound?.number, 1);
  });

  it('sees a round in a sync near the switchover, however little there was to send', () => {
    // 32 MiB/s within 300 ms: QEMU syncs by itself when less than 9.6 MiB are left.
    const { rounds } = follow(at(1, 0, 128), at(2, 120, 14), at(3, 125, 13), at(4, 126, 20));
    assert.deepEqual(
      rounds.map((round) => round.endRemainingBytes / mebibyte),
      [14, 13],
    );
  });

  it('knows the switchover threshold once the link is measured', () => {
    assert.equal(switchoverBytes(movingMigration()), 0.3 * 32 * mebibyte);
    const { bandwidthBytesPerSecond: _, ...unmeasured } = movingMigration();
    assert.equal(switchoverBytes(unmeasured), undefined);
    const tuning = { downtimeLimitMilliseconds: 300, availSwitchoverBandwidthBytesPerSecond: 0 };
    assert.equal(switchoverBytes(movingMigration({ tuning })), 0.3 * 32 * mebibyte);
  });

  it('closes the round at the full pass even after timer syncs', () => {
    const { rounds } = follow(at(1, 0, 128), at(2, 40, 120), at(3, 130, 50));
    assert.equal(rounds.length, 1);
    assert.equal(rounds[0]?.endRemainingBytes, 50 * mebibyte);
  });

  it('takes two syncs between two samples for one round', () => {
    const { rounds, openRound } = follow(at(1, 0, 128), at(3, 200, 30));
    assert.equal(rounds.length, 1);
    assert.equal(openRound?.dirtySyncCount, 3);
  });

  it('counts pages that XBZRLE has encoded as sent', () => {
    const xbzrle = {
      cacheBytes: 64 * mebibyte,
      encodedBytes: 1000,
      encodedPages: pages(60),
      cacheMissPages: 0,
      cacheMissShare: 0,
      encodingRatio: 100,
      overflowPages: 0,
    };
    const { rounds } = follow(at(2, 0, 64), at(3, 4, 30, { xbzrle }));
    assert.equal(rounds.length, 1);
  });

  it('closes the round of an empty backlog at the next sync', () => {
    assert.equal(follow(at(1, 128, 0), at(2, 128, 5)).rounds.length, 1);
  });

  it('counts the time in which the guest was allowed to run', () => {
    const { rounds } = follow(
      at(1, 0, 128),
      at(1, 50, 78, { throttlePercent: 50 }),
      at(2, 128, 40, { throttlePercent: 90 }),
    );
    assert.ok(Math.abs((rounds[0]?.guestRunMilliseconds ?? 0) - 600) < 1e-6);
    assert.equal(rounds[0]?.throttlePercent, 90);
  });

  it('numbers rounds with their attempt', () => {
    const { rounds } = follow(at(1, 0, 128), at(2, 128, 64), at(3, 192, 40));
    assert.deepEqual(
      rounds.map(({ number, attempt }) => [number, attempt]),
      [
        [1, 1],
        [2, 1],
      ],
    );
  });
});
