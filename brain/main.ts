/** The brain as a daemon: bus, history, service and the operator's desk, wired from a configuration. */
import { systemClock } from '../shared/clock.ts';
import type { BrainConfig } from '../shared/config.ts';
import { createLog } from '../shared/log.ts';
import type { Log } from '../shared/log.ts';
import { natsBus } from '../shared/nats-bus.ts';
import { reduce, startMigration } from './core/reduce.ts';
import { openHistory } from './history.ts';
import { openDesk } from './order-desk.ts';
import { createBrain } from './service.ts';

/** A daemon at work. */
export interface RunningBrain {
  /** Falls silent, writes the rest of the history and leaves the bus. Migrations go on. */
  stop(): Promise<void>;
}

/**
 * Observes everything and serves orders until stopped. Waits for a bus that is not up yet; throws
 * BusError when the server refuses the credentials.
 */
export async function runBrain(
  config: BrainConfig,
  log: Log = createLog('brain'),
): Promise<RunningBrain> {
  const bus = await natsBus({
    ...config.nats,
    name: `ferryman-brain-${config.brain}`,
    waitOnFirstConnect: true,
    log,
  });
  const { influx, brain: id } = config;
  const history =
    influx &&
    (await openHistory(
      { influx, brain: id, log },
      { ...config.nats, name: `ferryman-history-${id}` },
    ));
  const brain = createBrain({
    bus,
    clock: systemClock,
    log,
    reduce,
    start: startMigration,
    // Greater than that of any brain before; agents keep the greatest they have seen.
    epoch: systemClock.wallMilliseconds(),
    name: config.brain,
    listeners: history ? [history.listener] : [],
  });
  const { mode, policy } = config;
  const desk = openDesk({ bus, brain, log, mode, policy });
  brain.start();
  log.info({ mode, policy, history: history !== undefined }, 'the brain observes');
  return {
    stop: async () => {
      desk.stop();
      brain.stop();
      await history?.close();
      await bus.close();
    },
  };
}
