/**
 * Carries out operations on one VM: each is a fixed order of monitor calls, written here and nowhere
 * else. `stop`, `cont`, `quit`, device and human-monitor commands do not occur. The gate has judged
 * before; whoever calls holds the VM's lock.
 */
import type { Arming, CommandResult, Operation, Tuning } from '../../shared/command.ts';
import { FerrymanError } from '../../shared/errors.ts';
import type { ProbeReport } from '../../shared/sample.ts';
import { toMigrationSample } from '../collectors/migration.ts';
import type { Monitor } from '../monitor/monitor.ts';
import { ExecuteError } from '../monitor/qmp/errors.ts';
import {
  armingToQemu,
  assignmentsToCalls,
  inertThrottle,
  savedToQemu,
  tunedToQemu,
  throttleSetPoint,
  tuningToQemu,
  type QemuAssignments,
  type QemuSettings,
} from '../qemu/options.ts';
import { readVcpuThreadIds } from '../qemu/inspect.ts';
import { isIdle } from '../qemu/status.ts';
import { endpointToUri } from '../qemu/uri.ts';
import type { CgroupThrottle } from '../throttle/cgroup.ts';

/** QEMU took the command, and then did not come to where it should lead. */
export class UnsettledError extends FerrymanError {
  constructor(what: string, status: string) {
    super('UNSETTLED', `${what} was accepted, but the migration is ${status}`);
  }
}

/** What an operation gives beside "applied". */
export type Effect = Pick<CommandResult, 'probe' | 'applied' | 'reason'>;

/** What is known of a VM's settings for as long as its QEMU lives, also when its monitor is lost. */
export interface ActuatorMemory {
  /** Capabilities and parameters as they were before ferryman touched them. */
  saved: QemuSettings;
  /** What the migration under way was started with, when it is not ours. */
  foreign?: Arming;
  /** The arming in force; absent before `arm` and after `restore`. */
  armed?: Arming;
  /** An operation of ours may have raised QEMU's own throttle. */
  hasTouchedThrottle: boolean;
}

export interface ActuatorOptions {
  readonly monitor: Monitor;
  readonly memory: ActuatorMemory;
  /** Absent where no quota can be set on the vCPU threads. */
  readonly throttle?: CgroupThrottle;
  readonly probe: (budgetMilliseconds: number) => Promise<ProbeReport>;
  readonly sleep: (milliseconds: number) => Promise<void>;
}

export interface Actuator {
  /** Throws MonitorError, UnsettledError, and what the kernel says of a quota. */
  apply(operation: VmOperation): Promise<Effect>;
  /** Takes every throttle that ferryman set to the floor; settings of others are left alone. */
  floor(): Promise<void>;
}

/** Operations that act through a VM's own monitor. */
export type VmOperation = Exclude<Operation, { kind: 'start-destination' }>;

type Handler<K extends VmOperation['kind']> = (
  operation: Extract<VmOperation, { kind: K }>,
) => Promise<Effect>;

const settleMilliseconds = 2000;
const settlePollMilliseconds = 20;

/** An actuator for one VM. */
export function createActuator(options: ActuatorOptions): Actuator {
  const { throttle } = options;
  const settings = createSettings(options);
  const handlers = { ...preparation(options, settings), ...transport(options, settings) };
  return {
    apply: (operation) => (handlers[operation.kind] as Handler<VmOperation['kind']>)(operation),
    async floor() {
      try {
        throttle?.release();
      } finally {
        // What the kernel has against a group is no reason to leave QEMU's throttle up.
        await settings.releaseQemuThrottle();
      }
    },
  };
}

type Handlers<K extends VmOperation['kind']> = { readonly [Kind in K]: Handler<Kind> };

/** What gets a VM ready, tunes it on its way, and puts everything back. */
function preparation(
  { monitor, probe, memory, throttle }: ActuatorOptions,
  settings: Settings,
): Handlers<'probe' | 'arm' | 'tune' | 'throttle' | 'restore'> {
  return {
    probe: async ({ budgetMilliseconds }) => ({ probe: await probe(budgetMilliseconds) }),
    async arm({ arming, tuning }) {
      delete memory.foreign;
      memory.hasTouchedThrottle ||= arming.autoConverge;
      const effect = await settings.assign(armingToQemu(arming, tuning, memory.saved));
      memory.armed = arming;
      return effect;
    },
    tune: ({ tuning }) => settings.tune(tuning),
    async throttle({ percent, mechanism }) {
      if (mechanism === 'qemu') return settings.setPoint(percent);
      if (percent > 0) {
        await settings.releaseQemuThrottle();
        throttle?.set(percent, await readVcpuThreadIds(monitor));
      } else throttle?.release();
      const period = throttle?.periodMicroseconds ?? 0;
      return {
        applied: textOf({ 'cgroup-percent': percent, 'cgroup-period-microseconds': period }),
      };
    },
    async restore() {
      throttle?.release();
      const effect = await settings.assign(
        memory.foreign === undefined ? savedToQemu(memory.saved) : tunedToQemu(memory.saved),
      );
      delete memory.armed;
      delete memory.foreign;
      memory.hasTouchedThrottle = false;
      return effect;
    },
  };
}

