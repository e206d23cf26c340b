/**
 * What history keeps, and under which names: the schema of the dashboards. Few measurements, units
 * in the names of the fields, and tags only for what one selects by.
 */
import type { DecisionRecord, Migration, MigrationResult, Round } from '../core/migration.ts';
import type { Decision, Evidence, Prediction, Side } from '../core/decision.ts';
import type { Effect } from '../core/effect.ts';
import type { HostSample, MigrationSample, VmActivity } from '../../shared/sample.ts';
import type { PointParts } from './line.ts';

export const measurements = {
  sample: 'ferryman_sample',
  activity: 'ferryman_activity',
  round: 'ferryman_round',
  decision: 'ferryman_decision',
  effect: 'ferryman_effect',
  result: 'ferryman_result',
  host: 'ferryman_host',
  nic: 'ferryman_nic',
} as const;

/** Who is spoken of; a VM at rest is in no migration. */
export interface Subject {
  readonly host: string;
  readonly vm: string;
  readonly migration?: string | undefined;
  readonly side?: Side | undefined;
}

/** What query-migrate said, as far as people look at it later. */
export function samplePoint(
  subject: Subject,
  sample: MigrationSample,
  atMilliseconds: number,
): PointParts {
  const { ram } = sample;
  return {
    measurement: measurements.sample,
    tags: { ...subject },
    atMilliseconds,
    whole: {
      remaining_bytes: ram?.remainingBytes,
      transferred_bytes: ram?.transferredBytes,
      dirty_sync_count: ram?.dirtySyncCount,
      expected_downtime_milliseconds: sample.expectedDowntimeMilliseconds,
      downtime_milliseconds: sample.downtimeMilliseconds,
    },
    real: {
      dirty_bytes_per_second: ram && ram.dirtyPagesPerSecond * ram.pageBytes,
      bandwidth_bytes_per_second: ram?.bandwidthBytesPerSecond,
      throttle_percent: sample.throttlePercent,
      vcpu_seconds: sample.vcpuSeconds,
    },
    text: { status: sample.status, error: sample.errorDescription },
  };
}

/** A guest's own work, migrating or not. */
export function activityPoint(
  { host, vm }: Subject,
  activity: VmActivity,
  atMilliseconds: number,
): PointParts {
  return {
    measurement: measurements.activity,
    tags: { host, vm },
    atMilliseconds,
    real: {
      vcpu_busy_share: activity.vcpuBusyShare,
      block_bytes_per_second: activity.blockBytesPerSecond,
      block_operations_per_second: activity.blockOperationsPerSecond,
    },
  };
}

/** At the round's end. */
export function roundPoint(migration: Migration, round: Round): PointParts {
  return {
    measurement: measurements.round,
    tags: tagsOf(migration),
    atMilliseconds: round.endedAtMilliseconds,
    whole: {
      number: round.number,
      attempt: round.attempt,
      start_remaining_bytes: round.startRemainingBytes,
      end_remaining_bytes: round.endRemainingBytes,
      transferred_bytes: round.transferredBytes,
    },
    real: {
      seconds: (round.endedAtMilliseconds - round.startedAtMilliseconds) / 1000,
      guest_run_seconds: round.guestRunMilliseconds / 1000,
      throttle_percent: round.throttlePercent,
    },
  };
}

/** A decision with its reason in words, and what it expects. */
export function decisionPoint(migration: Migration, decision: Decision): PointParts {
  const { method, side, rule, evidence, operation, prediction } = decision;
  return {
    measurement: measurements.decision,
    tags: { ...tagsOf(migration), method, side },
    atMilliseconds: decision.atMilliseconds,
    whole: { number: decision.number },
    real: {
      predicted_total_seconds: seconds(prediction?.totalMilliseconds),
      predicted_downtime_milliseconds: prediction?.downtimeMilliseconds,
      predicted_guest_work_lost_seconds: prediction?.guestWorkLostSeconds,
      predicted_next_round_bytes: prediction?.nextRoundBytes,
    },
    text: {
      operation: operation.kind,
      rule,
      evidence: inWords(evidence),
      title: `${method}: ${operation.kind}`,
      summary: `${rule} (${inWords(evidence)})`,
    },
  };
}

