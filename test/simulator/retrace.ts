/**
 * A recorded migration, lived through again by a simulated guest: the same decisions, each in the
 * same round and as long after its start. What comes out can be laid beside the record.
 */
import type { Decision } from '../../brain/core/decision.ts';
import type { Input } from '../../brain/core/input.ts';
import type { Operation } from '../../shared/command.ts';
import { Agents } from './agents.ts';
import { factsOf } from './facts.ts';
import { Simulation, type Scenario } from './simulation.ts';

/** A decision as it was carried out. */
export type Performed = Pick<Decision, 'number' | 'atMilliseconds' | 'side' | 'operation'>;

/** What was recorded of a migration, as far as it is needed here. */
export interface Recorded {
  readonly inputs: readonly Input[];
  readonly decisions: readonly Performed[];
}

/** What a sample may see that comes soon after a sync, while what the socket takes at once is written. */
export interface Backlog {
  readonly mostBytes: number;
  readonly leastBytes: number;
}

/** How a migration went: the backlogs of each attempt, by sync count. */
export interface Course {
  readonly totalMilliseconds: number;
  readonly backlogs: readonly ReadonlyMap<number, Backlog>[];
}

/** Where in the course of a migration something happened. */
interface Place {
  /** Of the migration that runs; 0 when none does. */
  readonly syncs: number;
  /** Since the last of them, or since the last decision when no migration runs. */
  readonly afterMilliseconds: number;
}

type Sample = Extract<Input, { kind: 'sample' }>;

const mostMilliseconds = 120_000;
const hardestThrottlePercent = 99;
/** From an order to a quota in force. */
const quotaLagMilliseconds = 50;

/** The backlogs as recorded: the first figure seen under each sync count. */
export function recordedBacklogs(trace: Recorded): readonly ReadonlyMap<number, number>[] {
  const begun = starts(trace);
  return begun.map((start, index) => {
    const backlogs = new Map<number, number>();
    for (const { sample } of samplesBetween(trace, start, begun[index + 1] ?? Infinity)) {
      const { dirtySyncCount, remainingBytes } = sample.ram ?? {};
      if (dirtySyncCount === undefined || remainingBytes === undefined) continue;
      if (sample.status !== 'active' || backlogs.has(dirtySyncCount)) continue;
      backlogs.set(dirtySyncCount, remainingBytes);
    }
    return backlogs;
  });
}

/** Lives through the recorded decisions on the guest of `scenario`. */
export function retrace(trace: Recorded, scenario: Scenario): Course {
  const simulation = new Simulation(scenario);
  const agents = new Agents(simulation, hardestThrottlePercent, (side, life) =>
    factsOf(side, scenario, {}, life),
  );
  const backlogs: Map<number, Backlog>[] = [];
  const stepUntil = (isThere: () => boolean): void => {
    while (!isThere() && simulation.nowMilliseconds < mostMilliseconds) {
      simulation.step();
      noteBacklog(simulation, backlogs.at(-1));
    }
  };
  for (const performed of trace.decisions) {
    const { kind } = performed.operation;
    if (kind === 'probe' || kind === 'restore') continue;
    stepUntil(arrivalAt(simulation, placeOf(trace, performed)));
    agents.carryOut(asFelt(trace, performed), performed.side);
    if (kind === 'migrate') backlogs.push(new Map());
  }
  stepUntil(() => simulation.qemu?.running !== true);
  return { totalMilliseconds: simulation.truth(0).totalMilliseconds, backlogs };
}

/** The moments at which attempts began. */
function starts({ decisions }: Recorded): readonly number[] {
  return decisions
    .filter(({ operation }) => operation.kind === 'migrate')
    .map(({ atMilliseconds }) => atMilliseconds);
}

function samplesBetween({ inputs }: Recorded, from: number, to: number): readonly Sample[] {
  return inputs.filter(
    (input): input is Sample =>
      input.kind === 'sample' &&
      input.side === 'source' &&
      input.atMilliseconds >= from &&
      input.atMilliseconds <= to,
  );
}

function placeOf(trace: Recorded, { atMilliseconds, number }: Performed): Place {
  const start = starts(trace).findLast((each) => each < atMilliseconds) ?? -Infinity;
  const seen = samplesBetween(trace, start, atMilliseconds);
  const syncs = seen.at(-1)?.sample.ram?.dirtySyncCount ?? 0;
  const lastSync = seen.find(({ sample }) => sample.ram?.dirtySyncCount === syncs);
  const before = trace.decisions.findLast((each) => each.number < number);
  const from = syncs > 0 ? lastSync : before;
  return { syncs, afterMilliseconds: atMilliseconds - (from?.atMilliseconds ?? atMilliseconds) };
}

/** Whether the simulated migration has come to the place of the recorded one, or past it. */
function arrivalAt(simulation: Simulation, { syncs, afterMilliseconds }: Place): () => boolean {
  const from = simulation.nowMilliseconds;
  return () => {
    const { qemu, nowMilliseconds } = simulation;
    if (qemu?.running !== true) return nowMilliseconds >= from + afterMilliseconds;
    const last = qemu.syncs.at(-1)?.atMilliseconds ?? 0;
    const isDue = nowMilliseconds >= last + afterMilliseconds;
    return qemu.syncs.length > syncs || (qemu.syncs.length === syncs && isDue);
  };
}

/** A quota is a cap on CPU time: what share of its work it left the guest stands in the record. */
function asFelt(trace: Recorded, { operation, atMilliseconds }: Performed): Operation {
  if (operation.kind !== 'throttle' || operation.mechanism !== 'cgroup') return operation;
  const start = starts(trace).findLast((each) => each < atMilliseconds) ?? atMilliseconds;
  const free = vcpuShare(samplesBetween(trace, start, atMilliseconds));
  const held = vcpuShare(samplesBetween(trace, atMilliseconds + quotaLagMilliseconds, Infinity));
  return { ...operation, percent: 100 * (1 - held / free) };
}

/** CPU time of the vCPUs over the time in which these samples of a running migration were taken. */
function vcpuShare(samples: readonly Sample[]): number {
  const active = samples.filter(({ sample }) => sample.status === 'active');
  const [first, last] = [active[0], active.at(-1)];
  const seconds = (last?.sample.vcpuSeconds ?? 0) - (first?.sample.vcpuSeconds ?? 0);
  return (1000 * seconds) / ((last?.atMilliseconds ?? 0) - (first?.atMilliseconds ?? 0));
}

function noteBacklog({ qemu }: Simulation, backlogs: Map<number, Backlog> | undefined): void {
  const sync = qemu?.syncs.at(-1);
  if (!qemu || !sync || backlogs?.has(qemu.syncs.length) !== false) return;
  const leastBytes = qemu.status === 'active' ? qemu.remainingBytes : 0;
  backlogs.set(qemu.syncs.length, { mostBytes: sync.remainingBytes, leastBytes });
}
