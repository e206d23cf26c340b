import assert from 'node:assert/strict';
import { inert } from '../../../../../brain/core/methods/auto-converge.ts';
import type { Migration } from '../../../../../brain/core/migration.ts';
import { chooseThrottle } from '../../../../../brain/core/policies/adaptive/throttle-choice.ts';
import {
  activeSample,
  mebibyte,
  migrateOrder,
  movingMigration,
  plainArming,
  probeReport,
  roundOf,
} from '../../support.ts';

/** Random writes over 64 MiB at this many MiB/s, on a link of 32 MiB/s. */
function writing(rate: number, change: Partial<Migration> = {}): Migration {
  const bytes = 64 * mebibyte;
  const classes = [{ shape: 'random' as const, bytes, seconds: 64 / rate }];
  return movingMigration({ workingSet: { bytes, classes }, ...change });
}

/** The throttle that is wanted; undefined when none is, or something else. */
function percentFor(migration: Migration): number | undefined {
  const wanted = chooseThrottle(migration);
  return wanted?.kind === 'command' && wanted.operation.kind === 'throttle'
    ? wanted.operation.percent
    : undefined;
}

const firstPass = (migration: Migration): Migration => {
  assert.ok(migration.openRound);
  return { ...migration, rounds: [], openRound: { ...migration.openRound, number: 1 } };
};
const capped = (maxThrottlePercent: number) => ({ order: migrateOrder({ maxThrottlePercent }) });

/** Since round 3 the throttle has been in force; now it is round 7. */
function underThrottle(rate: number, ...backlogs: readonly number[]): Migration {
  const migration = writing(rate);
  assert.ok(migration.openRound);
  const rounds = backlogs
    .slice(1)
    .map((end, index) => roundOf(index + 1, (backlogs[index] ?? 0) * mebibyte, end * mebibyte));
  return {
    ...migration,
    rounds,
    openRound: { ...migration.openRound, number: 7 },
    last: activeSample(
      { remainingBytes: (backlogs.at(-1) ?? 0) * mebibyte },
      { throttlePercent: 90 },
    ),
    orderedThrottlePercent: 90,
    orderedThrottleRound: 3,
  };
}

