import assert from 'node:assert/strict';
import type { Migration } from '../../../../brain/core/migration.ts';
import { adaptive } from '../../../../brain/core/policies/adaptive.ts';
import { mebibyte, movingMigration, plainArming, roundOf, vmFacts } from '../support.ts';

/** Converging by itself, four times as much drained as the wire carries; too unsteady to be waited for. */
function compressed(change: Partial<Migration> = {}, ratio = 4): Migration {
  const second = roundOf(2, 30 * mebibyte, 12 * mebibyte);
  const arming = { ...plainArming, family: 'multifd-zstd' } as const;
  return movingMigration({
    attempts: [{ number: 1, arming, startedAtMilliseconds: 1000, transferredBytes: 0 }],
    rounds: [
      roundOf(1, 128 * mebibyte, 30 * mebibyte),
      { ...second, transferredBytes: second.startRemainingBytes / ratio },
    ],
    workingSet: {
      bytes: 30 * mebibyte,
      classes: [{ shape: 'random', bytes: 30 * mebibyte, seconds: 3 }],
    },
    laterRoundsBytesPerSecond: 128 * mebibyte,
    surprise: 1.5,
    ...change,
  });
}

function tuningOf(migration: Migration) {
  const wanted = adaptive.decide(migration);
  return wanted?.kind === 'command' && wanted.operation.kind === 'tune'
    ? wanted.operation.tuning
    : undefined;
}

describe('core/policies/adaptive', () => {
  it('corrects the switchover test when the measured ratio asks for it', () => {
    const tuning = tuningOf(compressed());
    assert.ok((tuning?.availSwitchoverBandwidthBytesPerSecond ?? 0) > 64 * mebibyte);
    assert.equal(tuning?.downtimeLimitMilliseconds, 300);
  });

  it('corrects it by the downtime limit on an older QEMU', () => {
    const source = vmFacts('source', { liveSettings: ['downtime-limit'] });
    assert.ok((tuningOf(compressed({ source }))?.downtimeLimitMilliseconds ?? 0) > 600);
  });

  it('does not correct the same thing twice', () => {
    const migration = compressed();
    const tuning = { ...migration.tuning, ...tuningOf(migration) };
    assert.equal(tuningOf({ ...migration, tuning }), undefined);
  });

  it('corrects nothing before later rounds were measured', () => {
    const migration = compressed();
    assert.equal(tuningOf({ ...migration, rounds: migration.rounds.slice(0, 1) }), undefined);
  });

  it('takes the correction back when the ratio is gone', () => {
    const tuning = {
      downtimeLimitMilliseconds: 300,
      availSwitchoverBandwidthBytesPerSecond: 128 * mebibyte,
    };
    const migration = compressed({ tuning }, 1);
    assert.equal(tuningOf(migration)?.availSwitchoverBandwidthBytesPerSecond, 0);
  });
});
