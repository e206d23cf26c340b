/** Folds one input into the migration: what is seen, before anything is decided. Shared by all policies. */
import type { MigrationSample } from '../../shared/sample.ts';
import { inertThrottlePercent } from './budget.ts';
import type { Side } from './decision.ts';
import type { Input, Order } from './input.ts';
import type { Migration, Phase } from './migration.ts';
import { rejoined } from './rejoin.ts';
import { observeRound } from './rounds.ts';
import { observePeak, observeRates } from './rates.ts';
import { withWorkingSet } from './workload.ts';

export function observe(migration: Migration, input: Input): Migration {
  const seen = { ...migration, nowMilliseconds: input.atMilliseconds };
  switch (input.kind) {
    case 'attach':
      return input.side === 'source'
        ? { ...seen, source: input.facts }
        : { ...seen, destination: input.facts };
    case 'detach':
      return withoutSide(seen, input.side);
    case 'sample':
      return input.side === 'source'
        ? observeSourceSample(seen, input.sample)
        : { ...seen, destinationStatus: input.sample.status };
    case 'host':
      return input.side === 'source'
        ? { ...seen, sourceHost: input.host }
        : { ...seen, destinationHost: input.host };
    case 'activity':
      return { ...seen, activity: input.activity };
    case 'link':
      return { ...seen, link: input.link };
    case 'probe':
      return withWorkingSet({ ...seen, probe: input.probe });
    case 'order':
      return observeOrder(seen, input.order);
    case 'rejoin':
      return rejoined(seen, input);
    case 'result':
    case 'tick':
      return seen;
  }
}

function observeOrder(migration: Migration, order: Order): Migration {
  switch (order.verb) {
    case 'migrate':
    case 'follow':
      return { ...migration, order, orderedAtMilliseconds: migration.nowMilliseconds };
    case 'abort':
      return { ...migration, abortReason: order.reason };
    case 'hold': {
      const held = { ...migration, heldBecause: order.reason };
      const isUnderWay = migration.attempts.length > 0 || migration.order?.verb === 'follow';
      return isUnderWay ? held : { ...held, abortReason: order.reason };
    }
    case 'release': {
      const { heldBecause: _, ...free } = migration;
      return free;
    }
  }
}

function withoutSide(migration: Migration, side: Side): Migration {
  const rest: { -readonly [Key in keyof Migration]: Migration[Key] } = { ...migration };
  if (side === 'source') delete rest.source;
  else delete rest.destination;
  return rest;
}

const overStatuses: ReadonlySet<string> = new Set(['completed', 'failed', 'cancelled']);

const movingPhases: readonly Phase[] = [
  'starting',
  'moving',
  'switching',
  'post-copy',
  'cancelling',
];

/**
 * A look takes a while: what it says of a migration that is over may have been said before `migrate`
 * was, of the attempt before or of how the VM came here. The next look knows.
 */
function isOfBefore(migration: Migration, sample: MigrationSample): boolean {
  const { begunAtMilliseconds: begun, nowMilliseconds } = migration;
  return begun !== undefined && nowMilliseconds < begun && overStatuses.has(sample.status);
}

function observeSourceSample(migration: Migration, sample: MigrationSample): Migration {
  if (isOfBefore(migration, sample)) return migration;
  if (!movingPhases.includes(migration.phase)) {
    return { ...migration, last: sample, lastSampleAtMilliseconds: migration.nowMilliseconds };
  }
  const passed = sinceLastSample(migration);
  const throttled = observeThrottle(migration, sample, passed);
  const rated = observeRates(observePeak(throttled, sample), sample);
  const rounded = observeRound(rated, sample, passed);
  const learned = rounded.rounds.length > rated.rounds.length ? withWorkingSet(rounded) : rounded;
  return {
    ...learned,
    attempts: observeAttempt(learned, sample),
    ...(madeProgress(migration, sample) && {
      lastProgressAtMilliseconds: migration.nowMilliseconds,
    }),
    last: sample,
    lastSampleAtMilliseconds: migration.nowMilliseconds,
    sinceSampleBeforeMilliseconds: passed,
  };
}

function sinceLastSample(migration: Migration): number {
  const start = migration.attempts.at(-1)?.startedAtMilliseconds ?? migration.nowMilliseconds;
  const last = Math.max(start, migration.lastSampleAtMilliseconds ?? start);
  return Math.max(0, migration.nowMilliseconds - last);
}

function observeThrottle(migration: Migration, sample: MigrationSample, passed: number): Migration {
  const percent = sample.throttlePercent > inertThrottlePercent ? sample.throttlePercent : 0;
  return {
    ...migration,
    throttleSeconds: migration.throttleSeconds + (percent / 100) * (passed / 1000),
    maxThrottlePercent: Math.max(migration.maxThrottlePercent, percent),
  };
}

function madeProgress(migration: Migration, sample: MigrationSample): boolean {
  const before = migration.last?.ram?.transferredBytes;
  return (
    migration.lastProgressAtMilliseconds === undefined ||
    sample.ram?.transferredBytes !== before ||
    sample.status !== migration.last?.status
  );
}

function observeAttempt(migration: Migration, sample: MigrationSample): Migration['attempts'] {
  const attempt = migration.attempts.at(-1);
  if (!attempt) return migration.attempts;
  const transferredBytes = sample.ram?.transferredBytes ?? attempt.transferredBytes;
  return [...migration.attempts.slice(0, -1), { ...attempt, transferredBytes }];
}
