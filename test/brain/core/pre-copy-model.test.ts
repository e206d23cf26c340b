import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Course } from '../../../brain/core/course.ts';
import { forecast, foreseenSyncs } from '../../../brain/core/pre-copy-model.ts';
import { mebibyte } from './support.ts';

/** Random writes at `rate` over `bytes`, all of them still to be sent over a link of 32 MiB/s. */
function course(bytes: number, rate: number, change: Partial<Course> = {}): Course {
  return {
    workingSet: { bytes, classes: [{ shape: 'random', bytes, seconds: bytes / rate }] },
    drainBytesPerSecond: 32 * mebibyte,
    firstRounds: 0,
    laterDrainBytesPerSecond: 32 * mebibyte,
    remainingBytes: 128 * mebibyte,
    roundRunSeconds: 0,
    switchoverBytes: 9.6 * mebibyte,
    throttles: [0, 0, 0],
    horizonSeconds: 600,
    ...change,
  };
}

const throttled = (each: Course, theta: number): Course => ({
  ...each,
  throttles: [theta, theta, theta],
});

/** The edge theta* = 1 - R / (D (1 - V_L/H)), and how far one must be from it to be sure. */
function edgeOf(bytes: number, rate: number): number {
  return 1 - (32 * mebibyte) / (rate * (1 - (9.6 * mebibyte) / bytes));
}

const courses = fc
  .record({
    bytes: fc.double({ min: 16, max: 128, noNaN: true }),
    rate: fc.double({ min: 1, max: 300, noNaN: true }),
    theta: fc.constantFrom(0, 0.2, 0.5, 0.9, 0.99),
    limit: fc.double({ min: 1, max: 30, noNaN: true }),
  })
  .map(({ bytes, rate, theta, limit }) =>
    throttled(
      course(bytes * mebibyte, rate * mebibyte, { switchoverBytes: limit * mebibyte }),
      theta,
    ),
  );

