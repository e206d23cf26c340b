/**
 * Migrations for Prometheus, under the names that KubeVirt has for the same figures
 * (kubevirt_vmi_migration_*), so that what was built on those works here with another prefix.
 */
import type { Meter, Reading } from '../../shared/metrics.ts';
import type { Outcome, Migration, Phase } from '../core/migration.ts';
import { tendency } from '../core/tendency.ts';
import type { Listener } from '../listeners.ts';

const pendingPhases: ReadonlySet<Phase> = new Set([
  'observed',
  'probing',
  'preparing-destination',
  'arming-destination',
  'listening',
  'arming-source',
]);

const runningPhases: ReadonlySet<Phase> = new Set([
  'starting',
  'moving',
  'switching',
  'post-copy',
  'recovering-destination',
  'recovering-source',
]);

/** Undefined: not known now, and then there is no such line. */
type Figure = (migration: Migration) => number | undefined;

const figures: Readonly<Record<string, readonly [help: string, Figure]>> = {
  start_time_seconds: [
    'Unix time of the first attempt.',
    ({ attempts }) => inSeconds(attempts[0]?.startedAtMilliseconds),
  ],
  data_total_bytes: ['Guest RAM.', ({ last }) => last?.ram?.totalBytes],
  data_processed_bytes: ['Sent in this attempt.', ({ last }) => last?.ram?.transferredBytes],
  data_remaining_bytes: ['Backlog.', ({ last }) => last?.ram?.remainingBytes],
  dirty_memory_rate_bytes: [
    'Bytes per second that the guest dirties, as QEMU sees it.',
    ({ last }) => last?.ram && last.ram.dirtyPagesPerSecond * last.ram.pageBytes,
  ],
  memory_transfer_rate_bytes: [
    'Bytes per second on the wire.',
    ({ last }) => last?.ram?.bandwidthBytesPerSecond,
  ],
  throttle_ratio: [
    'Share of its CPU time that the guest is denied.',
    ({ last }) => last && last.throttlePercent / 100,
  ],
  diverging: [
    '1 while it would never end as things are.',
    (migration) => Number(tendency(migration).verdict === 'diverging'),
  ],
  stalled_seconds: [
    'Time since bytes last moved.',
    ({ nowMilliseconds: now, lastProgressAtMilliseconds: moved }) =>
      inSeconds(moved === undefined ? undefined : now - moved),
  ],
};

const inSeconds = (milliseconds: number | undefined) =>
  milliseconds === undefined ? undefined : milliseconds / 1000;

export interface MigrationSources {
  readonly migrations: () => readonly Migration[];
  /** The most migrations that get a label; the oldest have it. */
  readonly labelled: number;
}

/** Gauges of what runs now; the only label is the migration's id, and its use is capped. */
export function gaugeMigrations(meter: Meter, { migrations, labelled }: MigrationSources): void {
  const inPhases = (phases: ReadonlySet<Phase>) =>
    migrations().filter(({ phase }) => phases.has(phase));
  const running = () => inPhases(runningPhases);
  const counts = {
    in_pending_phase: ['Ordered and not started yet.', () => inPhases(pendingPhases)],
    in_running_phase: ['Under way.', running],
    in_need_of_help: [
      'Those of which ferryman does not know what is safe.',
      () => inPhases(new Set<Phase>(['needs-human'])),
    ],
    unlabelled: ['Under way, and without figures of their own.', () => running().slice(labelled)],
  } as const;
  for (const [name, [help, look]] of Object.entries(counts)) {
    meter.gauge(`ferryman_migrations_${name}`, help, () => look().length);
  }
  for (const [name, [help, figure]] of Object.entries(figures)) {
    const look = (): readonly Reading[] =>
      running()
        .slice(0, labelled)
        .flatMap((migration) => {
          const value = figure(migration);
          return value === undefined ? [] : [{ labels: { migration: migration.id }, value }];
        });
    meter.gauge(`ferryman_migration_${name}`, help, look, ['migration']);
  }
}

const outcomes: readonly Outcome[] = ['completed', 'failed', 'cancelled'];
const durationBuckets = [1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600];
const downtimeBuckets = [0.01, 0.03, 0.1, 0.3, 1, 3, 10];

/** Counts what has ended: hang this on the service. */
export function countMigrations(meter: Meter): Listener {
  const ended = meter.counter('ferryman_migrations_total', 'Migrations that have ended.', [
    'outcome',
  ]);
  for (const outcome of outcomes) ended.inc({ outcome }, 0);
  const duration = meter.histogram(
    'ferryman_migration_duration_seconds',
    'From the first attempt to the end, of those that completed.',
    durationBuckets,
  );
  const downtime = meter.histogram(
    'ferryman_migration_downtime_seconds',
    'For how long the guest stood still at the switchover, of those that completed.',
    downtimeBuckets,
  );
  return {
    onSettled: (_migration, { outcome, totalMilliseconds, downtimeMilliseconds }) => {
      ended.inc({ outcome });
      if (outcome !== 'completed') return;
      duration.observe(totalMilliseconds / 1000);
      downtime.observe(downtimeMilliseconds / 1000);
    },
  };
}
