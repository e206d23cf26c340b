/**
 * A whole migration around a reducer: both agents and the service are played here, the guest and
 * QEMU are simulated page by page. What comes out is what the brain believed and what was true.
 */
import type { CommandResult } from '../../shared/command.ts';
import type { Objective } from '../../shared/objective.ts';
import type { Decision } from '../../brain/core/decision.ts';
import type { Input, LinkEstimate } from '../../brain/core/input.ts';
import { Agents } from './agents.ts';
import { factsOf, hostOf, type FactOverrides } from './facts.ts';
import { sampleOf } from './query-migrate.ts';
import type { SyncRecord } from './qemu.ts';
import { Simulation, type Scenario, type Truth } from './simulation.ts';

/** What the world must know of a reducer's state: whether it has come to an end. */
export interface Settling {
  readonly result?: unknown;
}

/** The entry points of brain/core, or of a stub in its place. */
export interface Core<State extends Settling> {
  readonly start: (order: {
    readonly id: string;
    readonly policy: string;
    readonly atMilliseconds: number;
  }) => State;
  readonly reduce: (
    state: State,
    input: Input,
  ) => { readonly migration: State; readonly decisions: readonly Decision[] };
}

export interface WorldOptions<State extends Settling> extends Scenario, Core<State> {
  readonly objective: Objective;
  readonly policy: string;
  readonly facts?: FactOverrides;
  /** What the brain is told of the link beforehand; nothing unless given. */
  readonly link?: LinkEstimate;
  /** World time after which the run is given up; a minute unless told. */
  readonly maxMilliseconds?: number;
}

export interface WorldRun<State> {
  /** As the reducer left it; its `result` is what a user would be told. */
  readonly migration: State;
  readonly rounds: readonly SyncRecord[];
  readonly truth: Truth;
  readonly inputs: readonly Input[];
  readonly decisions: readonly Decision[];
  /** Answers to commands that were not applied. */
  readonly rejections: readonly CommandResult[];
}

const id = 'simulated';
const samplePeriodMilliseconds = 100;
const slowPeriodMilliseconds = 1000;
/** From a decision to the QEMU, and from there back. */
const latencyMilliseconds = 5;

/** Runs one order to its end, or until `maxMilliseconds` of world time have passed. */
export function runWorld<State extends Settling>(options: WorldOptions<State>): WorldRun<State> {
  const world = new World(options);
  world.open();
  const maxMilliseconds = options.maxMilliseconds ?? 60_000;
  while (!world.settled && world.nowMilliseconds < maxMilliseconds) world.step();
  return world.outcome();
}

interface Appointment {
  readonly atMilliseconds: number;
  readonly keep: () => void;
}

class World<State extends Settling> {
  readonly #options: WorldOptions<State>;
  readonly #simulation: Simulation;
  readonly #agents: Agents;
  readonly #inputs: Input[] = [];
  readonly #decisions: Decision[] = [];
  readonly #rejections: CommandResult[] = [];
  #appointments: Appointment[] = [];
  #migration: State;
  #syncsSeen = 0;

