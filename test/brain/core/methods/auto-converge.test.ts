import assert from 'node:assert/strict';
import type { CommandResult } from '../../../../shared/command.ts';
import {
  autoConverge,
  canHalfCock,
  halfCocked,
  inert,
  nativeAutoConverge,
  setPoint,
  foreseenPauseMilliseconds,
  throttlePauseMilliseconds,
} from '../../../../brain/core/methods/auto-converge.ts';
import {
  activeSample,
  mebibyte,
  migrateOrder,
  movingMigration,
  plainArming,
  readyMigration,
  roundOf,
} from '../support.ts';

const byQemu = (maxThrottlePercent = 90) =>
  readyMigration({ order: migrateOrder({ throttle: 'qemu', maxThrottlePercent }) });

/** Under way with QEMU's throttle armed inert, after rounds that ended at these times. */
function armed(...endsMilliseconds: readonly number[]) {
  const rounds = endsMilliseconds.map((endedAtMilliseconds, index) => ({
    ...roundOf(index + 1, 64 * mebibyte, 64 * mebibyte),
    endedAtMilliseconds,
  }));
  const attempt = { number: 1, startedAtMilliseconds: 1000, transferredBytes: 0 };
  return movingMigration({
    rounds,
    attempts: [{ ...attempt, arming: { ...plainArming, autoConverge: true } }],
    tuning: { autoConverge: inert },
  });
}

describe('core/methods/auto-converge', () => {
  it('is armed inert: present, and doing nothing', () => {
    const armament = autoConverge.arm(byQemu(), 'plain');
    assert.equal(armament?.arming?.autoConverge, true);
    assert.equal(armament.tuning?.autoConverge?.maxPercent, 1);
    assert.equal(armament.tuning.autoConverge.initialPercent, 1);
  });

  it('is not armed where the throttle is a cgroup, or none is allowed', () => {
    assert.equal(autoConverge.arm(readyMigration(), 'plain'), undefined);
    assert.equal(autoConverge.arm(byQemu(1), 'plain'), undefined);
  });

  it('becomes a set-point that jumps both ways: initial = max, a step over the whole range', () => {
    for (const percent of [20, 90, 60]) {
      const { initialPercent, maxPercent, incrementPercent } = setPoint(percent);
      assert.deepEqual([initialPercent, maxPercent, incrementPercent], [percent, percent, 99]);
    }
    assert.deepEqual(setPoint(0), inert);
  });

  it('holds the guest for what its mechanism makes of a level', () => {
    const pause = (percent: number, applied?: CommandResult['applied']) =>
      throttlePauseMilliseconds(
        { kind: 'throttle', percent, mechanism: applied ? 'cgroup' : 'qemu' },
        applied,
      );
    assert.deepEqual([pause(0), pause(50), pause(90)], [0, 10, 90]);
    assert.equal(pause(90, { 'cgroup-period-microseconds': '88000' }), 176);
    assert.equal(pause(90, {}), 0);
  });

  it('is foreseen to hold a guest the longer, the harder it is and the less the guest runs', () => {
    const quota = (percent: number, change = {}) =>
      Math.round(foreseenPauseMilliseconds(movingMigration(change), percent));
    const using = (vcpuBusyShare: number) => ({
      activity: { vcpuBusyShare, blockBytesPerSecond: 0, blockOperationsPerSecond: 0 },
    });
    assert.deepEqual([quota(0), quota(50), quota(90), quota(99)], [0, 8, 20, 200]);
    assert.deepEqual([quota(90, using(0.1)), quota(99, using(0.1))], [200, 400]);
    assert.equal(quota(90, using(0.001)), 400);
    const held = { ...using(0.01), last: activeSample({}, { throttlePercent: 90 }) };
    assert.equal(quota(90, held), 200);
    const order = migrateOrder({ throttle: 'qemu' });
    assert.deepEqual([quota(90, { order }), quota(99, { order })], [90, 990]);
  });

  it('holds the trigger after the first qualifying sync, so that the next one fires', () => {
    assert.equal(canHalfCock(armed()), false);
    assert.equal(canHalfCock(armed(3000)), true);
    assert.equal(canHalfCock(armed(3000, 5000)), false);
    assert.ok(halfCocked.triggerThresholdPercent > inert.triggerThresholdPercent);
  });

  it('does not count syncs that follow within a second: QEMU does not either', () => {
    assert.equal(canHalfCock(armed(3000, 3500)), true);
    assert.equal(canHalfCock(armed(1500)), false);
  });

  it('does not hold a trigger that is not armed, or is held already', () => {
    assert.equal(canHalfCock({ ...armed(3000), attempts: movingMigration().attempts }), false);
    assert.equal(canHalfCock({ ...armed(3000), tuning: { autoConverge: halfCocked } }), false);
  });

  it("leaves QEMU's own steps to QEMU, under the cap of the objective", () => {
    for (const cap of [10, 90]) {
      const settings = nativeAutoConverge.arm(byQemu(cap), 'plain')?.tuning?.autoConverge;
      assert.equal(settings?.maxPercent, cap);
      assert.equal(settings.initialPercent, Math.min(20, cap));
    }
  });
});
