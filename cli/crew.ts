/** The crew of a command that works alone: a bus, agents and a brain, all in this process. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAgent } from '../agent/agent.ts';
import { reduce, startMigration } from '../brain/core/reduce.ts';
import type { Listener } from '../brain/listeners.ts';
import type { LinkMemory } from '../brain/migrations/link-memory.ts';
import { createRecorder } from '../brain/trace/recorder.ts';
import { createBrain, type Brain } from '../brain/service.ts';
import type { Bus } from '../shared/bus.ts';
import { systemClock } from '../shared/clock.ts';
import type { Log } from '../shared/log.ts';
import { natsBus } from '../shared/nats-bus.ts';
import type { Cleanup } from './cleanup.ts';
import { ExitError, exitCodes } from './exit.ts';
import { parseNatsAddress, type NatsAddress } from './nats-address.ts';
import { startNatsServer } from './nats-server.ts';
import type { Place } from './places.ts';

const attachLimitMilliseconds = 10_000;
const attachPollMilliseconds = 25;

export interface CrewOptions {
  /** One agent is started for each. */
  readonly places: readonly Place[];
  readonly listeners?: readonly Listener[];
  /** Absent: a private server. */
  readonly nats?: string | undefined;
  /** What is remembered of links; absent: what this process learns itself. */
  readonly links?: LinkMemory;
  /** A file that the first migration is recorded into. */
  readonly record?: string | undefined;
}

type OpenBus = (name: string) => Promise<Bus>;

/**
 * Starts everything, waits until every VM is attached, and adds to `cleanup` what undoes it.
 * Throws BusError or ExitError (unreachable) when a part does not come up.
 */
export async function boardCrew(
  { places, listeners = [], nats, links, record }: CrewOptions,
  cleanup: Cleanup,
  log: Log,
): Promise<Brain> {
  const openBus = await busOpener(nats, cleanup, log);
  const folder = await mkdtemp(join(tmpdir(), 'ferryman-'));
  cleanup.add(() => rm(folder, { recursive: true, force: true }));
  const recorder = record === undefined ? undefined : createRecorder(record, log);
  if (recorder !== undefined) cleanup.add(() => recorder.close());
  const name = `run-${randomUUID().slice(0, 8)}`;
  const brain = createBrain({
    name,
    isPrivate: true,
    bus: await openBus('brain'),
    clock: systemClock,
    log,
    reduce,
    start: startMigration,
    epoch: systemClock.wallMilliseconds(),
    ...(links && { links }),
    listeners: recorder === undefined ? listeners : [...listeners, recorder.listener],
  });
  brain.start();
  cleanup.add(() => {
    brain.stop();
  });
  for (const { host, selector, policy } of places) {
    const agent = createAgent({
      host,
      bus: await openBus(host),
      clock: systemClock,
      log,
      sockets: [selector],
      brain: name,
      policy,
      journalPath: join(folder, `${host}.journal`),
    });
    cleanup.add(() => agent.stop());
    await agent.start();
  }
  await attached(brain, places);
  return brain;
}

async function busOpener(url: string | undefined, cleanup: Cleanup, log: Log): Promise<OpenBus> {
  const address = url === undefined ? await privateServer(cleanup) : parseNatsAddress(url);
  return async (name) => {
    const bus = await natsBus({ ...address, name: `ferryman-${name}`, log });
    cleanup.add(() => bus.close());
    return bus;
  };
}

async function privateServer(cleanup: Cleanup): Promise<NatsAddress> {
  const server = await startNatsServer();
  cleanup.add(() => server.stop());
  return server;
}

async function attached(brain: Brain, places: readonly Place[]): Promise<void> {
  const missing = () => places.find((place) => !isAttached(brain, place));
  const giveUpAt = systemClock.monotonicMilliseconds() + attachLimitMilliseconds;
  for (let place = missing(); place !== undefined; place = missing()) {
    if (systemClock.monotonicMilliseconds() > giveUpAt) {
      throw new ExitError(
        exitCodes.unreachable,
        `The VM at ${place.selector} answers, but its agent could not attach within ` +
          `${String(attachLimitMilliseconds / 1000)} s. Run again with FERRYMAN_LOG=debug to see why.`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, attachPollMilliseconds));
  }
}

function isAttached(brain: Brain, { host, selector }: Place): boolean {
  return brain
    .hosts()
    .some((view) => view.host === host && view.vms.some(({ monitor }) => monitor === selector));
}
