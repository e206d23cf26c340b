/**
 * Carries out operations on one VM: each is a fixed order of monitor calls, written here and nowhere
 * else. `stop`, `cont`, `quit`, device and human-monitor commands do not occur. The gate has judged
 * before; whoever calls holds the VM's lock.
 */
import type { Arming, CommandResult, Operation, Tuning } from '../shared/command.ts';
import { FerrymanError } from '../shared/errors.ts';
import type { ProbeReport } from '../shared/sample.ts';
import { toMigrationSample } from './collectors/migration.ts';
import type { Monitor } from './monitor/monitor.ts';
import { ExecuteError } from './monitor/qmp/errors.ts';
import {
  armingToQemu,
  assignmentsToCalls,
  inertThrottle,
  savedToQemu,
  throttleSetPoint,
  tuningToQemu,
  type QemuAssignments,
  type QemuSettings,
} from './qemu/options.ts';
import { isIdle } from './qemu/status.ts';
import { endpointToUri } from './qemu/uri.ts';
import type { CgroupThrottle } from './throttle/cgroup.ts';

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
  readonly saved: QemuSettings;
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
  const { monitor, memory, throttle } = options;
  const { saved } = memory;

  const assign = async (assignments: QemuAssignments): Promise<Effect> => {
    for (const call of assignmentsToCalls(assignments)) {
      await monitor.execute(call.command, call.arguments);
    }
    return { applied: textOf({ ...assignments.capabilities, ...assignments.parameters }) };
  };
  const tune = (tuning: Tuning): Promise<Effect> => {
    if (tuning.autoConverge) {
      memory.hasTouchedThrottle = true;
      // One mechanism at a time: two together would deny the guest more than either was asked to.
      if (tuning.autoConverge.maxPercent > inertThrottle.maxPercent) throttle?.release();
    }
    return assign({ capabilities: {}, parameters: tuningToQemu(tuning, saved) });
  };
  const setPoint = (percent: number): Promise<Effect> =>
    tune({ autoConverge: throttleSetPoint(Math.max(percent, inertThrottle.maxPercent)) });
  const releaseQemu = async (): Promise<void> => {
    if (memory.hasTouchedThrottle) await setPoint(0);
  };

  const handlers: { readonly [K in VmOperation['kind']]: Handler<K> } = {
    probe: async ({ budgetMilliseconds }) => ({ probe: await options.probe(budgetMilliseconds) }),
    async arm({ arming, tuning }) {
      memory.hasTouchedThrottle ||= arming.autoConverge;
      const effect = await assign(armingToQemu(arming, tuning, saved));
      memory.armed = arming;
      return effect;
    },
    listen: ({ endpoint }) => listen(monitor, endpointToUri(endpoint)),
    migrate: ({ endpoint }) => execute(monitor, 'migrate', { uri: endpointToUri(endpoint) }),
    tune: ({ tuning }) => tune(tuning),
    async throttle({ percent, mechanism }) {
      if (mechanism === 'qemu') return setPoint(percent);
      if (percent > 0) await releaseQemu();
      throttle?.set(percent);
      return { applied: textOf({ 'cgroup-percent': percent }) };
    },
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
      execute(monitor, 'migrate-recover', { uri: endpointToUri(endpoint) }),
    resume: ({ endpoint }) =>
      execute(monitor, 'migrate', { uri: endpointToUri(endpoint), resume: true }),
    async restore() {
      throttle?.release();
      const effect = await assign(savedToQemu(saved));
      delete memory.armed;
      memory.hasTouchedThrottle = false;
      return effect;
    },
  };
  return {
    apply: (operation) => (handlers[operation.kind] as Handler<VmOperation['kind']>)(operation),
    async floor() {
      throttle?.release();
      await releaseQemu();
    },
  };
}

/** A destination started with `-incoming tcp:...` listens already, which is all that was wanted. */
async function listen(monitor: Monitor, uri: string): Promise<Effect> {
  try {
    return await execute(monitor, 'migrate-incoming', { uri });
  } catch (error) {
    const isListening = error instanceof ExecuteError && /already/i.test(error.description);
    if (!isListening) throw error;
    return { reason: 'it was started listening, its own -incoming holds' };
  }
}

async function execute(monitor: Monitor, command: string, given: object): Promise<Effect> {
  await monitor.execute(command, given);
  return { applied: textOf(given) };
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