  constructor(options: WorldOptions<State>) {
    const { objective, policy, start, facts = {} } = options;
    this.#options = options;
    this.#simulation = new Simulation(options);
    this.#agents = new Agents(this.#simulation, objective.maxThrottlePercent, (side, life) =>
      factsOf(side, options, facts, life),
    );
    this.#migration = start({ id, policy, atMilliseconds: 0 });
  }

  get settled(): boolean {
    return this.#migration.result !== undefined;
  }

  get nowMilliseconds(): number {
    return this.#simulation.nowMilliseconds;
  }

  /** What the service knows when the order comes, and the order. */
  open(): void {
    const { objective, link, facts = {} } = this.#options;
    const atMilliseconds = 0;
    for (const side of ['source', 'destination'] as const) {
      const known = factsOf(side, this.#options, facts);
      this.#feed({ kind: 'attach', atMilliseconds, side, facts: known });
      this.#feed({ kind: 'host', atMilliseconds, side, host: hostOf(this.#options) });
    }
    if (link) this.#feed({ kind: 'link', atMilliseconds, link });
    const endpoint = { kind: 'tcp', host: 'destination', port: 4444 } as const;
    this.#feed({
      kind: 'order',
      atMilliseconds,
      order: { verb: 'migrate', endpoint, objective },
    });
  }

  step(): void {
    this.#simulation.step();
    this.#keepAppointments();
    this.#observe();
  }

  outcome(): WorldRun<State> {
    return {
      migration: this.#migration,
      rounds: this.#simulation.qemu?.syncs ?? [],
      truth: this.#simulation.truth(this.#options.objective.downtimeLimitMilliseconds),
      inputs: this.#inputs,
      decisions: this.#decisions,
      rejections: this.#rejections,
    };
  }

  #observe(): void {
    const atMilliseconds = this.nowMilliseconds;
    const periodic = atMilliseconds % samplePeriodMilliseconds === 0;
    const syncs = this.#simulation.qemu?.syncs.length ?? 0;
    if (periodic || syncs !== this.#syncsSeen) this.#sample();
    this.#syncsSeen = syncs;
    if (this.#agents.destinationLost) {
      this.#agents.destinationLost = false;
      this.#feed({ kind: 'detach', atMilliseconds, side: 'destination', reason: 'QEMU exited' });
    }
    if (atMilliseconds % slowPeriodMilliseconds === 0) this.#observeSlowly();
    if (periodic) this.#feed({ kind: 'tick', atMilliseconds });
  }

  #sample(): void {
    const atMilliseconds = this.nowMilliseconds;
    const sample = sampleOf(this.#simulation);
    this.#feed({ kind: 'sample', atMilliseconds, side: 'source', sample });
    if (!this.#agents.destinationPresent) return;
    const other = { status: this.#agents.destinationStatus, throttlePercent: 0 };
    this.#feed({ kind: 'sample', atMilliseconds, side: 'destination', sample: other });
  }

  #observeSlowly(): void {
    const atMilliseconds = this.nowMilliseconds;
    for (const side of ['source', 'destination'] as const)
      this.#feed({ kind: 'host', atMilliseconds, side, host: hostOf(this.#options) });
    const { vcpuBusyShare } = this.#options.workload;
    const activity = { vcpuBusyShare, blockBytesPerSecond: 0, blockOperationsPerSecond: 0 };
    this.#feed({ kind: 'activity', atMilliseconds, activity });
  }

  #feed(input: Input): void {
    this.#inputs.push(input);
    const { migration, decisions } = this.#options.reduce(this.#migration, input);
    this.#migration = migration;
    for (const decision of decisions) this.#carryOut(decision);
  }

  #carryOut(decision: Decision): void {
    this.#decisions.push(decision);
    this.#after(latencyMilliseconds, () => {
      const doing = this.#agents.carryOut(decision.operation, decision.side);
      this.#after(doing.tookMilliseconds, () => {
        const commandId = `${id}.${String(decision.number)}`;
        this.#answer(decision.number, { id: commandId, ...doing.answer() });
      });
    });
  }

  #answer(decision: number, result: CommandResult): void {
    const atMilliseconds = this.nowMilliseconds;
    if (result.outcome !== 'applied') this.#rejections.push(result);
    this.#feed({ kind: 'result', atMilliseconds, decision, result });
    const facts = result.facts;
    // The agent also discovers what it has started.
    if (facts) this.#feed({ kind: 'attach', atMilliseconds, side: 'destination', facts });
  }

  #after(milliseconds: number, keep: () => void): void {
    this.#appointments.push({ atMilliseconds: this.nowMilliseconds + milliseconds, keep });
  }

  /** Those due now, in the order in which they were made; what they make is for a later step. */
  #keepAppointments(): void {
    const due = this.#appointments.filter((each) => each.atMilliseconds <= this.nowMilliseconds);
    if (due.length === 0) return;
    this.#appointments = this.#appointments.filter(
      (each) => each.atMilliseconds > this.nowMilliseconds,
    );
    for (const appointment of due) appointment.keep();
  }
}
