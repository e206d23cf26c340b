import assert from 'node:assert/strict';
import type { Tuning } from '../../../../../shared/command.ts';
import type { Migration } from '../../../../../brain/core/migration.ts';
import {
  armed,
  chooseSwitchover,
} from '../../../../../brain/core/policies/adaptive/switchover-choice.ts';
import { activeSample, mebibyte, movingMigration, roundOf, vmFacts } from '../../support.ts';

/** Random writes at this many MiB/s over 64 MiB, with 24 MiB to go at 32 MiB/s; the limit is 300 ms. */
function writing(rate: number, change: Partial<Migration> = {}): Migration {
  const bytes = rate === 0 ? 0 : 64 * mebibyte;
  const classes = rate === 0 ? [] : [{ shape: 'random' as const, bytes, seconds: 64 / rate }];
  const last = activeSample({ remainingBytes: 24 * mebibyte, dirtySyncCount: 3 });
  return movingMigration({ workingSet: { bytes, classes }, last, ...change });
}

function tuningFor(migration: Migration): Tuning | undefined {
  const wanted = chooseSwitchover(migration);
  return wanted?.kind === 'command' && wanted.operation.kind === 'tune'
    ? wanted.operation.tuning
    : undefined;
}

const held = { tuning: { downtimeLimitMilliseconds: 50 } };

describe('core/policies/adaptive/switchover-choice', () => {
  it('makes the pause of a quiet guest a sixth as long, for nothing', () => {
    assert.equal(tuningFor(writing(0))?.downtimeLimitMilliseconds, 50);
    assert.equal(chooseSwitchover(writing(0))?.rule, 'shorter-pause-for-free');
  });

  it('says nothing while the sync is far', () => {
    const last = activeSample({ remainingBytes: 64 * mebibyte, dirtySyncCount: 3 });
    assert.equal(chooseSwitchover(writing(0, { last })), undefined);
  });

  it('says so once', () => {
    assert.equal(chooseSwitchover(writing(0, held)), undefined);
  });

  it('leaves the limit alone where another round would cost time', () => {
    assert.equal(chooseSwitchover(writing(20)), undefined);
  });

  it('gives the limit back when the guest begins to write', () => {
    const wanted = chooseSwitchover(writing(20, held));
    assert.equal(tuningFor(writing(20, held))?.downtimeLimitMilliseconds, 300);
    assert.equal(wanted?.rule, 'waiting-does-not-pay');
  });

  it('gives it back for a guest that nothing brings to an end', () => {
    assert.deepEqual(tuningFor(writing(200, held)), { downtimeLimitMilliseconds: 300 });
  });

  it('gives it back for a guest that is throttled, but for what the throttle and the sockets take', () => {
    const holding = (throttlePauseMilliseconds: number) => {
      const throttled = { orderedThrottlePercent: 90, throttlePauseMilliseconds };
      return [held, {}].map((change) => tuningFor(writing(20, { ...change, ...throttled })));
    };
    const limits = (milliseconds: number) => ({ downtimeLimitMilliseconds: milliseconds });
    assert.deepEqual(holding(6), [limits(300), undefined]);
    assert.deepEqual(holding(90), [limits(216), limits(216)]);
    assert.deepEqual(holding(226), [limits(90), limits(90)]);
  });

  it('says why the limit falls: parts of the pause that QEMU does not see, or its own figure', () => {
    const throttled = { orderedThrottlePercent: 90, throttlePauseMilliseconds: 90 };
    assert.equal(chooseSwitchover(writing(20, throttled))?.rule, 'pause-has-other-parts');
    const source = vmFacts('source', { liveSettings: ['downtime-limit', 'throttle'] });
    const low = { remainingBytes: 24 * mebibyte, bandwidthBytesPerSecond: 8 * mebibyte };
    const last = activeSample({ ...low, dirtySyncCount: 3 });
    const slow = writing(20, {
      ...throttled,
      source,
      last,
      tuning: { downtimeLimitMilliseconds: 90 },
    });
    assert.equal(tuningFor(slow)?.downtimeLimitMilliseconds, 300);
    assert.equal(chooseSwitchover(slow)?.rule, 'switchover-test-corrected');
    const peakBytesPerSecond = 64 * mebibyte;
    const misled = chooseSwitchover(writing(20, { peakBytesPerSecond }));
    assert.equal(misled?.rule, 'switchover-test-corrected');
  });

  it('does not wait for a guest that has just changed its ways', () => {
    assert.equal(chooseSwitchover(writing(0, { surprise: 2 })), undefined);
    assert.equal(chooseSwitchover(writing(0, { surprise: 0.3 })), undefined);
    assert.ok(chooseSwitchover(writing(0, { surprise: 1.2 })));
  });

  it('lets a chance pass for a while, not for ever', () => {
    const sinceTheChance = (milliseconds: number): Migration => {
      const missed = roundOf(8, 4 * mebibyte, 2 * mebibyte);
      const nowMilliseconds = missed.endedAtMilliseconds + milliseconds;
      return writing(0, {
        ...held,
        rounds: [missed, roundOf(9, mebibyte, mebibyte)],
        nowMilliseconds,
      });
    };
    assert.equal(chooseSwitchover(sinceTheChance(300)), undefined);
    assert.equal(tuningFor(sinceTheChance(600))?.downtimeLimitMilliseconds, 300);
  });

  it('arms several connections with less, and leaves that while their sockets fill', () => {
    const { tuning, arming } = armed(movingMigration(), 'multifd-zstd');
    assert.equal(tuning.downtimeLimitMilliseconds, 50);
    assert.equal(armed(movingMigration(), 'plain').tuning.downtimeLimitMilliseconds, 300);
    const migration = writing(20, { tuning });
    const begun = (agoMilliseconds: number): Migration => {
      const startedAtMilliseconds = migration.nowMilliseconds - agoMilliseconds;
      return {
        ...migration,
        attempts: [{ number: 1, arming, startedAtMilliseconds, transferredBytes: 0 }],
      };
    };
    assert.equal(chooseSwitchover(begun(300)), undefined);
    assert.ok((tuningFor(begun(600))?.downtimeLimitMilliseconds ?? 0) > 150);
  });
});
