import assert from 'node:assert/strict';
import type { Input } from '../../../brain/core/input.ts';
import type { Migration } from '../../../brain/core/migration.ts';
import { observe } from '../../../brain/core/observe.ts';
import { deepFreeze } from './rehearsal.ts';
import {
  activeSample,
  hostSample,
  mebibyte,
  migrateOrder,
  movingMigration,
  probeReport,
  readyMigration,
  vmFacts,
} from './support.ts';

/** A sample of the source, a second after the state was left. */
function after(migration: Migration, sample = activeSample(), passed = 1000): Migration {
  const atMilliseconds = migration.nowMilliseconds + passed;
  const input: Input = { kind: 'sample', atMilliseconds, side: 'source', sample };
  return observe(deepFreeze(migration), input);
}

const throttled = (throttlePercent: number) => activeSample({}, { throttlePercent });

describe('core/observe', () => {
  it('takes the time from the input, whatever it is', () => {
    const inputs: readonly Input[] = [
      { kind: 'tick', atMilliseconds: 77 },
      { kind: 'detach', atMilliseconds: 77, side: 'source', reason: 'gone' },
      { kind: 'host', atMilliseconds: 77, side: 'source', host: hostSample() },
    ];
    for (const input of inputs) assert.equal(observe(readyMigration(), input).nowMilliseconds, 77);
  });

  it('remembers each side and each host apart', () => {
    const host = hostSample({ idleCpuCores: 1 });
    const seen = observe(readyMigration(), {
      kind: 'host',
      atMilliseconds: 1,
      side: 'destination',
      host,
    });
    assert.equal(seen.destinationHost, host);
    assert.equal(seen.sourceHost, undefined);
    const facts = vmFacts('source', { vcpus: 7 });
    const attached = observe(seen, { kind: 'attach', atMilliseconds: 2, side: 'source', facts });
    assert.equal(attached.source?.vcpus, 7);
    const reason = 'QEMU exited';
    const gone = observe(attached, { kind: 'detach', atMilliseconds: 3, side: 'source', reason });
    assert.equal('source' in gone, false);
    assert.ok(gone.destination);
  });

  it('dates the order and keeps the wish to abort apart from it', () => {
    const order = migrateOrder();
    const ordered = observe(readyMigration(), { kind: 'order', atMilliseconds: 500, order });
    assert.equal(ordered.orderedAtMilliseconds, 500);
    const abort = { verb: 'abort', reason: 'no' } as const;
    const aborted = observe(ordered, { kind: 'order', atMilliseconds: 900, order: abort });
    assert.equal(aborted.abortReason, 'no');
    assert.equal(aborted.order, order);
    assert.equal(aborted.orderedAtMilliseconds, 500);
  });

  it('fits the working set to a probe at once', () => {
    const probe = probeReport();
    const seen = observe(readyMigration(), { kind: 'probe', atMilliseconds: 1, probe });
    assert.ok(Math.abs((seen.workingSet?.bytes ?? 0) / (64 * mebibyte) - 1) < 0.15);
  });

  describe('the throttle', () => {
    it('is the integral of its share over time', () => {
      const once = after(movingMigration(), throttled(50));
      const twice = after(once, throttled(90), 500);
      assert.ok(Math.abs(twice.throttleSeconds - (0.5 + 0.45)) < 1e-9);
      assert.equal(twice.maxThrottlePercent, 90);
    });

    it('of 1 % is the inert arming, not a throttle', () => {
      const seen = after(movingMigration(), throttled(1));
      assert.equal(seen.throttleSeconds, 0);
      assert.equal(seen.maxThrottlePercent, 0);
    });

    it('does not count before the attempt has begun', () => {
      const seen = after(movingMigration({ phase: 'arming-source' }), throttled(50));
      assert.equal(seen.throttleSeconds, 0);
    });
  });

  it('counts the bytes of the running attempt', () => {
    const seen = after(movingMigration(), activeSample({ transferredBytes: 12_345 }));
    assert.equal(seen.attempts.at(-1)?.transferredBytes, 12_345);
    const mute = after(seen, { status: 'completed', throttlePercent: 0 });
    assert.equal(mute.attempts.at(-1)?.transferredBytes, 12_345);
  });

  it('notes progress when bytes move or the status changes, and only then', () => {
    const still = after(movingMigration());
    assert.equal(still.lastProgressAtMilliseconds, 10_000);
    const moved = after(still, activeSample({ transferredBytes: 1 }));
    assert.equal(moved.lastProgressAtMilliseconds, 12_000);
    const changed = after(still, { ...activeSample(), status: 'device' });
    assert.equal(changed.lastProgressAtMilliseconds, 12_000);
  });

  it('learns from a full round, and not from the destination', () => {
    const { openRound, workingSet: _, ...rest } = movingMigration();
    assert.ok(openRound);
    const ram = { dirtySyncCount: 4, normalPages: 40_000, remainingBytes: 30 * mebibyte };
    const sample = activeSample(ram);
    const migration = { ...rest, openRound };
    assert.ok(after(migration, sample).workingSet);
    const side = 'destination';
    const seen = observe(migration, { kind: 'sample', atMilliseconds: 11_000, side, sample });
    assert.equal(seen.destinationStatus, 'active');
    assert.equal(seen.workingSet, undefined);
    assert.equal(seen.last, migration.last);
  });
});
