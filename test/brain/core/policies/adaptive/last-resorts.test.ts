import assert from 'node:assert/strict';
import type { Migration } from '../../../../../brain/core/migration.ts';
import {
  choosePostCopy,
  chooseRestart,
} from '../../../../../brain/core/policies/adaptive/last-resorts.ts';
import { withWorkingSet } from '../../../../../brain/core/workload.ts';
import {
  mebibyte,
  migrateOrder,
  movingMigration,
  plainArming,
  probeReport,
  roundOf,
  vmFacts,
} from '../../support.ts';

const text = probeReport({ compressionRatio: 8, dirtyCompressionRatio: 8 });
const random = probeReport();
const onlyGentle = migrateOrder({ maxThrottlePercent: 1 });

/** Endless in plain pre-copy. */
function stuck(change: Partial<Migration> = {}): Migration {
  return withWorkingSet(movingMigration({ probe: text, order: onlyGentle, ...change }));
}

describe('core/policies/adaptive/last-resorts', () => {
  describe('a restart', () => {
    it('pays when another family ends what this one cannot', () => {
      const wanted = chooseRestart(stuck());
      assert.equal(wanted?.kind, 'restart');
      assert.equal(wanted.plan.arming.family, 'multifd-zstd');
      assert.ok(Number(wanted.evidence['costRestarting']) < Number(wanted.evidence['costGoingOn']));
    });

    it('does not pay when no family would do better', () => {
      assert.equal(chooseRestart(stuck({ probe: random })), undefined);
    });

    it('is not tried twice into the same family', () => {
      const triedFamilies = ['multifd-zstd', 'multifd-zlib'] as const;
      assert.equal(chooseRestart(stuck({ triedFamilies })), undefined);
    });

    it('needs a destination that can be started anew', () => {
      const destination = vmFacts('destination', { canStartDestination: false });
      assert.equal(chooseRestart(stuck({ destination })), undefined);
    });

    it('is weighed at the start of a round, and twice a second within it', () => {
      const samples = [100, 400, 500, 600, 900, 1010].map((intoRound) => {
        const nowMilliseconds = 10_000 + intoRound;
        const wanted = chooseRestart(
          stuck({ nowMilliseconds, sinceSampleBeforeMilliseconds: 100 }),
        );
        return wanted === undefined ? '-' : intoRound;
      });
      assert.deepEqual(samples, ['-', '-', 500, '-', '-', 1010]);
    });

    it('waits until the link has been measured', () => {
      const { bandwidthBytesPerSecond: _, ...unmeasured } = stuck();
      assert.equal(chooseRestart(unmeasured), undefined);
    });
  });

  describe('post-copy', () => {
    const arming = { ...plainArming, postCopy: true };
    const attempts = [{ number: 1, arming, startedAtMilliseconds: 1000, transferredBytes: 0 }];
    const order = migrateOrder({ postCopy: 'last-resort', maxThrottlePercent: 1 });
    const backlogs = (...ends: readonly number[]) =>
      ends.map((end, index) =>
        roundOf(index + 1, (ends[index - 1] ?? 128) * mebibyte, end * mebibyte),
      );
    const tried = backlogs(64, 64, 64, 64, 64, 64, 64);

    function exhausted(change: Partial<Migration> = {}): Migration {
      const migration = stuck({ probe: random, attempts, order, rounds: tried, ...change });
      assert.ok(migration.openRound);
      const number = migration.rounds.length + 1;
      return { ...migration, openRound: { ...migration.openRound, number } };
    }

    it('is started when every allowed method was tried', () => {
      const wanted = choosePostCopy(exhausted());
      assert.equal(wanted?.kind === 'command' && wanted.operation.kind, 'start-postcopy');
    });

    it('is not started unless it was armed', () => {
      const unarmed = movingMigration().attempts;
      assert.equal(choosePostCopy(exhausted({ attempts: unarmed })), undefined);
    });

    it('is not started before pre-copy had its rounds', () => {
      assert.equal(choosePostCopy(exhausted({ rounds: backlogs(64) })), undefined);
    });

    it('needs two rounds under the hardest throttle that prove the model right', () => {
      const gentle = migrateOrder({ postCopy: 'last-resort', maxThrottlePercent: 10 });
      const held = { order: gentle, orderedThrottlePercent: 10, orderedThrottleRound: 3 };
      const throttled = (ends: readonly number[]) =>
        backlogs(...ends).map((round) =>
          round.number < 3 ? round : { ...round, throttlePercent: 10 },
        );
      const early = exhausted({ ...held, rounds: throttled([64, 64, 64]) });
      assert.equal(choosePostCopy(early), undefined);
      const proven = exhausted({ ...held, rounds: throttled([64, 64, 64, 64]) });
      assert.equal(choosePostCopy(proven)?.rule, 'every-allowed-method-tried');
    });

    it('waits for a low of the backlog', () => {
      const high = backlogs(50, 50, 50, 50, 50, 50, 64);
      assert.equal(choosePostCopy(exhausted({ rounds: high })), undefined);
    });

    it('measures the low since the throttle was last changed', () => {
      const released = backlogs(50, 45, 40, 54, 54, 54, 54);
      const wanted = choosePostCopy(exhausted({ rounds: released, orderedThrottleRound: 3 }));
      assert.equal(wanted?.rule, 'every-allowed-method-tried');
    });

    it('is not started while a throttle is still allowed and not tried', () => {
      const allowed = migrateOrder({ postCopy: 'last-resort', maxThrottlePercent: 90 });
      assert.equal(choosePostCopy(exhausted({ order: allowed })), undefined);
    });
  });
});
