/** The brain as a daemon: bus, history, service and the operator's desk, wired from a configuration. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Subscription } from '../shared/bus.ts';
import { systemClock } from '../shared/clock.ts';
import type { BrainConfig } from '../shared/config.ts';
import { createLog, type AdjustableLog, type Log } from '../shared/log.ts';
import { startMonitoring } from '../shared/monitoring.ts';
import { natsBus, type NatsBusOptions } from '../shared/nats-bus.ts';
import { createReload, type Reload } from '../shared/reload.ts';
import { openStateStore } from '../shared/state-store.ts';
import { inboxPrefix } from '../shared/subjects.ts';
import { createChair, type Chair } from './leadership/chair.ts';
import { reduce, startMigration } from './core/reduce.ts';
import { decisionLog } from './monitoring/decision-log.ts';
import { reportHealth } from './history/health.ts';
import { followingOf } from './migrations/following.ts';
import type { Listener } from './listeners.ts';
import { brainMetrics, type BrainSources } from './monitoring/metrics.ts';
import { openOnlookers } from './onlookers.ts';
import { openDesk } from './desk/order-desk.ts';
import { createBrain, type Brain } from './service.ts';

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
 * Observes everything, and serves orders while it leads, until stopped; `listeners` hang off it
 * beside those of the configuration. Waits for a bus that is not up yet; throws BusError when the
 * server refuses the credentials, ConfigError.
 */
export async function runBrain(
  config: BrainConfig,
  log: AdjustableLog = createLog('brain', config.logLevel),
  listeners: readonly Listener[] = [],
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
    parts = await startParts(config, log, [...metrics.listeners, ...listeners]);
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
  const nats = natsOf(config, log);
  const { bus, chair } = await takeSeat(id, nats, log);
  const leads = () => chair.epoch() !== undefined;
  const onlookers = await openOnlookers(config, nats, log, chair);
  const { history, page } = onlookers;
  const rules = { inForce: config };
  const brain = createBrain({
    bus,
    clock: systemClock,
    log,
    reduce,
    start: startMigration,
    epoch: chair.epoch,
    keeper: chair.keeper,
    name: id,
    following: (vm) => followingOf(rules.inForce, vm),
    listeners: [decisionLog(log), ...listeners, ...onlookers.listeners],
  });
  const own = { influx, bus, brain, log, name: id, lead: chair.status, isLeading: leads };
  const desk = deskWhileLeading(() => openDesk({ ...rules.inForce, ...own }));
  brain.start();
  chair.start({ ...brain, onLead: desk.open });
  const stopHealth = history && reportHealth({ history, brain, id });
  log.info({ mode, policy, history: history !== undefined, page: page?.url }, 'the brain observes');
  return {
    brain,
    bus,
    leads,
    ...(history && { history }),
    adopt: (next) => {
      rules.inForce = next;
      desk.open(leads());
    },
    stop: async () => {
      desk.open(false);
      await dismiss(chair, brain);
      stopHealth?.();
      await onlookers.close();
      await bus.close();
    },
  };
}

/** How all connections of this brain are made; one that finds no server waits for it. */
function natsOf({ nats, brain }: BrainConfig, log: Log): Omit<NatsBusOptions, 'name'> {
  return { ...nats, inboxPrefix: inboxPrefix('brain', brain), waitOnFirstConnect: true, log };
}

/** The bus, and this brain's place among those that share it. */
async function takeSeat(id: string, nats: Omit<NatsBusOptions, 'name'>, log: Log) {
  const bus = await natsBus({ ...nats, name: `ferryman-brain-${id}` });
  const store = await openStateStore({ ...nats, name: `ferryman-lead-${id}` });
  return { bus, chair: createChair({ bus, store, clock: systemClock, log, brain: id }) };
}

/** Whoever takes over gets what is kept; what is still answered here is for the history. */
async function dismiss(chair: Chair, brain: Brain): Promise<void> {
  await chair.stop();
  await Promise.race([brain.retire(), sleep(patienceMilliseconds, undefined, { ref: false })]);
}

/** Orders are for the brain that leads: of several it alone answers, under the rules in force. */
function deskWhileLeading(open: () => Subscription): { open(leads: boolean): void } {
  let desk: Subscription | undefined;
  return {
    open: (leads) => {
      desk?.stop();
      desk = leads ? open() : undefined;
    },
  };
}
