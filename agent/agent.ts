/**
 * The agent of one host: finds its VMs, streams what it sees, carries out what the gate lets through,
 * and lets go of every VM when the brain falls silent or the agent stops.
 */
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Bus } from '../shared/bus.ts';
import type { Clock } from '../shared/clock.ts';
import { decodeCommand, encodeCommandResult } from '../shared/codec.ts';
import { FerrymanError, messageOf } from '../shared/errors.ts';
import type { Log } from '../shared/log.ts';
import type { QemuRef, VmFacts } from '../shared/sample.ts';
import { buildSubject } from '../shared/subjects.ts';
import { attachToMonitors } from './vms/attachments.ts';
import { hearBeacons } from './letting-go/beacons.ts';
import { watchBrain, type DeadMan, type DeadManStage } from './letting-go/dead-man.ts';
import { startDestination } from './host/destination.ts';
import { createExecutor, vmKey, type ExecutorOptions } from './commands/executor.ts';
import { hostFacts } from './host/host-facts.ts';
import { openJournal, type Journal } from './commands/journal.ts';
import { watchHost } from './host/host-watch.ts';
import { createLettingGo, type LettingGo } from './letting-go/letting-go.ts';
import { createLocks, type Locks } from './commands/locks.ts';
import type { LibvirtAddress } from './monitor/virsh/session.ts';
import { createOutbox, type Outbox } from './outbox/outbox.ts';
import { isTighter, livePolicy, type HostPolicy } from './host/policy-file.ts';
import { createRoster, type Roster } from './vms/roster.ts';
import { sweep } from './throttle/groups.ts';
import { detectLayout } from './throttle/layouts.ts';

export interface AgentOptions {
  /** A host id, see shared/subjects.ts. */
  readonly host: string;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly log: Log;
  /** Monitor sockets by path (they need not exist yet), or a directory full of them. */
  readonly sockets?: readonly string[];
  readonly directory?: string;
  /** The libvirt of this host, whose domains are watched. */
  readonly libvirt?: LibvirtAddress;
  readonly policy: HostPolicy;
  /** The one brain that is heard, see `isPrivate` of a brain; absent: whichever leads the fleet. */
  readonly brain?: string;
  /** Told of every command that was answered. */
  readonly onAnswer?: NonNullable<ExecutorOptions['onAnswer']>;
  readonly journalPath: string;
  /** Where the output of destinations goes; below the system's temporary directory by default. */
  readonly logDirectory?: string;
}

export interface Agent {
  /** Throws JournalError, and what the host probe throws on a host that cannot be observed. */
  start(): Promise<void>;
  /** Lets go of every VM: throttles to the floor, settings back where nothing is under way. */
  stop(): Promise<void>;
  /** Another host policy from now on; where it is tighter, throttles go to the floor. */
  adopt(policy: HostPolicy): Promise<void>;
  vms(): readonly VmFacts[];
  status(): AgentStatus;
}

/** How the agent itself stands. */
export interface AgentStatus {
  readonly brain: DeadManStage;
  readonly brainSilentMilliseconds: number;
  /** Telemetry that waited for the bus too long, or was too much, and is lost. */
  readonly droppedMessages: number;
}

/** What lives from start to stop. */
interface Life {
  /** In the order in which they have to end. */
  readonly endings: readonly (() => void | Promise<void>)[];
  readonly letGo: LettingGo;
  readonly deadMan: DeadMan;
  readonly outbox: Outbox;
}

/** What the parts of one running agent share. */
interface Running {
  readonly agentBoot: string;
  readonly outbox: Outbox;
  readonly roster: Roster;
  readonly locks: Locks;
  readonly journal: Journal;
}

/** An agent that has not started. */
export function createAgent(options: AgentOptions): Agent {
  const roster = createRoster();
  const { policy, replace } = livePolicy(options.policy);
  let life: Life | undefined;
  return {
    vms: () => roster.all().map(({ facts }) => facts),
    status: () => ({
      brain: life?.deadMan.stage ?? 'heard',
      brainSilentMilliseconds: life?.deadMan.silentMilliseconds ?? 0,
      droppedMessages: life?.outbox.dropped ?? 0,
    }),
    async start() {
      life = await startAgent({ ...options, policy }, roster);
    },
    async adopt(next) {
      const isHarder = isTighter(next, policy);
      replace(next);
      if (isHarder) await life?.letGo.surrender();
      for (const vm of roster.all()) vm.announce();
    },
    async stop() {
      const { endings } = life ?? { endings: [] };
      life = undefined;
      for (const end of endings) await end();
    },
  };
}

