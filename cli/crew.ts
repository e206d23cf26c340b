/** The crew of `ferryman run`: a bus, an agent for each side and a brain, all in this process. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAgent } from '../agent/agent.ts';
import { standalonePolicy, type HostPolicy } from '../agent/policy-file.ts';
import { reduce, startMigration } from '../brain/core/reduce.ts';
import type { Listener } from '../brain/listeners.ts';
import type { MigrationOrder, VmSelector } from '../brain/orders.ts';
import { createRecorder } from '../brain/recorder.ts';
import { createBrain, type Brain } from '../brain/service.ts';
import type { Bus } from '../shared/bus.ts';
import { systemClock } from '../shared/clock.ts';
import type { Log } from '../shared/log.ts';
import { natsBus } from '../shared/nats-bus.ts';
import type { Cleanup } from './cleanup.ts';
import { ExitError, exitCodes } from './exit.ts';
import { parseNatsAddress, type NatsAddress } from './nats-address.ts';
import { startNatsServer } from './nats-server.ts';
import type { RunFlags } from './run-options.ts';

const attachLimitMilliseconds = 10_000;
const attachPollMilliseconds = 25;

/** All that a voyage needs: the brain, and who is to go where. */
export interface Crew {
  readonly brain: Brain;
  readonly order: Omit<MigrationOrder, 'objective'>;
}

type OpenBus = (name: string) => Promise<Bus>;

/**
 * Starts everything, waits until both VMs are attached, and adds to `cleanup` what undoes it.
 * Throws BusError or ExitError (unreachable) when a part does not come up.
 */
export async function boardCrew(
  flags: RunFlags,
  listeners: readonly Listener[],
  cleanup: Cleanup,
  log: Log,
): Promise<Crew> {
  const openBus = await busOpener(flags.nats, cleanup, log);
  const folder = await mkdtemp(join(tmpdir(), 'ferryman-'));
  cleanup.add(() => rm(folder, { recursive: true, force: true }));
  const recorder = flags.record === undefined ? undefined : createRecorder(flags.record, log);
  if (recorder !== undefined) cleanup.add(() => recorder.close());
  const brain = createBrain({
    bus: await openBus('brain'),
    clock: systemClock,
    log,
    reduce,
    start: startMigration,
    epoch: systemClock.wallMilliseconds(),
    listeners: recorder === undefined ? listeners : [...listeners, recorder.listener],
  });
  brain.start();
  cleanup.add(() => {
    brain.stop();
  });
  const places = placesOf(flags);
  for (const { host, selector, policy } of [places.source, places.destination]) {
    const agent = createAgent({
      host,
      bus: await openBus(host),
      clock: systemClock,
      log,
      sockets: [selector],
      policy,
      journalPath: join(folder, `${host}.journal`),
    });
    cleanup.add(() => agent.stop());
    await agent.start();
  }
  await attached(brain, [places.source, places.destination]);
  return { brain, order: { ...places, policy: flags.policy, endpoint: flags.uri } };
}

interface Place extends VmSelector {
  readonly policy: HostPolicy;
}

/** On a bus shared with others, host names of this run must be its own. */
function placesOf(flags: RunFlags): Readonly<Record<'source' | 'destination', Place>> {
  const suffix = flags.nats === undefined ? '' : `-${randomBytes(3).toString('hex')}`;
  const allowed = {
    postCopy: flags.postCopy === 'last-resort',
    maxThrottlePercent: Math.max(1, flags.maxThrottle),
  };
  const { destinationCommand } = flags;
  return {
    source: {
      host: `source${suffix}`,
      selector: flags.sourceQmp,
      policy: standalonePolicy(allowed),
    },
    destination: {
      host: `destination${suffix}`,
      selector: flags.destinationQmp,
      policy: standalonePolicy(
        destinationCommand === undefined ? allowed : { ...allowed, destinationCommand },
      ),
    },
  };
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
