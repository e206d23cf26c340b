/**
 * What history keeps, and under which names: the schema of the dashboards. Few measurements, units
 * in the names of the fields, and tags only for what never changes about a thing: which migration a
 * sample belongs to is a field, since a point is the same point whether or not that is known.
 */
import type { DecisionRecord, Migration, MigrationResult, Round } from '../core/migration.ts';
import type { Decision, Evidence, Prediction } from '../core/decision.ts';
import type { VmFacts } from '../../shared/sample.ts';
import type { Effect } from '../core/effect.ts';
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
  event: 'ferryman_event',
  brain: 'ferryman_brain',
  agent: 'ferryman_agent',
} as const;

/** At the round's end. */
export function roundPoint(migration: Migration, round: Round): PointParts {
  return {
    measurement: measurements.round,
    tags: tagsOf(migration),
    atMilliseconds: round.endedAtMilliseconds,
    number: round.number,
    document: round,
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
    number: decision.number,
    document: decision,
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
    number: decision.number,
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
    number,
    document: measured,
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

/** What `report` needs of a settled migration beside its rounds and decisions. */
export interface MigrationRecord extends Pick<
  Migration,
  'id' | 'policy' | 'link' | 'probe' | 'orderedAtMilliseconds' | 'nowMilliseconds'
> {
  readonly result: MigrationResult;
  readonly source?: Omit<VmFacts, 'storage'>;
  /** The same VM: it has the same name. */
  readonly destination?: Omit<VmFacts, 'name' | 'storage'>;
}

function recordOf(migration: Migration, result: MigrationResult): MigrationRecord {
  const { id, policy, source, destination, link, probe } = migration;
  const { orderedAtMilliseconds, nowMilliseconds } = migration;
  return {
    ...{ id, policy, link, nowMilliseconds, result },
    ...(source && { source: withoutStorage(source) }),
    ...(destination && { destination: withoutName(withoutStorage(destination)) }),
    ...(probe && { probe }),
    ...(orderedAtMilliseconds !== undefined && { orderedAtMilliseconds }),
  };
}

/** A VM may have more disks than a field has room for. */
function withoutStorage({ storage: _, ...facts }: VmFacts): Omit<VmFacts, 'storage'> {
  return facts;
}

function withoutName<T extends { readonly name: string }>({ name: _, ...facts }: T) {
  return facts;
}

/** The one line by which a migration is remembered. */
export function resultPoint(migration: Migration, result: MigrationResult): PointParts {
  return {
    measurement: measurements.result,
    tags: { ...tagsOf(migration), outcome: result.outcome, policy: result.policy },
    atMilliseconds: migration.nowMilliseconds,
    number: 0,
    document: recordOf(migration, result),
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