async function startAgent(options: AgentOptions, roster: Roster): Promise<Life> {
  const { log, clock, policy } = options;
  const agentBoot = randomUUID();
  const outbox = createOutbox({ ...options, agentBoot });
  const journal = await openJournal(options.journalPath);
  const locks = createLocks();
  const running: Running = { agentBoot, outbox, roster, locks, journal };
  const layout = detectLayout(
    policy.cgroupDelegation === undefined ? {} : { delegated: policy.cgroupDelegation },
  );
  const offers = () => ({
    ...hostFacts({ policy, layout, vms: roster.all().map(({ facts }) => facts) }),
    highestEpoch: journal.highestEpoch,
  });
  const host = await watchHost(log, outbox, offers, () => roster.all().length);
  const swept = layout === undefined ? 0 : sweep(layout);
  if (swept > 0) log.warn({ swept }, 'released throttles that an earlier agent left behind');
  reportUnfinished(journal, outbox);

  const letGo = createLettingGo({ policy, journal, locks, log, vms: () => roster.all() });
  const deadMan = watchBrain(clock, (stage) => {
    const message = silenceMessages[stage];
    log.warn({ stage }, message);
    outbox.publish({ kind: 'alert', message });
    if (stage === 'floored') void letGo.floorAll();
    if (stage === 'given-up' && policy.brainLost === 'cancel') void letGo.cancelAll();
  });
  const announce = () => {
    host.announce();
    for (const vm of roster.all()) vm.announce();
  };
  const beacons = hearBeacons({ ...options, journal, deadMan, announce });
  const commands = serveCommands(options, running, deadMan);
  const hostSample = host.latest;
  const attachments = attachToMonitors({ ...options, ...running, layout, hostSample });
  const endings = [
    commands.stop,
    beacons.stop,
    deadMan.stop,
    host.stop,
    () => letGo.farewell(),
    attachments.stop,
    () => journal.close(),
  ];
  return { endings, letGo, deadMan, outbox };
}

const silenceMessages: Readonly<Record<DeadManStage, string>> = {
  heard: 'the brain is heard again',
  floored: 'the brain has been silent for 5 s: throttles go to the floor',
  'given-up': 'the brain has been silent for 30 s: the host policy decides',
};

function serveCommands(options: AgentOptions, running: Running, deadMan: DeadMan) {
  const { bus, host, log } = options;
  const { roster } = running;
  const execute = createExecutor({
    ...options,
    ...running,
    brainIsSilent: () => deadMan.stage !== 'heard',
    find: (ref) => roster.find(ref),
    settingsBefore: (ref) => roster.recall(ref)?.saved,
    startDestination: destinationStarter(options, roster),
  });
  return bus.serve(buildSubject({ channel: 'cmd', host }), async (payload) => {
    try {
      return encodeCommandResult(await execute(decodeCommand(payload)));
    } catch (error) {
      const reason = messageOf(error);
      log.error({ error: reason }, 'a command makes no sense');
      return encodeCommandResult({ id: 'undecodable', outcome: 'refused', reason });
    }
  });
}

/** Remembers what was started here: nothing else may ever be ended here. */
function destinationStarter({ policy, logDirectory }: AgentOptions, roster: Roster) {
  const started = new Set<string>();
  return async (target: QemuRef, family: string): Promise<VmFacts> => {
    const { destinationCommand } = policy;
    if (destinationCommand === undefined) {
      throw new FerrymanError('NO_DESTINATION_COMMAND', 'the host policy has none');
    }
    const askPrevious = async (): Promise<string | undefined> =>
      (await roster.find(target)?.situation())?.facts.runState;
    const vm = await startDestination({
      command: destinationCommand,
      vm: target.uuid,
      family,
      logDirectory: logDirectory ?? join(tmpdir(), 'ferryman-destinations'),
      ...(target.qemuPid > 0 && {
        previous: {
          pid: target.qemuPid,
          isOurs: started.has(vmKey(target)),
          runState: askPrevious,
        },
      }),
      attached: (limitMilliseconds, aborted) =>
        roster.next(
          ({ ref, facts }) =>
            ref.uuid === target.uuid &&
            ref.qemuPid !== target.qemuPid &&
            facts.runState === 'inmigrate',
          limitMilliseconds,
          aborted,
        ),
    });
    started.add(vmKey(vm.ref));
    return vm.facts;
  };
}

function reportUnfinished({ unfinished, damagedLines }: Journal, outbox: Outbox): void {
  if (unfinished.length > 0) {
    const ids = unfinished.slice(-5).join(', ');
    const message = `the agent ended amid ${String(unfinished.length)} commands (${ids}): not repeated`;
    outbox.publish({ kind: 'alert', message });
  }
  if (damagedLines === 0) return;
  const message = `${String(damagedLines)} lines of the journal are damaged and were passed over`;
  outbox.publish({ kind: 'alert', message });
}