describe('core/policies/adaptive/throttle-choice', () => {
  it('throttles a guest that will not end otherwise, hard, and says what it expects', () => {
    const wanted = chooseThrottle(writing(128));
    assert.equal(percentFor(writing(128)), 90);
    assert.ok((wanted?.prediction?.totalMilliseconds ?? 0) > 0);
    assert.ok(Number(wanted?.evidence['costChosen']) < Number(wanted?.evidence['costOtherwise']));
  });

  it('leaves a guest alone that converges by itself', () => {
    const rounds = [
      roundOf(1, 128 * mebibyte, 40 * mebibyte),
      roundOf(2, 40 * mebibyte, 15 * mebibyte),
    ];
    const last = activeSample({ remainingBytes: 15 * mebibyte });
    assert.equal(chooseThrottle(writing(12, { rounds, last })), undefined);
  });

  it('never throttles in the first pass: all of it must be sent anyway', () => {
    assert.equal(percentFor(firstPass(writing(128))), undefined);
  });

  it('stays within the cap, and does nothing where no throttle is allowed', () => {
    assert.equal(percentFor(writing(128, capped(80))), 80);
    assert.equal(chooseThrottle(writing(128, capped(1))), undefined);
    const { source, ...rest } = writing(128);
    assert.ok(source);
    assert.equal(chooseThrottle({ ...rest, source: { ...source, throttles: [] } }), undefined);
  });

  it('goes as hard as the pause bears where rounds have proved what the model does not see', () => {
    const still = (number: number) => roundOf(number, 64 * mebibyte, 64 * mebibyte);
    const provenUnder = (throttle: 'qemu' | 'cgroup') => {
      const order = migrateOrder({ throttle, maxThrottlePercent: 99 });
      const last = activeSample({ remainingBytes: 20 * mebibyte });
      return chooseThrottle(writing(4, { order, last, rounds: [1, 2, 3].map(still) }));
    };
    const levels = (['cgroup', 'qemu'] as const).map((throttle) => {
      const wanted = provenUnder(throttle);
      assert.equal(wanted?.rule, 'endless-by-proof');
      assert.ok(wanted.kind === 'command' && wanted.operation.kind === 'throttle');
      return wanted.operation.percent;
    });
    assert.deepEqual(levels, [99, 95]);
  });

  it('awaits the end of a round that has begun where the model was wrong, unless it clearly pays', () => {
    const within = (guestRunMilliseconds: number, rate: number, surprise: number) => {
      const last = activeSample({ remainingBytes: 30 * mebibyte });
      const migration = writing(rate, { last, surprise });
      assert.ok(migration.openRound);
      const openRound = { ...migration.openRound, guestRunMilliseconds };
      return percentFor({ ...migration, openRound });
    };
    assert.equal(within(300, 48, 1.6), undefined);
    assert.ok(within(300, 48, 1));
    assert.ok(within(300, 128, 1.6));
    assert.ok(within(0, 48, 1.6));
  });

  it('gives a burst time to pass where the probe saw the guest come and go, whatever rounds prove', () => {
    const still = (number: number) => ({
      ...roundOf(number, 64 * mebibyte, 64 * mebibyte),
      surprise: 3,
    });
    const rounds = [1, 2, 3].map(still);
    const nowMilliseconds = (rounds.at(-1)?.endedAtMilliseconds ?? 0) + 100;
    const curve = [60, 0].map((megabytes) => ({
      windowMilliseconds: 250,
      dirtyBytes: megabytes * mebibyte,
    }));
    const seen = { rounds, nowMilliseconds, probe: probeReport({ dirtyCurve: curve }) };
    assert.equal(percentFor(writing(128, seen)), undefined);
    assert.ok(percentFor(writing(128, { ...seen, probe: probeReport() })));
    assert.ok(percentFor(writing(128, { ...seen, nowMilliseconds: nowMilliseconds + 2000 })));
  });

  it('releases a throttle that is not needed any more', () => {
    assert.equal(percentFor(underThrottle(3, 128, 60, 40, 30, 20)), 0);
  });

  it('keeps one that works', () => {
    assert.equal(percentFor(underThrottle(128, 128, 60, 50, 40, 20)), undefined);
  });

  it('goes by QEMU only when the sync is near: the set-point is written ahead of it', () => {
    const order = migrateOrder({ throttle: 'qemu' });
    const held = {
      tuning: {
        downtimeLimitMilliseconds: 300,
        autoConverge: { ...inert, triggerThresholdPercent: 100 },
      },
    };
    const far = writing(128, { order, ...held });
    assert.equal(percentFor(far), undefined);
    const near = { ...far, last: activeSample({ remainingBytes: 20 * mebibyte }) };
    const wanted = chooseThrottle(near);
    assert.equal(
      wanted?.kind === 'command' &&
        wanted.operation.kind === 'throttle' &&
        wanted.operation.mechanism,
      'qemu',
    );
  });

  it('holds the trigger once QEMU has counted the first of its two syncs', () => {
    const arming = { ...plainArming, autoConverge: true };
    const migration = writing(128, {
      order: migrateOrder({ throttle: 'qemu' }),
      attempts: [{ number: 1, arming, startedAtMilliseconds: 0, transferredBytes: 0 }],
      tuning: { autoConverge: inert },
      rounds: [roundOf(1, 128 * mebibyte, 64 * mebibyte)],
    });
    assert.equal(chooseThrottle(migration)?.rule, 'hold-trigger-half-cocked');
  });

  const tooWeak = (...backlogs: readonly number[]): Migration => {
    const bytes = 64 * mebibyte;
    const classes = [{ shape: 'random' as const, bytes, seconds: 0.1 }];
    return {
      ...underThrottle(1000, ...backlogs),
      ...capped(20),
      workingSet: { bytes, classes },
      orderedThrottlePercent: 20,
    };
  };

  it('drops a throttle that is in vain, once and for all', () => {
    const inVain = tooWeak(128, 60, 60, 60, 60, 60, 60);
    const wanted = chooseThrottle(inVain);
    assert.equal(percentFor(inVain), 0);
    assert.equal(wanted?.prediction?.totalMilliseconds, undefined, 'no end is promised');
    const released = { ...inVain, orderedThrottlePercent: 0, orderedThrottleRound: 7 };
    assert.equal(chooseThrottle({ ...released, policyMemory: wanted?.memory ?? {} }), undefined);
  });

  it('keeps a throttle that has just brought the backlog to a new low, for all of one bad round', () => {
    assert.equal(chooseThrottle(tooWeak(128, 47, 40, 37, 27, 21, 25)), undefined);
    assert.equal(percentFor(tooWeak(128, 47, 40, 21, 22, 21, 25)), 0);
  });
});