/** What starts, ends and mends the transport of the guest's memory. */
function transport(
  options: ActuatorOptions,
  settings: Settings,
): Handlers<Exclude<VmOperation['kind'], keyof ReturnType<typeof preparation>>> {
  const { monitor, throttle } = options;
  return {
    listen: ({ endpoint }) =>
      listen(settings.execute('migrate-incoming', { uri: endpointToUri(endpoint) })),
    migrate: ({ endpoint }) => settings.execute('migrate', { uri: endpointToUri(endpoint) }),
    async cancel() {
      await monitor.execute('migrate_cancel');
      throttle?.release();
      return settled(options, 'migrate_cancel', isIdle);
    },
    async 'start-postcopy'() {
      await monitor.execute('migrate-start-postcopy');
      throttle?.release();
      // QEMU answers {} even when the migration has just failed: only the status tells.
      return settled(options, 'migrate-start-postcopy', (status) => status !== 'active');
    },
    'recover-destination': ({ endpoint }) =>
      settings.execute('migrate-recover', { uri: endpointToUri(endpoint) }),
    resume: ({ endpoint }) =>
      settings.execute('migrate', { uri: endpointToUri(endpoint), resume: true }),
  };
}

/** Setting things in QEMU, and saying what was set. */
interface Settings {
  execute(command: string, given: object): Promise<Effect>;
  assign(assignments: QemuAssignments): Promise<Effect>;
  tune(tuning: Tuning): Promise<Effect>;
  /** QEMU's throttle to this level at its next sync; 0 is the floor. */
  setPoint(percent: number): Promise<Effect>;
  releaseQemuThrottle(): Promise<void>;
}

function createSettings({ monitor, memory, throttle }: ActuatorOptions): Settings {
  const settings: Settings = {
    async execute(command, given) {
      await monitor.execute(command, given);
      return { applied: textOf(given) };
    },
    async assign(assignments) {
      for (const call of assignmentsToCalls(assignments)) {
        await monitor.execute(call.command, call.arguments);
      }
      return { applied: textOf({ ...assignments.capabilities, ...assignments.parameters }) };
    },
    async tune(tuning) {
      if (tuning.autoConverge) {
        memory.hasTouchedThrottle = true;
        // One mechanism at a time: together they would deny the guest more than either was asked to.
        if (tuning.autoConverge.maxPercent > inertThrottle.maxPercent) throttle?.release();
      }
      const parameters = tuningToQemu(tuning, memory.saved);
      return settings.assign({ capabilities: {}, parameters });
    },
    setPoint: (percent) =>
      settings.tune({
        autoConverge: throttleSetPoint(Math.max(percent, inertThrottle.maxPercent)),
      }),
    async releaseQemuThrottle() {
      if (memory.hasTouchedThrottle) await settings.setPoint(0);
    },
  };
  return settings;
}

/**
 * A destination started with `-incoming tcp:...` listens already, which is all that was wanted. QEMU's
 * whole sentence is asked for: "Address already in use" means that nothing listens.
 */
async function listen(incoming: Promise<Effect>): Promise<Effect> {
  try {
    return await incoming;
  } catch (error) {
    const isListening =
      error instanceof ExecuteError && error.description.includes('has already been started');
    if (!isListening) throw error;
    return { reason: 'it was started listening, its own -incoming holds' };
  }
}

/** Waits for a status that tells how a command ended. */
async function settled(
  { monitor, sleep }: ActuatorOptions,
  what: string,
  isSettled: (status: string) => boolean,
): Promise<Effect> {
  let status = '';
  for (let waited = 0; waited <= settleMilliseconds; waited += settlePollMilliseconds) {
    ({ status } = toMigrationSample(await monitor.execute('query-migrate')));
    if (isSettled(status)) return { applied: { status } };
    await sleep(settlePollMilliseconds);
  }
  throw new UnsettledError(what, status);
}

function textOf(settings: object): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(settings).map(([name, value]) => [name, String(value)]));
}
