/**
 * What the brain knows of hosts, agents and VMs at rest, from telemetry alone. It decides which
 * messages are fresh enough to act on (P9: no action on stale or gapped data) and counts the rest.
 */
import type { Clock } from '../shared/clock.ts';
import type { HostFacts } from '../shared/host-facts.ts';
import type { HostSample, QemuRef, VmFacts } from '../shared/sample.ts';
import { incomingEvent, notIncomingEvent } from '../shared/telemetry.ts';
import type { Telemetry, TelemetryBody, TelemetryHeader } from '../shared/telemetry.ts';
import { createAgentClock } from './timeline.ts';
import type { AgentClock, Timeline } from './timeline.ts';

/** How old a message may be, three periods of its kind; facts and farewells never age. */
const freshForMilliseconds: Readonly<Record<TelemetryBody['kind'], number>> = {
  migration: 1_500,
  activity: 3_000,
  host: 3_000,
  event: Infinity,
  alert: Infinity,
  attach: Infinity,
  detach: Infinity,
};

/** One agent as the brain sees it; a new `agentBoot` begins it anew. */
interface Agent {
  readonly agentBoot: string;
  readonly clock: AgentClock;
  lastSequence: number;
  heardAtMilliseconds: number;
}

/** What is kept of a host across the lives of its agent. */
interface Host {
  agent: Agent;
  sample?: HostSample;
  facts?: HostFacts;
  readonly vms: Map<string, VmFacts>;
  /** VMs on their way in that cannot be asked yet: from UUID to monitor. */
  readonly arrivals: Map<string, string>;
  lostMessages: number;
  staleMessages: number;
}

/** Where a VM is going to be. */
export interface Arrival {
  readonly host: string;
  readonly agentBoot: string;
  readonly monitor: string;
}

/** A host for the operator's eyes. */
export interface HostView {
  readonly host: string;
  readonly agentBoot: string;
  /** Milliseconds since its agent was last heard. */
  readonly silentMilliseconds: number;
  /** Messages that the sequence numbers say were sent and that never came. */
  readonly lostMessages: number;
  /** Messages that came too late to act on. */
  readonly staleMessages: number;
  readonly sample?: HostSample;
  /** Absent while nothing was said of them, as by agents of before. */
  readonly facts?: HostFacts;
  readonly vms: readonly VmFacts[];
}

export type Verdict =
  | { readonly fresh: true; readonly atMilliseconds: number }
  | { readonly fresh: false; readonly why: 'repeated' | 'stale' };

export interface Fleet {
  /** Takes in one message; what is not fresh must reach no detector. */
  accept(telemetry: Telemetry): Verdict;
  /** Finds a VM by its name, UUID or monitor path. */
  find(host: string, selector: string): VmFacts | undefined;
  /** The host that says of this VM that it is on its way in. */
  arrivalOf(uuid: string): Arrival | undefined;
  hostSample(host: string): HostSample | undefined;
  /** What the host's agent's monotonic clock reads now; undefined for an agent never heard. */
  agentMilliseconds(host: string): number | undefined;
  hosts(): readonly HostView[];
}

/** Knows nobody until they speak. */
export function createFleet(clock: Clock, timeline: Timeline): Fleet {
  const hosts = new Map<string, Host>();
  const hostOf = (header: TelemetryHeader) => {
    const host = greet(hosts.get(header.host), header);
    hosts.set(header.host, host);
    return host;
  };
  return {
    accept: ({ header, body }) => {
      const now = clock.monotonicMilliseconds();
      const host = hostOf(header);
      const verdict = judge(host, header, body, now);
      if (verdict !== 'fresh') return { fresh: false, why: verdict };
      remember(host, body);
      return {
        fresh: true,
        atMilliseconds: timeline.at(host.agent.clock.toOurs(header.agentMilliseconds)),
      };
    },
    find: (name, selector) =>
      [...(hosts.get(name)?.vms.values() ?? [])].find((vm) => answersTo(vm, selector)),
    arrivalOf: (uuid) => {
      const [host, found] = [...hosts].find(([, { arrivals }]) => arrivals.has(uuid)) ?? [];
      const monitor = found?.arrivals.get(uuid);
      if (host === undefined || found === undefined || monitor === undefined) return undefined;
      return { host, agentBoot: found.agent.agentBoot, monitor };
    },
    hostSample: (name) => hosts.get(name)?.sample,
    agentMilliseconds: (name) =>
      hosts.get(name)?.agent.clock.toAgents(clock.monotonicMilliseconds()),
    hosts: () =>
      [...hosts].map(([name, host]) => viewOf(name, host, clock.monotonicMilliseconds())),
  };
}

