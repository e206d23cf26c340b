import assert from 'node:assert/strict';
import { autoConverge, plainArming, runChoice, staticThrottle, untouched } from './baseline.ts';
import type { SyncRecord } from './qemu.ts';
import { Simulation, type Scenario } from './simulation.ts';
import { contents, cyclic, idle, mebibyte, workingSet } from './workload.ts';

const linkBytesPerSecond = 32 * mebibyte;
const downtimeLimitSeconds = 0.3;
const workingSetBytes = 80 * mebibyte;
const dirtyBytesPerSecond = 15_000 * 4096;

/** The guest of the reference runs: it dirties nearly twice what the link takes. */
const diverging: Scenario = {
  workload: workingSet({ bytes: workingSetBytes, pagesPerSecond: 15_000 }),
  seed: 1,
  version: '7.2',
  linkBytesPerSecond,
};

const sparse: Scenario = {
  ...diverging,
  workload: workingSet({
    bytes: workingSetBytes,
    pagesPerSecond: 15_000,
    writtenContent: contents.counters,
  }),
};

const text: Scenario = {
  ...diverging,
  workload: workingSet({
    bytes: workingSetBytes,
    pagesPerSecond: 15_000,
    writtenContent: contents.text,
    restContent: contents.text,
  }),
};

const inert = {
  initialPercent: 1,
  incrementPercent: 99,
  maxPercent: 1,
  triggerThresholdPercent: 100,
};

function setPoint(percent: number) {
  return {
    initialPercent: percent,
    incrementPercent: 99,
    maxPercent: percent,
    triggerThresholdPercent: 1,
  };
}

function runUntil(simulation: Simulation, done: () => boolean): void {
  while (!done() && simulation.nowMilliseconds < 60_000) simulation.step();
}

