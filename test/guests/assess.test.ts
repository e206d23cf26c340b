import assert from 'node:assert/strict';
import { assessMigration, rateBetween, type Observation } from './assess.ts';
import { HeartbeatWatch } from './heartbeat-watch.ts';
import type { Report } from './report-page.ts';

function report(heartbeat: number, work = heartbeat): Report {
  return { isReady: true, heartbeat, work, pages: work };
}

/** A sample every 10 ms; the guest works at `rateAt(t)` units per millisecond. */
function observed(untilMilliseconds: number, rateAt: (t: number) => number): Observation {
  const timesMilliseconds: number[] = [];
  const work: number[] = [];
  let done = 0;
  for (let t = 0; t <= untilMilliseconds; t += 10) {
    timesMilliseconds.push(t);
    work.push(done);
    done += 10 * rateAt(t);
  }
  return { timesMilliseconds, work, pages: work, gaps: [] };
}

describe('the cost of a migration for the guest', () => {
  it('is the work that the guest would have done and did not do', () => {
    const halfSpeed = observed(8000, (t) => (t >= 4000 && t < 5000 ? 0.5 : 1));
    const cost = assessMigration(halfSpeed, 4000, 5000);
    assert.ok(Math.abs(cost.guestWorkLostSeconds - 0.5) < 1e-9);
    assert.ok(Math.abs(cost.guestWorkLostPercent - 50 / 3) < 1e-9);
    assert.ok(Math.abs(cost.baselineUnitsPerSecond - 1000) < 1e-9);
  });

  it('counts what the guest suffers in the two seconds after the end, not later', () => {
    const slowAfter = observed(9000, (t) => (t >= 6000 ? 0 : 1));
    assert.ok(Math.abs(assessMigration(slowAfter, 4000, 5000).guestWorkLostSeconds - 1) < 1e-9);
  });

  it('names the longest gap within the window, and keeps those outside apart', () => {
    const gaps = [100, 4100, 4600].map((startMilliseconds, index) => ({
      startMilliseconds,
      durationMilliseconds: [900, 40, 60][index] ?? 0,
    }));
    const cost = assessMigration({ ...observed(8000, () => 1), gaps }, 4000, 5000);
    assert.equal(cost.longestGuestGapMilliseconds, 60);
    assert.deepEqual(cost.gaps, gaps.slice(1));
  });

  it('refuses to judge what was not watched', () => {
    const short = observed(6000, () => 1);
    assert.throws(() => assessMigration(short, 2000, 3000), /not watched at -1000/);
    assert.throws(() => assessMigration(short, 4000, 5000), /not watched at 7000/);
    assert.throws(
      () =>
        assessMigration(
          observed(9000, () => 0),
          4000,
          5000,
        ),
      /did no work/,
    );
  });
});

describe('the watch over both sides', () => {
  it('follows the guest from the side it leaves to the side it comes to', () => {
    const watch = new HeartbeatWatch();
    for (let t = 0; t < 100; t += 10) watch.add(t + 1, [report(t)]);
    for (let t = 100; t < 200; t += 10) watch.add(t + 1, [report(100), report(t)]);
    const seen = watch.observation();
    assert.equal(rateBetween(seen, seen.work, 21, 181), 1000);
    assert.deepEqual(seen.gaps, []);
  });

  it('sees a gap when neither side beats, though a copy arrives meanwhile', () => {
    const watch = new HeartbeatWatch();
    watch.add(0, [report(5)]);
    watch.add(1, [report(6)]);
    for (let t = 2; t <= 41; t++) watch.add(t, [report(6), report(t < 20 ? 3 : 5)]);
    watch.add(42, [report(6), report(7)]);
    assert.deepEqual(watch.observation().gaps, [
      { startMilliseconds: 1, durationMilliseconds: 40 },
    ]);
  });

  it('does not blame the guest for a reading that came late', () => {
    const watch = new HeartbeatWatch();
    watch.add(0, [report(5)]);
    watch.add(80, [report(6)]);
    assert.deepEqual(watch.observation().gaps, []);
  });
});