function greet(known: Host | undefined, header: TelemetryHeader): Host {
  if (known?.agent.agentBoot === header.agentBoot) return known;
  const agent = {
    agentBoot: header.agentBoot,
    clock: createAgentClock(),
    lastSequence: header.sequence - 1,
    heardAtMilliseconds: 0,
  };
  if (known === undefined) {
    return { agent, vms: new Map(), arrivals: new Map(), lostMessages: 0, staleMessages: 0 };
  }
  known.agent = agent;
  known.arrivals.clear();
  return known;
}

function judge(
  host: Host,
  header: TelemetryHeader,
  body: TelemetryBody,
  now: number,
): 'fresh' | 'repeated' | 'stale' {
  const { agent } = host;
  const ahead = header.sequence - agent.lastSequence;
  if (ahead <= 0) return 'repeated';
  host.lostMessages += ahead - 1;
  agent.lastSequence = header.sequence;
  agent.heardAtMilliseconds = now;
  const lateMilliseconds = agent.clock.observe(header.agentMilliseconds, now);
  if (lateMilliseconds <= freshForMilliseconds[body.kind]) return 'fresh';
  host.staleMessages += 1;
  return 'stale';
}

/** VMs are kept by monitor: whatever QEMU answers there now is the VM of that place. */
function remember(host: Host, body: TelemetryBody): void {
  if (body.kind === 'host') {
    host.sample = body.sample;
    if (body.facts) host.facts = body.facts;
  }
  if (body.kind === 'attach') host.vms.set(body.facts.monitor, body.facts);
  noteArrival(host, body);
  for (const [monitor, vm] of host.vms) {
    if (!('ref' in body) || !isSameProcess(vm.ref, body.ref)) continue;
    if (body.kind === 'detach') host.vms.delete(monitor);
    // Facts are announced at attach and when the run state changes; the status moves on in between.
    if (body.kind === 'migration' && body.sample.status !== vm.migrationStatus) {
      host.vms.set(monitor, { ...vm, migrationStatus: body.sample.status });
    }
  }
}

/** A VM on its way in is said so by an event; it has arrived when it is attached. */
function noteArrival({ arrivals }: Host, body: TelemetryBody): void {
  if (body.kind === 'attach') arrivals.delete(body.facts.ref.uuid);
  if (body.kind !== 'event') return;
  const { name, ref, detail } = body;
  if (name === incomingEvent) arrivals.set(ref.uuid, detail['monitor'] ?? '');
  if (name === notIncomingEvent) arrivals.delete(ref.uuid);
}

function isSameProcess(one: QemuRef, other: QemuRef | undefined): boolean {
  return one.qemuPid === other?.qemuPid && one.uuid === other.uuid;
}

/** Whether this is a name of that VM: QEMU's -name, its UUID, or its monitor's path. */
export function answersTo(vm: VmFacts, selector: string): boolean {
  return vm.monitor === selector || vm.name === selector || vm.ref.uuid === selector;
}

function viewOf(name: string, host: Host, now: number): HostView {
  return {
    host: name,
    agentBoot: host.agent.agentBoot,
    silentMilliseconds: now - host.agent.heardAtMilliseconds,
    lostMessages: host.lostMessages,
    staleMessages: host.staleMessages,
    ...(host.sample && { sample: host.sample }),
    ...(host.facts && { facts: host.facts }),
    vms: [...host.vms.values()],
  };
}
