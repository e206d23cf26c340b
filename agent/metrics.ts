/** What an agent tells Prometheus. No label names a VM: their number has no bound. */
import type { Bus } from '../shared/bus.ts';
import { commandCounter } from '../shared/command-counter.ts';
import { createMeter, type Meter } from '../shared/metrics.ts';
import type { Agent, AgentOptions } from './agent.ts';
import { isIdle } from './qemu/status.ts';

/** What the figures are read from; both are there once NATS was. */
export interface AgentSources {
  readonly agent: Agent;
  readonly bus: Bus;
}

export interface AgentMetrics {
  readonly meter: Meter;
  readonly onAnswer: NonNullable<AgentOptions['onAnswer']>;
}

/** Figures of an agent that may not be there yet. */
export function agentMetrics(sources: () => AgentSources | undefined): AgentMetrics {
  const meter = createMeter('agent');
  const read = (look: (given: AgentSources) => number | boolean) => () => {
    const given = sources();
    return given === undefined ? 0 : Number(look(given));
  };
  const gauges: readonly (readonly [name: string, help: string, read: () => number])[] = [
    ['bus_connected', '1 while NATS is there.', read(({ bus }) => bus.connected)],
    [
      'brain_heard',
      '1 while a brain is heard; at 0 throttles are at their floor.',
      read(({ agent }) => agent.status().brain === 'heard'),
    ],
    [
      'brain_silent_seconds',
      'Time since the last beacon of a brain.',
      read(({ agent }) => agent.status().brainSilentMilliseconds / 1000),
    ],
    ['vms', 'VMs that are attached.', read(({ agent }) => agent.vms().length)],
    [
      'vms_migrating',
      'VMs that are attached and under migration.',
      read(({ agent }) => agent.vms().filter((vm) => !isIdle(vm.migrationStatus)).length),
    ],
  ];
  for (const [name, help, look] of gauges) meter.gauge(`ferryman_agent_${name}`, help, look);
  meter.total(
    'ferryman_agent_dropped_messages_total',
    'Telemetry that waited for NATS too long, or was too much, and is lost.',
    read(({ agent }) => agent.status().droppedMessages),
  );
  const count = commandCounter(meter, 'ferryman_agent_commands_total');
  return {
    meter,
    onAnswer: ({ operation }, { outcome }) => {
      count(operation.kind, outcome);
    },
  };
}