/** Written onto the decision's own point, which it completes. */
export function outcomePoint(migration: Migration, record: DecisionRecord): PointParts {
  const { decision, outcome, reason } = record;
  return {
    measurement: measurements.decision,
    tags: { ...tagsOf(migration), method: decision.method, side: decision.side },
    atMilliseconds: decision.atMilliseconds,
    text: { outcome, reason },
  };
}

/** What a decision promised beside what was measured of it, at the time of the decision. */
export function effectPoint(
  migration: Migration,
  { decision, predicted, measured }: Effect,
): PointParts {
  const { method, side, rule, number, atMilliseconds } = decision;
  return {
    measurement: measurements.effect,
    tags: { ...tagsOf(migration), method, side, policy: migration.policy },
    atMilliseconds,
    whole: { number },
    real: { ...effectFields('predicted', predicted), ...effectFields('measured', measured) },
    text: { rule, outcome: String(measured['outcome']) },
  };
}

function effectFields(prefix: string, figures: Prediction | Evidence): PointParts['real'] {
  const of: Evidence = { ...figures };
  const figure = (name: keyof Prediction) => {
    const value = of[name];
    return typeof value === 'number' ? value : undefined;
  };
  return {
    [`${prefix}_total_seconds`]: seconds(figure('totalMilliseconds')),
    [`${prefix}_downtime_milliseconds`]: figure('downtimeMilliseconds'),
    [`${prefix}_guest_work_lost_seconds`]: figure('guestWorkLostSeconds'),
    [`${prefix}_transferred_bytes`]: figure('transferredBytes'),
    [`${prefix}_next_round_bytes`]: figure('nextRoundBytes'),
  };
}

/** The one line by which a migration is remembered. */
export function resultPoint(migration: Migration, result: MigrationResult): PointParts {
  return {
    measurement: measurements.result,
    tags: { ...tagsOf(migration), outcome: result.outcome, policy: result.policy },
    atMilliseconds: migration.nowMilliseconds,
    whole: {
      total_milliseconds: result.totalMilliseconds,
      preparation_milliseconds: result.preparationMilliseconds,
      downtime_milliseconds: result.downtimeMilliseconds,
      transferred_bytes: result.transferredBytes,
      rounds: result.rounds,
      restarts: result.restarts,
      post_copy: Number(result.postCopy),
    },
    real: {
      throttle_seconds: result.throttleSeconds,
      max_throttle_percent: result.maxThrottlePercent,
    },
    text: { vm_name: migration.source?.name, reason: result.reason },
  };
}

/** One for the host and one for each of its NICs. */
export function hostPoints(
  host: string,
  sample: HostSample,
  atMilliseconds: number,
): readonly PointParts[] {
  return [
    {
      measurement: measurements.host,
      tags: { host },
      atMilliseconds,
      whole: {
        total_memory_bytes: sample.totalMemoryBytes,
        free_memory_bytes: sample.freeMemoryBytes,
      },
      real: {
        cpu_busy_share: sample.cpuBusyShare,
        cpu_steal_share: sample.cpuStealShare,
        idle_cpu_cores: sample.idleCpuCores,
        pressure_cpu_share: sample.pressure?.cpu,
        pressure_memory_share: sample.pressure?.memory,
        pressure_io_share: sample.pressure?.io,
      },
    },
    ...sample.nics.map((nic) => ({
      measurement: measurements.nic,
      tags: { host, nic: nic.name },
      atMilliseconds,
      real: {
        sent_bytes_per_second: nic.sentBytesPerSecond,
        received_bytes_per_second: nic.receivedBytesPerSecond,
        speed_bytes_per_second: nic.speedBytesPerSecond,
      },
    })),
  ];
}

function tagsOf({ id, source }: Migration): PointParts['tags'] {
  return { migration: id, vm: source?.ref.uuid, host: source?.ref.host };
}

function inWords(evidence: Evidence): string {
  return Object.entries(evidence)
    .map(([name, value]) => `${name} ${String(value)}`)
    .join(', ');
}

function seconds(milliseconds: number | undefined): number | undefined {
  return milliseconds === undefined ? undefined : milliseconds / 1000;
}
