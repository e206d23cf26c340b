/** A brain with a stub core and two stub agents on a bus in memory. */
import type { Command, CommandResult } from '../../shared/command.ts';
import { silentLog } from '../../shared/log.ts';
import { memoryBroker } from '../../shared/memory-bus.ts';
import type { MemoryBroker, MemoryBus } from '../../shared/memory-bus.ts';
import type { Input } from '../../brain/core/input.ts';
import type { FollowingOf } from '../../brain/migrations/following.ts';
import type { Listener } from '../../brain/listeners.ts';
import { createBrain } from '../../brain/service.ts';
import type { Brain } from '../../brain/service.ts';
import { factsOf, heldClock, settle, startStub, stubAgent, stubCore } from './fixtures.ts';
import type { Decide, HeldClock, StubAgent } from './fixtures.ts';

export interface House {
  readonly broker: MemoryBroker;
  readonly bus: MemoryBus;
  readonly clock: HeldClock;
  readonly brain: Brain;
  /** On h1 and h2. */
  readonly source: StubAgent;
  readonly destination: StubAgent;
  /** What the core was given, ticks apart. */
  readonly inputs: () => readonly Input[];
  readonly kinds: () => readonly Input['kind'][];
  readonly ticks: () => number;
}

export interface HouseOptions {
  readonly decide?: Decide;
  readonly listeners?: readonly Listener[];
  readonly following?: FollowingOf;
  /** The source's agent's. */
  readonly answer?: (command: Command) => Partial<CommandResult>;
}

const running: Brain[] = [];

/** A running brain to which both VMs are attached; `closeHouses` stops it. */
export async function openHouse(options: HouseOptions = {}): Promise<House> {
  const broker = memoryBroker();
  const clock = heldClock();
  const core = stubCore(options.decide);
  const bus = broker.connect();
  const brain = createBrain({
    bus,
    clock,
    log: silentLog,
    reduce: core.reduce,
    start: startStub,
    epoch: 7,
    listeners: options.listeners ?? [],
    ...(options.following && { following: options.following }),
  });
  const source = stubAgent(broker, 'h1', clock, options.answer);
  const destination = stubAgent(broker, 'h2', clock);
  brain.start();
  running.push(brain);
  source.say({ kind: 'attach', facts: factsOf('h1') });
  destination.say({ kind: 'attach', facts: factsOf('h2', { runState: 'inmigrate' }) });
  await settle();
  const inputs = () => core.inputs.filter(({ kind }) => kind !== 'tick');
  const kinds = () => inputs().map(({ kind }) => kind);
  const ticks = () => core.inputs.length - inputs().length;
  return { broker, bus, clock, brain, source, destination, inputs, kinds, ticks };
}

/** For `afterEach`. */
export function closeHouses(): void {
  running.splice(0).forEach((brain) => {
    brain.stop();
  });
}
