/** How the brain and its agents are, as points beside the history they make. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { systemClock } from '../../shared/clock.ts';
import type { HostView } from '../fleet.ts';
import type { History } from './history.ts';
import type { Brain } from '../service.ts';
import type { PointParts } from './line.ts';
import { measurements } from './points.ts';

export interface HealthOptions {
  readonly history: Pick<History, 'keep' | 'counts'>;
  readonly brain: Pick<Brain, 'migrations' | 'hosts'>;
  /** The brain's id. */
  readonly id: string;
  readonly periodMilliseconds?: number;
}

const defaultPeriodMilliseconds = 5_000;

/** Tells at once and then every few seconds, until what it returns is called. */
export function reportHealth(options: HealthOptions): () => void {
  const { history, periodMilliseconds = defaultPeriodMilliseconds } = options;
  const delay = monitorEventLoopDelay({ resolution: 20 });
  delay.enable();
  const tell = () => {
    const at = { atMilliseconds: systemClock.wallMilliseconds(), number: 0 };
    history.keep({ ...brainPoint(options, delay.max / 1e6), ...at });
    for (const host of options.brain.hosts()) {
      history.keep({ ...agentPoint(options.id, host), ...at });
    }
    delay.reset();
  };
  tell();
  const timer = setInterval(tell, periodMilliseconds).unref();
  return () => {
    clearInterval(timer);
    delay.disable();
  };
}

type Untimed = Omit<PointParts, 'atMilliseconds' | 'number'>;

function brainPoint(
  { history, brain, id }: HealthOptions,
  longestDelayMilliseconds: number,
): Untimed {
  const { waitingLines, writtenLines, dropped, refusedLines } = history.counts();
  const hosts = brain.hosts();
  return {
    measurement: measurements.brain,
    tags: { brain: id },
    whole: {
      running_migrations: brain.migrations().filter(({ result }) => result === undefined).length,
      hosts: hosts.length,
      vms: hosts.reduce((sum, { vms }) => sum + vms.length, 0),
      waiting_lines: waitingLines,
      written_lines: writtenLines,
      dropped,
      refused_lines: refusedLines,
      memory_bytes: process.memoryUsage.rss(),
    },
    real: { longest_delay_milliseconds: longestDelayMilliseconds },
  };
}

function agentPoint(id: string, view: HostView): Untimed {
  const { host, lostMessages, staleMessages, silentMilliseconds, vms } = view;
  return {
    measurement: measurements.agent,
    tags: { brain: id, host },
    whole: { lost_messages: lostMessages, stale_messages: staleMessages, vms: vms.length },
    real: { silent_seconds: silentMilliseconds / 1000 },
  };
}
