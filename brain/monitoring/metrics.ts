/** What a brain tells Prometheus: of agents, of migrations, of its commands and of its history. */
import type { Bus } from '../../shared/bus.ts';
import { commandCounter } from '../../shared/command-counter.ts';
import { createMeter, type Meter, type Reading } from '../../shared/metrics.ts';
import type { MethodName } from '../core/decision.ts';
import type { HostView } from '../fleet.ts';
import type { HistoryCounts } from '../history/history.ts';
import type { Listener } from '../listeners.ts';
import { countMigrations, gaugeMigrations } from './migration-metrics.ts';
import type { Brain } from '../service.ts';

/** What the figures are read from; all is there once NATS was. */
export interface BrainSources {
  readonly brain: Pick<Brain, 'hosts' | 'migrations'>;
  readonly bus: Pick<Bus, 'connected'>;
  readonly leads: () => boolean;
  readonly history?: { counts(): HistoryCounts };
}

export interface BrainMetrics {
  readonly meter: Meter;
  /** Give these to the service. */
  readonly listeners: readonly Listener[];
}

export interface BrainMetricsOptions {
  /** The most migrations that get a label of their own. */
  readonly labelledMigrations: number;
  /** Without one there are no figures of it: none is not the same as zero. */
  readonly hasHistory: boolean;
}

const nothing: HistoryCounts = { waitingLines: 0, writtenLines: 0, dropped: 0, refusedLines: 0 };

/** Ten beacons' worth, as agents count it of the brain. */
const silentMilliseconds = 5_000;
/** Hosts beyond these have no label of their own. */
const labelledHosts = 1_000;

/** Figures of a brain that may not be there yet. */
export function brainMetrics(
  sources: () => BrainSources | undefined,
  { labelledMigrations, hasHistory }: BrainMetricsOptions,
): BrainMetrics {
  const meter = createMeter('brain');
  const hosts = () => sources()?.brain.hosts() ?? [];
  meter.gauge('ferryman_brain_bus_connected', '1 while NATS is there.', () =>
    Number(sources()?.bus.connected === true),
  );
  meter.gauge('ferryman_brain_is_leader', '1 while this brain leads, 0 while it stands by.', () =>
    Number(sources()?.leads() === true),
  );
  gaugeAgents(meter, hosts);
  gaugeMigrations(meter, {
    migrations: () => sources()?.brain.migrations() ?? [],
    labelled: labelledMigrations,
  });
  if (hasHistory) gaugeHistory(meter, () => sources()?.history?.counts() ?? nothing);
  return { meter, listeners: [countMigrations(meter), countDecisions(meter)] };
}

function gaugeAgents(meter: Meter, hosts: () => readonly HostView[]): void {
  const isUp = (host: HostView) => host.silentMilliseconds < silentMilliseconds;
  const each = (value: (host: HostView) => number) => (): readonly Reading[] =>
    hosts()
      .slice(0, labelledHosts)
      .map((host) => ({ labels: { host: host.host }, value: value(host) }));
  const label = ['host'];
  meter.gauge('ferryman_agents', 'Agents that were ever heard.', () => hosts().length);
  meter.gauge('ferryman_agents_up', 'Agents that are heard.', () => hosts().filter(isUp).length);
  meter.gauge('ferryman_vms', 'VMs of all agents.', () =>
    hosts().reduce((sum, { vms }) => sum + vms.length, 0),
  );
  meter.gauge(
    'ferryman_agent_up',
    '1 while the agent of this host is heard.',
    each((host) => Number(isUp(host))),
    label,
  );
  meter.total(
    'ferryman_agent_lost_messages_total',
    'Telemetry that was sent and never came.',
    each(({ lostMessages }) => lostMessages),
    label,
  );
  meter.total(
    'ferryman_agent_stale_messages_total',
    'Telemetry that came too late to act on.',
    each(({ staleMessages }) => staleMessages),
    label,
  );
}

function gaugeHistory(meter: Meter, counts: () => HistoryCounts): void {
  const read = (look: (counts: HistoryCounts) => number) => () => look(counts());
  const name = (what: string) => `ferryman_history_${what}`;
  meter.gauge(
    name('waiting_lines'),
    'Lines in memory, on their way to the database.',
    read(({ waitingLines }) => waitingLines),
  );
  meter.total(
    name('written_lines_total'),
    'Lines that the database has taken.',
    read(({ writtenLines }) => writtenLines),
  );
  meter.total(
    name('dropped_total'),
    'Lines and messages that are lost because no room was left.',
    read(({ dropped }) => dropped),
  );
  meter.total(
    name('refused_lines_total'),
    'Lines that the database will never take.',
    read(({ refusedLines }) => refusedLines),
  );
}

const methods: Readonly<Record<MethodName, null>> = {
  plan: null,
  'auto-converge': null,
  compression: null,
  xbzrle: null,
  multifd: null,
  downtime: null,
  bandwidth: null,
  'post-copy': null,
  restart: null,
};

function countDecisions(meter: Meter): Listener {
  const help = 'Decisions, by the optimisation they belong to.';
  const decisions = meter.counter('ferryman_decisions_total', help, ['method']);
  for (const method of Object.keys(methods)) decisions.inc({ method }, 0);
  const count = commandCounter(meter, 'ferryman_commands_total');
  return {
    onDecision: (_migration, { method }) => {
      decisions.inc({ method });
    },
    onInput: (migration, input) => {
      if (input.kind !== 'result') return;
      const record = migration.decisions.find(({ decision }) => decision.number === input.decision);
      if (record) count(record.decision.operation.kind, input.result.outcome);
    },
  };
}
