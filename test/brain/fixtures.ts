/** A stub of the core and of agents, so that the brain's shell is tested without either. */
import { decodeCommand, encodeCommandResult, encodeTelemetry } from '../../shared/codec.ts';
import type { Clock } from '../../shared/clock.ts';
import type { Command, CommandResult } from '../../shared/command.ts';
import type { MemoryBroker, MemoryBus } from '../../shared/memory-bus.ts';
import { defaultObjective } from '../../shared/objective.ts';
import type { HostSample, MigrationSample, VmFacts } from '../../shared/sample.ts';
import { buildSubject } from '../../shared/subjects.ts';
import type { TelemetryBody } from '../../shared/telemetry.ts';
import type { Decision } from '../../brain/core/decision.ts';
import type { Input } from '../../brain/core/input.ts';
import type { Migration, MigrationResult } from '../../brain/core/migration.ts';
import { unknownLink } from '../../brain/core/link.ts';
import type { MigrationOrder } from '../../brain/orders.ts';
import type { Reduce, Start } from '../../brain/migrations/runner.ts';

export const uuid = '3d6e5a55-6a43-4e3c-9d6f-1f3d0d8e7b11';

/** Facts of a VM on a host, reached by a monitor. */
export function factsOf(host: string, change: Partial<VmFacts> = {}): VmFacts {
  return {
    ref: { host, agentBoot: 'boot-1', qemuPid: 100, uuid },
    name: 'guest',
    monitor: `/run/${host}.sock`,
    qemuVersion: '7.2.22',
    runState: 'running',
    migrationStatus: 'none',
    ramBytes: 2 ** 27,
    pageBytes: 4096,
    vcpus: 1,
    families: ['plain'],
    postCopyFamilies: [],
    liveSettings: ['downtime-limit'],
    throttles: [],
    canProbe: false,
    canStartDestination: false,
    timerSync: false,
    idleCpuCores: 1,
    freeMemoryBytes: 2 ** 30,
    ...change,
  };
}

export const sampleOf = (status: string): MigrationSample => ({ status, throttlePercent: 0 });

export const hostSample: HostSample = {
  cpuCores: 2,
  cpuBusyShare: 0.25,
  cpuStealShare: 0,
  idleCpuCores: 1.5,
  totalMemoryBytes: 2 ** 33,
  freeMemoryBytes: 2 ** 32,
  nics: [
    {
      name: 'eth0',
      receivedBytesPerSecond: 1000,
      sentBytesPerSecond: 2000,
      speedBytesPerSecond: 1.25e9,
    },
  ],
};

export const order: MigrationOrder = {
  policy: 'stub',
  source: { host: 'h1', selector: 'guest' },
  destination: { host: 'h2', selector: '/run/h2.sock' },
  endpoint: { kind: 'tcp', host: '10.0.0.2', port: 49152 },
  objective: defaultObjective,
};

/** The stub agents' monotonic clocks have a zero of their own. */
export const agentAhead = 77_000;

/** A clock that moves only when told. */
export interface HeldClock extends Clock {
  advance(milliseconds: number): void;
}

export function heldClock(): HeldClock {
  let monotonic = 5_000;
  return {
    wallMilliseconds: () => 1_700_000_000_000 + monotonic,
    monotonicMilliseconds: () => monotonic,
    advance: (milliseconds) => {
      monotonic += milliseconds;
    },
  };
}

/** An agent that says what it is told to say and keeps the commands it gets. */
export interface StubAgent {
  readonly commands: Command[];
  readonly bus: MemoryBus;
  say(body: TelemetryBody, change?: { skip?: number; agentMilliseconds?: number }): void;
}

/** `answer` makes the reply; an agent that throws stays silent. */
export function stubAgent(
  broker: MemoryBroker,
  host: string,
  clock: Clock,
  answer: (command: Command) => Partial<CommandResult> = () => ({}),
): StubAgent {
  const bus = broker.connect();
  const commands: Command[] = [];
  let sequence = 0;
  bus.serve(buildSubject({ channel: 'cmd', host }), async (payload) => {
    const command = decodeCommand(payload);
    commands.push(command);
    return encodeCommandResult({ id: command.id, outcome: 'applied', ...answer(command) });
  });
  return {
    commands,
    bus,
    say: (body, { skip = 0, agentMilliseconds } = {}) => {
      sequence += 1 + skip;
      const header = {
        host,
        agentBoot: 'boot-1',
        sequence,
        atMilliseconds: clock.wallMilliseconds(),
        agentMilliseconds: agentMilliseconds ?? clock.monotonicMilliseconds() + agentAhead,
      };
      bus.publish(buildSubject({ channel: 'tel', host }), encodeTelemetry({ header, body }));
    },
  };
}

/** Lets every message that is under way arrive. */
export const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

export const startStub: Start = ({ id, policy, atMilliseconds }): Migration => ({
  id,
  policy,
  phase: 'observed',
  nowMilliseconds: atMilliseconds,
  link: unknownLink,
  rounds: [],
  attempts: [],
  triedFamilies: [],
  tuning: {},
  orderedThrottlePercent: 0,
  orderedThrottleRound: 0,
  recoveries: 0,
  throttleSeconds: 0,
  maxThrottlePercent: 0,
  decisions: [],
  notes: [],
  policyMemory: {},
});

export const resultOf = (migration: Migration): MigrationResult => ({
  outcome: 'completed',
  totalMilliseconds: 1000,
  preparationMilliseconds: 0,
  downtimeMilliseconds: 30,
  transferredBytes: 2 ** 27,
  rounds: migration.rounds.length,
  throttleSeconds: 0,
  maxThrottlePercent: 0,
  postCopy: false,
  restarts: 0,
  policy: migration.policy,
});

/** What a stub core decides on an input. */
export type Decide = (
  input: Input,
  migration: Migration,
) => readonly Pick<Decision, 'side' | 'operation'>[];

/** Numbers the decisions, records the time, settles when a source sample says `completed`. */
export function stubCore(decide: Decide = () => []): { reduce: Reduce; inputs: Input[] } {
  const inputs: Input[] = [];
  const reduce: Reduce = (before, input) => {
    inputs.push(input);
    const decisions = decide(input, before).map((part, index) => ({
      ...part,
      number: before.decisions.length + index + 1,
      atMilliseconds: input.atMilliseconds,
      method: 'plan' as const,
      rule: `policy-${before.policy}`,
      evidence: { input: input.kind },
    }));
    const migration = {
      ...before,
      ...(input.kind === 'attach' && { [input.side]: input.facts }),
      nowMilliseconds: input.atMilliseconds,
      decisions: [...before.decisions, ...decisions.map((decision) => ({ decision }))],
    };
    const isOver = input.kind === 'sample' && input.sample.status === 'completed';
    if (!isOver) return { migration, decisions };
    return {
      migration: { ...migration, phase: 'settled', result: resultOf(migration) },
      decisions,
    };
  };
  return { reduce, inputs };
}