describe('core/pre-copy-model', () => {
  it('needs the time to send everything once, and little more for a guest that rests', () => {
    const { finishes, totalSeconds, sentBytes } = forecast(course(0, 1));
    assert.equal(finishes, true);
    assert.ok(totalSeconds >= 4 - 0.3 && totalSeconds < 4.3);
    assert.ok(Math.abs(sentBytes / (128 * mebibyte) - 1) < 0.1);
  });

  it('ends if and only if the excess shrinks: (1 - theta) D (1 - V_L/H) < R', () => {
    for (const rate of [60, 100, 200]) {
      const edge = edgeOf(64 * mebibyte, rate * mebibyte);
      const guest = course(64 * mebibyte, rate * mebibyte);
      assert.equal(forecast(throttled(guest, edge + 0.07)).finishes, true, `above, ${rate} MiB/s`);
      const below = throttled(guest, Math.max(0, edge - 0.15));
      assert.equal(forecast(below).finishes, false, `below, ${rate} MiB/s`);
    }
  });

  it('foresees the syncs on the way: the next, and the one that ends it', () => {
    const calm = course(48 * mebibyte, 16 * mebibyte);
    const { totalSeconds, downtimeSeconds, rounds, nextRoundBytes } = forecast(calm);
    const syncs = foreseenSyncs(calm, 50);
    assert.equal(syncs.length, rounds);
    assert.equal(syncs[0]?.backlogBytes, nextRoundBytes);
    assert.equal(syncs.at(-1)?.seconds, totalSeconds - downtimeSeconds);
    assert.equal(foreseenSyncs(course(128 * mebibyte, 300 * mebibyte), 5).length, 5);
  });

  it('ends without a throttle where the guest writes slower than the link', () => {
    assert.equal(forecast(course(64 * mebibyte, 20 * mebibyte)).finishes, true);
  });

  it('finds all that was dirtied in the first pass beside what that left of the other pages', () => {
    const [bytes, left] = [40 * mebibyte, 9.6 * mebibyte];
    const { nextRoundBytes } = forecast(course(bytes, 1000 * mebibyte));
    // The 40 MiB are dirty again all but those that lie among the 9.6 of 128 that are left.
    const expected = left + bytes * (1 - left / (128 * mebibyte));
    assert.ok(Math.abs(nextRoundBytes / expected - 1) < 0.03, String(nextRoundBytes / mebibyte));
  });

  it('sends deltas only of pages whose copies went over before', () => {
    const sparse = { firstRounds: 2, laterDrainBytesPerSecond: 1000 * mebibyte };
    const guest = course(64 * mebibyte, 24 * mebibyte, sparse);
    const [known, unknown] = [forecast(guest), forecast({ ...guest, needsCopies: true })];
    assert.ok(known.finishes && unknown.finishes);
    // 128 MiB twice over would be all raw; the third round meets pages that the second did not send.
    assert.ok(unknown.firstRateBytes > known.firstRateBytes + 2 * mebibyte);
    assert.ok(unknown.totalSeconds > known.totalSeconds);
    assert.ok(unknown.firstRateBytes < unknown.sentBytes);
  });

  it('ends at once where the whole working set fits into the downtime limit', () => {
    const { finishes, rounds } = forecast(course(8 * mebibyte, 1000 * mebibyte));
    assert.equal(finishes, true);
    assert.ok(rounds <= 2);
  });

  it('is quicker the harder it throttles, and costs the guest less in the end', () => {
    const guest = course(64 * mebibyte, 128 * mebibyte, { remainingBytes: 60 * mebibyte });
    const [gentle, hard] = [forecast(throttled(guest, 0.8)), forecast(throttled(guest, 0.95))];
    assert.ok(gentle.finishes && hard.finishes);
    assert.ok(hard.totalSeconds < gentle.totalSeconds);
    assert.ok(hard.guestWorkLostSeconds < gentle.guestWorkLostSeconds);
  });

  it('counts what a throttle takes: its share of the time, and the switchover', () => {
    const { totalSeconds, downtimeSeconds, guestWorkLostSeconds } = forecast(
      throttled(course(64 * mebibyte, 20 * mebibyte), 0.5),
    );
    const expected = 0.5 * (totalSeconds - downtimeSeconds) + downtimeSeconds;
    assert.ok(Math.abs(guestWorkLostSeconds - expected) < 1e-6);
  });

  it('charges a migration that never ends its whole horizon, throttled', () => {
    const guest = course(64 * mebibyte, 300 * mebibyte, { horizonSeconds: 60 });
    const { finishes, totalSeconds, guestWorkLostSeconds } = forecast(throttled(guest, 0.2));
    assert.equal(finishes, false);
    assert.equal(totalSeconds, 60);
    assert.ok(Math.abs(guestWorkLostSeconds - 12) < 0.5);
  });

  it('applies each throttle from its own round on', () => {
    const guest = course(64 * mebibyte, 128 * mebibyte);
    const at = (...throttles: [number, number, number]) => forecast({ ...guest, throttles });
    assert.equal(at(0.9, 0, 0).finishes, false);
    assert.equal(at(0, 0, 0.9).finishes, true);
    assert.ok(at(0.9, 0.9, 0.9).nextRoundBytes < 0.7 * at(0, 0.9, 0.9).nextRoundBytes);
    assert.ok(at(0, 0, 0.9).totalSeconds > at(0, 0.9, 0.9).totalSeconds);
  });

  it('drains later rounds at their own rate', () => {
    const guest = course(64 * mebibyte, 128 * mebibyte, {
      firstRounds: 1,
      laterDrainBytesPerSecond: 320 * mebibyte,
    });
    const { finishes, totalSeconds } = forecast(guest);
    assert.equal(finishes, true);
    assert.ok(totalSeconds > 3.5);
    assert.equal(forecast({ ...guest, firstRounds: 200 }).finishes, false);
  });

  it('counts what the guest has dirtied in the round so far', () => {
    const late = course(64 * mebibyte, 64 * mebibyte, { remainingBytes: 10 * mebibyte });
    const fresh = forecast(late).nextRoundBytes;
    assert.ok(forecast({ ...late, roundRunSeconds: 2 }).nextRoundBytes > 2 * fresh);
  });

  it('takes at least M/R, and its downtime keeps the limit', () => {
    fc.assert(
      fc.property(courses, (each) => {
        const { finishes, totalSeconds, downtimeSeconds } = forecast(each);
        if (!finishes) return;
        assert.ok(totalSeconds >= each.remainingBytes / each.drainBytesPerSecond - 1e-6);
        assert.ok(downtimeSeconds <= each.switchoverBytes / each.laterDrainBytesPerSecond + 0.05);
      }),
    );
  });

  it('never claims a negative or endless figure', () => {
    fc.assert(
      fc.property(courses, (each) => {
        const { finishes: _, ...figures } = forecast(each);
        for (const figure of Object.values(figures)) {
          assert.ok(Number.isFinite(figure) && figure >= 0);
        }
      }),
    );
  });

  it('is not worse off with a longer downtime limit', () => {
    fc.assert(
      fc.property(courses, (each) => {
        const more = forecast({ ...each, switchoverBytes: 2 * each.switchoverBytes });
        if (forecast(each).finishes) assert.equal(more.finishes, true);
      }),
    );
  });
});