describe('the simulated QEMU', () => {
  it('moves an idle guest in the time that the link needs for its memory', () => {
    const { truth } = untouched({ ...diverging, workload: idle() });
    const seconds = (128 * mebibyte) / linkBytesPerSecond;
    assert.ok(Math.abs(truth.totalMilliseconds / 1000 / seconds - 1) < 0.05);
    assert.equal(truth.throttleSeconds, 0);
  });

  it('sends next to nothing for zero pages', () => {
    const { truth } = untouched({ ...diverging, workload: idle({ restContent: contents.empty }) });
    assert.ok(truth.transferredBytes < 0.15 * 128 * mebibyte);
  });

  it('never ends a migration that dirties more than the link takes', () => {
    const { truth, syncs } = untouched(diverging);
    assert.equal(truth.completed, false);
    assert.equal(truth.cost, Infinity);
    assert.ok(syncs.slice(2).every(({ remainingBytes }) => remainingBytes > 40 * mebibyte));
  });

  it('converges under a static throttle exactly where the theory puts the edge', () => {
    const switchoverBytes = linkBytesPerSecond * downtimeLimitSeconds;
    const leak =
      (dirtyBytesPerSecond * (1 - switchoverBytes / workingSetBytes)) / linkBytesPerSecond;
    const throttleFor = (contraction: number) => 100 * (1 - contraction / leak);
    assert.equal(staticThrottle(diverging, throttleFor(0.9)).truth.completed, true);
    assert.equal(staticThrottle(diverging, throttleFor(1.1)).truth.completed, false);
  });

  it("needs 15 to 25 s under QEMU's default auto-converge, as the real one does", () => {
    for (const version of ['7.2', '10.0'] as const) {
      const { truth } = autoConverge({ ...diverging, version });
      assert.ok(truth.totalMilliseconds > 15_000 && truth.totalMilliseconds < 25_000);
      assert.ok(truth.maxThrottlePercent >= 40 && truth.maxThrottlePercent <= 70);
    }
  });

  it('adopts a set-point at the second period that triggers, upwards and downwards', () => {
    const simulation = new Simulation(diverging);
    const arming = { ...plainArming, autoConverge: true };
    simulation.migrate(arming, { autoConverge: inert });
    const qemu = simulation.qemu;
    assert.ok(qemu);
    runUntil(simulation, () => qemu.syncs.length === 3);
    for (const percent of [60, 30]) {
      const before: number = qemu.syncs.length;
      qemu.tune({ autoConverge: setPoint(percent) });
      runUntil(simulation, () => qemu.throttlePercent === percent);
      assert.equal(qemu.throttlePercent, percent);
      assert.equal(periodsIn(qemu.syncs.slice(before - 1)), 2);
    }
  });

  it('syncs by a timer in long passes after the first, on 10.0 with auto-converge armed only', () => {
    const long: Scenario = { ...diverging, linkBytesPerSecond: 6 * mebibyte };
    const armed = { arming: { ...plainArming, autoConverge: true } };
    const timed = (scenario: Scenario, choice: Parameters<typeof runChoice>[1]) =>
      runChoice(scenario, choice).syncs.filter(({ byTimer }) => byTimer).length;
    assert.ok(timed({ ...long, version: '10.0' }, armed) > 0);
    assert.equal(timed({ ...long, version: '10.0' }, {}), 0);
    assert.equal(timed(long, armed), 0);
  });

  it('lets XBZRLE help from the third pass on, and only with a cache that holds the set', () => {
    const withCache = (cacheBytes: number) =>
      runChoice(
        sparse,
        { arming: { ...plainArming, family: 'xbzrle', xbzrleCacheBytes: cacheBytes } },
        20_000,
      ).truth;
    assert.equal(withCache(16 * mebibyte).completed, false);
    const { completed, transferredBytes } = withCache(128 * mebibyte);
    assert.equal(completed, true);
    assert.ok(transferredBytes > 128 * mebibyte);
  });

  it('moves text by compression at once, bound by CPU on a fast link', () => {
    const arming = { ...plainArming, family: 'multifd-zlib', multifdChannels: 2 } as const;
    const slow = runChoice(text, { arming }).truth;
    assert.equal(slow.completed, true);
    assert.ok(slow.transferredBytes < 0.4 * 128 * mebibyte);
    const fast: Scenario = { ...text, linkBytesPerSecond: 1000 * mebibyte, idleCpuCores: 1 };
    const unbound = { maxBandwidthBytesPerSecond: 0 };
    const compressed = runChoice({ ...fast, workload: idle() }, { arming, tuning: unbound }).truth;
    const plain = runChoice({ ...fast, workload: idle() }, { tuning: unbound }).truth;
    assert.ok(compressed.totalMilliseconds > 2 * plain.totalMilliseconds);
  });

  it('does not hold the last burst back by max-bandwidth', () => {
    const tuning = { maxBandwidthBytesPerSecond: 16 * mebibyte };
    const scenario = { ...diverging, linkBytesPerSecond: 320 * mebibyte, workload: idle() };
    const capped = runChoice(scenario, { tuning }).truth;
    assert.ok(capped.totalMilliseconds > 7000);
    assert.ok(capped.longestGapMilliseconds < 150);
  });

  it('follows a link that changes in the midst', () => {
    const halves = (nowMilliseconds: number) =>
      nowMilliseconds < 2000 ? linkBytesPerSecond : linkBytesPerSecond / 2;
    const scenario = { ...diverging, workload: idle(), linkBytesPerSecond: halves };
    assert.ok(Math.abs(untouched(scenario).truth.totalMilliseconds / 6000 - 1) < 0.05);
  });

  it('waits for the calm of a cyclic guest', () => {
    const workload = cyclic({
      bytes: workingSetBytes,
      pagesPerSecond: 15_000,
      busyMilliseconds: 9000,
      calmMilliseconds: 6000,
    });
    const { truth } = untouched({ ...diverging, workload });
    assert.ok(
      truth.completed && truth.totalMilliseconds > 9000 && truth.totalMilliseconds < 15_000,
    );
  });

  it('runs fifty times faster than the guest it simulates', () => {
    const workload = workingSet({
      ramBytes: 512 * mebibyte,
      bytes: workingSetBytes,
      pagesPerSecond: 15_000,
    });
    const before = process.cpuUsage();
    const { truth } = untouched({ ...diverging, workload }, 60_000);
    // Processor time, of which a busy machine takes little more; the wall clock may stand still.
    const usedMilliseconds = process.cpuUsage(before).user / 1000;
    assert.ok(truth.totalMilliseconds > 50 * usedMilliseconds);
  });

  it('gives the same run for the same seed', () => {
    assert.deepEqual(autoConverge(diverging), autoConverge(diverging));
    assert.notDeepEqual(autoConverge(diverging), autoConverge({ ...diverging, seed: 2 }));
  });
});

/** Periods of more than a second that end within these syncs. */
function periodsIn(syncs: readonly SyncRecord[]): number {
  let start = syncs[0]?.atMilliseconds ?? 0;
  let periods = 0;
  for (const { atMilliseconds } of syncs) {
    if (atMilliseconds <= start + 1000) continue;
    periods++;
    start = atMilliseconds;
  }
  return periods;
}
