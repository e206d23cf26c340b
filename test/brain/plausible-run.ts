/** A migration and its two hosts as the service would tell a listener of them. */
import type { Decision } from '../../brain/core/decision.ts';
import type { Migration } from '../../brain/core/migration.ts';
import type { Listener } from '../../brain/listeners.ts';
import type { MigrationSample } from '../../shared/sample.ts';
import { factsOf, hostSample, resultOf, startStub } from './fixtures.ts';

const sides = [
  { side: 'source', facts: factsOf('h1') },
  { side: 'destination', facts: factsOf('h2') },
] as const;

/** Ten seconds that ended five seconds ago: 100 samples a side, 3 rounds, a decision, a result. */
export function playRun(listener: Listener): void {
  const began = Date.now() - 15_000;
  const migration = {
    ...startStub({ id: 'm1', policy: 'adaptive', atMilliseconds: began }),
    source: sides[0].facts,
    nowMilliseconds: began + 10_000,
  };
  for (const { side, facts } of sides) {
    listener.onInput?.(migration, { kind: 'attach', atMilliseconds: began, side, facts });
  }
  for (let sequence = 0; sequence < 100; sequence += 1) tellTelemetry(listener, began, sequence);
  for (const number of [1, 2, 3]) tellRound(listener, migration, began, number);
  tellDecision(listener, migration, began);
  listener.onSettled?.(migration, { ...resultOf(migration), reason: 'done' });
}

function tellTelemetry(listener: Listener, began: number, sequence: number): void {
  const share = sequence / 100;
  const atMilliseconds = began + 100 * sequence;
  const host = { ...hostSample, pressure: { cpu: share, memory: 0, io: 0 } };
  const activity = { vcpuBusyShare: 1, blockBytesPerSecond: 1e5, blockOperationsPerSecond: 3 };
  for (const { facts } of sides) {
    const { ref } = facts;
    const header = {
      host: ref.host,
      agentBoot: ref.agentBoot,
      sequence,
      atMilliseconds,
      agentMilliseconds: 0,
    };
    listener.onTelemetry?.({ header, body: { kind: 'migration', ref, sample: sampleAt(share) } });
    listener.onTelemetry?.({ header, body: { kind: 'host', sample: host } });
    listener.onTelemetry?.({ header, body: { kind: 'activity', ref, activity } });
  }
}

function tellRound(listener: Listener, migration: Migration, began: number, number: number): void {
  const endedAtMilliseconds = began + 3_000 * number;
  listener.onRound?.(migration, {
    number,
    attempt: 1,
    startedAtMilliseconds: endedAtMilliseconds - 3_000,
    endedAtMilliseconds,
    startRemainingBytes: 2 ** 27 / number,
    endRemainingBytes: 2 ** 26 / number,
    unsentBytes: 0,
    transferredBytes: 2 ** 26,
    guestRunMilliseconds: 2_000,
    throttlePercent: 20 * number,
  });
}

function tellDecision(listener: Listener, migration: Migration, began: number): void {
  const decision: Decision = {
    number: 1,
    atMilliseconds: began + 4_000,
    side: 'source',
    operation: { kind: 'throttle', percent: 40, mechanism: 'cgroup' },
    method: 'auto-converge',
    rule: 'throttle-pays-now',
    evidence: { leakShare: 0.8, 'with "quotes"\nand breaks\\': true },
    prediction: { totalMilliseconds: 9_000 },
  };
  const result = { id: 'm1.1', outcome: 'applied', reason: 'as ordered' } as const;
  listener.onDecision?.(migration, decision);
  listener.onInput?.(
    { ...migration, decisions: [{ decision }] },
    { kind: 'result', atMilliseconds: began + 4_010, decision: 1, result },
  );
}

function sampleAt(share: number): MigrationSample {
  return {
    status: 'active',
    throttlePercent: 50 * share,
    ram: {
      transferredBytes: Math.round(2 ** 28 * share),
      remainingBytes: Math.round(2 ** 27 * (1 - share)),
      totalBytes: 2 ** 27,
      duplicatePages: 0,
      normalPages: 1,
      normalBytes: 4096,
      dirtySyncCount: 1 + Math.floor(3 * share),
      dirtyPagesPerSecond: 5_000,
      pagesPerSecond: 8_000,
      pageBytes: 4096,
      bandwidthBytesPerSecond: 3.3e7,
      multifdBytes: 0,
      precopyBytes: 0,
      downtimeBytes: 0,
      postcopyBytes: 0,
      postcopyRequests: 0,
    },
  };
}
