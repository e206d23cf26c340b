/** The brain as a daemon: bus, history, service and the operator's desk, wired from a configuration. */
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../shared/clock.ts';
import type { BrainConfig } from '../shared/config.ts';
import { createLog, type AdjustableLog } from '../shared/log.ts';
import { startMonitoring } from '../shared/monitoring.ts';
import { natsBus } from '../shared/nats-bus.ts';
import { createReload, type Reload } from '../shared/reload.ts';
import { inboxPrefix } from '../shared/subjects.ts';
import { reduce, startMigration } from './core/reduce.ts';
import { decisionLog } from './decision-log.ts';
import { reportHealth } from './history/health.ts';
import { followingOf } from './following.ts';
import type { Listener } from './listeners.ts';
import { brainMetrics, type BrainSources } from './metrics.ts';
import { openOnlookers } from './onlookers.ts';
import { openDesk } from './order-desk.ts';
import { createBrain } from './service.ts';

/** A daemon at work. */
export interface RunningBrain {
  readonly reload: Reload<BrainConfig>;
  /** Falls silent, writes the rest of the history and leaves the bus. Migrations go on. */
  stop(): Promise<void>;
}

/** What was begun, to be read by metrics and to be ended. */
interface Parts extends BrainSources {
  /** From now on orders are taken under these rules; those in hand go on as they were taken. */
  adopt(next: BrainConfig): void;
  stop(): Promise<void>;
}

/** On the way out an answer is not waited for longer. */
const patienceMilliseconds = 3_000;

/** What SIGHUP brings into force. */
const liveSettings = ['logLevel', 'mode', 'policy', 'rules', 'hosts'] as const;

/**
 * Observes everything and serves orders until stopped. Waits for a bus that is not up yet; throws
 * BusError when the server refuses the credentials, ConfigError.
 */
export async function runBrain(
  config: BrainConfig,
  log: AdjustableLog = createLog('brain', config.logLevel),
): Promise<RunningBrain> {
  let parts: Parts | undefined;
  const { monitoring } = config;
  const metrics = brainMetrics(() => parts, {
    labelledMigrations: monitoring?.labelledMigrations ?? 0,
    hasHistory: config.influx !== undefined,
  });
  const server =
    monitoring &&
    (await startMonitoring({
      ...monitoring,
      registry: metrics.meter.registry,
      log,
      checks: () => ({ nats: parts?.bus.connected === true }),
    }));
  try {
    parts = await startParts(config, log, metrics.listeners);
  } catch (error) {
    await server?.stop();
    throw error;
  }
  const { adopt, stop } = parts;
  const apply = (next: BrainConfig) => {
    adopt(next);
    log.setLevel(next.logLevel ?? 'info');
  };
  return {
    reload: createReload({ log, started: config, live: liveSettings, apply }),
    stop: async () => {
      log.info({}, 'the brain falls silent and stops');
      await stop();
      await server?.stop();
    },
  };
}

async function startParts(
  config: BrainConfig,
  log: AdjustableLog,
  listeners: readonly Listener[],
): Promise<Parts> {
  const { influx, brain: id, mode, policy } = config;
  const prefix = { inboxPrefix: inboxPrefix('brain', id) };
  const nats = { ...config.nats, ...prefix, waitOnFirstConnect: true, log };
  const bus = await natsBus({ ...nats, name: `ferryman-brain-${id}` });
  const onlookers = await openOnlookers(config, nats, log);
  const { history, page } = onlookers;
  let inForce = config;
  const brain = createBrain({
    bus,
    clock: systemClock,
    log,
    reduce,
    start: startMigration,
    // Greater than that of any brain before; agents keep the greatest they have seen.
    epoch: systemClock.wallMilliseconds(),
    name: id,
    following: (vm) => followingOf(inForce, vm),
    listeners: [decisionLog(log), ...listeners, ...onlookers.listeners],
  });
  const deskUnder = (rules: BrainConfig) =>
    openDesk({ ...rules, influx, bus, brain, log, name: id });
  let desk = deskUnder(config);
  brain.start();
  const stopHealth = history && reportHealth({ history, brain, id });
  log.info({ mode, policy, history: history !== undefined, page: page?.url }, 'the brain observes');
  return {
    brain,
    bus,
    ...(history && { history }),
    adopt: (next) => {
      inForce = next;
      desk.stop();
      desk = deskUnder(next);
    },
    stop: async () => {
      desk.stop();
      await Promise.race([brain.retire(), sleep(patienceMilliseconds, undefined, { ref: false })]);
      stopHealth?.();
      await onlookers.close();
      await bus.close();
    },
  };
}
