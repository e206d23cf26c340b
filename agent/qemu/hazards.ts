/**
 * What must never be sent to QEMU, when, and why. Every call that an agent makes passes `hazardOf`:
 * first the allow-list (what is not in it cannot be sent at all), then the table. Where a row
 * names a loss, it was seen on a real QEMU (qemu-facts A2, A3, A6; promises, findings 1 to 5).
 */
import { type QmpCall, type QemuSettings } from './options.ts';
import { parameterTable } from './parameters.ts';
import { isCancellable, isIdle, isKnownStatus, isPostCopy } from './status.ts';
import { isSafeUri } from './uri.ts';
import { knowledgeOf, type QemuVersion, versionText } from './version.ts';

/** What decides whether a call is safe, as last read from this QEMU. */
export interface Situation {
  readonly version: QemuVersion;
  /** `status` of query-status: `inmigrate` on a destination that waits. */
  readonly runState: string;
  /** `status` of query-migrate. */
  readonly migrationStatus: string;
  readonly settings: QemuSettings;
  /** A latch: true from the moment migrate-start-postcopy was about to be sent (it shows late). */
  readonly postCopyRequested: boolean;
}

export interface Hazard {
  readonly name: string;
  readonly commands: readonly string[];
  /** True when the call must not be sent. */
  readonly applies: (call: QmpCall, situation: Situation) => boolean;
  readonly why: string;
}

/** All that may ever be sent, with the arguments it may have; migrate-set-* are checked below. */
const allowList: Readonly<Record<string, readonly string[]>> = {
  'query-version': [],
  'query-uuid': [],
  'query-name': [],
  'query-status': [],
  'query-kvm': [],
  'query-cpus-fast': [],
  'query-memory-size-summary': [],
  'query-qmp-schema': [],
  'query-blockstats': [],
  'query-migrate': [],
  'query-migrate-capabilities': [],
  'query-migrate-parameters': [],
  'query-dirty-rate': ['calc-time-unit'],
  'calc-dirty-rate': ['calc-time', 'calc-time-unit', 'sample-pages', 'mode'],
  'migrate-set-capabilities': ['capabilities'],
  'migrate-set-parameters': Object.keys(parameterTable),
  migrate: ['uri', 'detach', 'resume'],
  'migrate-incoming': ['uri'],
  migrate_cancel: [],
  'migrate-start-postcopy': [],
  'migrate-recover': ['uri'],
  'migrate-pause': [],
};

/** Sets that a stream or a QEMU does not survive, or that QEMU refuses. */
const exclusive: readonly (readonly [string, string])[] = [
  // 7.2 says "completed" and the destination aborts: the VM is lost (2 of 2). 10.0 refuses;
  // 10.1 accepts it, which nobody here has measured.
  ['multifd', 'postcopy-ram'],
  // 7.2: the stream breaks in the second pass. 10.0 refuses.
  ['multifd', 'xbzrle'],
  ['multifd', 'compress'],
  ['dirty-limit', 'auto-converge'],
  ['background-snapshot', 'postcopy-ram'],
];

const startCommands = ['migrate', 'migrate-incoming', 'migrate-recover'];

export const hazards: readonly Hazard[] = [
  {
    name: 'unknown-status',
    commands: ['*'],
    applies: ({ command }, { migrationStatus }) =>
      !command.startsWith('query-') && !isKnownStatus(migrationStatus),
    why: 'QEMU is in a migration state that ferryman does not know: observe only (P20)',
  },
  {
    name: 'unknown-version',
    commands: ['*'],
    applies: ({ command }, { version }) =>
      !command.startsWith('query-') && knowledgeOf(version) === 'older',
    why: 'nothing is known about a QEMU before 6.0: observe only (P20)',
  },
  {
    name: 'exclusive-capabilities',
    commands: ['migrate-set-capabilities', 'migrate', 'migrate-incoming'],
    applies: (call, { settings }) =>
      excludesItself({ ...settings.capabilities, ...statesIn(call) }),
    why: 'these capabilities exclude each other; multifd with post-copy or XBZRLE loses VMs on 7.2',
  },
  {
    name: 'capability-in-flight',
    commands: ['migrate-set-capabilities'],
    applies: (_, situation) => isInFlight(situation),
    why: 'capabilities are frozen while a migration runs; cancel and start again instead',
  },
  {
    name: 'crash-in-flight',
    commands: ['migrate-set-parameters'],
    applies: (call, situation) => isInFlight(situation) && sets(call, 'kills'),
    why: 'raising compress-threads or multifd-channels in flight crashes QEMU; lowering channels hangs cancel',
  },
  {
    name: 'no-effect-in-flight',
    commands: ['migrate-set-parameters'],
    applies: (call, situation) => isInFlight(situation) && sets(call, 'ignored'),
    why: 'QEMU accepts this in flight and nothing changes; it must be armed before the start',
  },
  {
    name: 'pre-copy-setting-in-post-copy',
    commands: ['migrate-set-parameters'],
    applies: (call, situation) =>
      inPostCopy(situation) &&
      Object.keys(call.arguments).some((name) => name !== 'max-postcopy-bandwidth'),
    why: 'in post-copy only max-postcopy-bandwidth acts (P8)',
  },
  {
    name: 'out-of-range',
    commands: ['migrate-set-parameters'],
    applies: (call) =>
      Object.entries(call.arguments).some(([name, value]) => !inRange(name, value)),
    why: 'QEMU accepts absurd values (max-bandwidth 0, -1 or 2^63, a cache of 2^62 bytes); ferryman does not send them',
  },
  {
    name: 'throttle-without-its-pair',
    commands: ['migrate-set-parameters'],
    applies: ({ arguments: { 'max-cpu-throttle': max, 'cpu-throttle-initial': initial } }) =>
      max !== undefined && !(Number(initial) <= Number(max)),
    why: 'max-cpu-throttle goes together with a cpu-throttle-initial not above it, or the cap is not one (P5)',
  },
  {
    name: 'cancel-in-post-copy',
    commands: ['migrate_cancel'],
    applies: (_, { migrationStatus, postCopyRequested }) =>
      postCopyRequested || !isCancellable(migrationStatus),
    why: 'only pre-copy can be called back: 7.2 accepts a cancel in post-copy, and the VM is lost (P1)',
  },
  {
    name: 'post-copy-not-armed',
    commands: ['migrate-start-postcopy'],
    applies: (_, { migrationStatus, postCopyRequested, settings }) =>
      migrationStatus !== 'active' ||
      postCopyRequested ||
      settings.capabilities['postcopy-ram'] !== true ||
      settings.capabilities['multifd'] === true,
    why: 'post-copy starts once, from active, armed before the start and without multifd; QEMU answers {} even when it has failed',
  },
  {
    name: 'dirty-bitmap-mode',
    commands: ['calc-dirty-rate'],
    applies: ({ arguments: { mode } }) => mode !== undefined && mode !== 'page-sampling',
    why: 'calc-dirty-rate mode=dirty-bitmap crashes 7.2 under TCG; only page-sampling is safe everywhere',
  },
  {
    name: 'unsafe-uri',
    commands: startCommands,
    applies: ({ arguments: { uri } }) => !isSafeUri(uri),
    why: 'only tcp: and unix: lead to another QEMU; exec: is a shell, fd: and file: go elsewhere (P17)',
  },
  {
    name: 'second-migration',
    commands: ['migrate'],
    applies: ({ arguments: { resume } }, { migrationStatus, runState }) =>
      runState === 'inmigrate' ||
      (resume === true ? migrationStatus !== 'postcopy-paused' : !isIdle(migrationStatus)),
    why: 'one migration at a time, never from a waiting destination; resume only in postcopy-paused',
  },
  {
    name: 'not-a-waiting-destination',
    commands: ['migrate-incoming'],
    applies: (_, { runState }) => runState !== 'inmigrate',
    why: 'only a QEMU started with -incoming can take a VM in',
  },
  {
    name: 'nothing-to-recover',
    commands: ['migrate-recover'],
    applies: (_, { migrationStatus }) => migrationStatus !== 'postcopy-paused',
    why: 'recovery begins in postcopy-paused (P8)',
  },
  {
    name: 'nothing-to-pause',
    commands: ['migrate-pause'],
    applies: (_, { migrationStatus }) => !/^postcopy-(active|recover)$/.test(migrationStatus),
    why: 'QEMU can pause only post-copy',
  },
];

/** Those that a command may meet, found once: an agent asks some commands every second for ever. */
const hazardsByCommand = new Map(
  Object.keys(allowList).map((command) => [
    command,
    hazards.filter(({ commands }) => commands.includes('*') || commands.includes(command)),
  ]),
);

/** Why `call` must not be sent now, with the rule's name; undefined when it is safe. */
export function hazardOf(call: QmpCall, situation: Situation): string | undefined {
  const allowed = Object.hasOwn(allowList, call.command) ? allowList[call.command] : undefined;
  if (allowed === undefined) return `not-allowed: ${call.command} is not on the allow-list (P17)`;
  const stray = Object.keys(call.arguments).find((name) => !allowed.includes(name));
  if (stray !== undefined) return `not-allowed: ${call.command} may not set ${stray} (P17)`;
  const hazard = hazardsByCommand
    .get(call.command)
    ?.find(({ applies }) => applies(call, situation));
  if (hazard === undefined) return undefined;
  return `${hazard.name}: ${hazard.why} (QEMU ${versionText(situation.version)}, ${situation.migrationStatus})`;
}

/** A destination that only listens may still be armed (A2); everything else under way is in flight. */
function isInFlight({ runState, migrationStatus }: Situation): boolean {
  const listens = runState === 'inmigrate' && migrationStatus === 'setup';
  return !isIdle(migrationStatus) && !listens;
}

function inPostCopy({ migrationStatus, postCopyRequested }: Situation): boolean {
  return isPostCopy(migrationStatus) || (postCopyRequested && !isIdle(migrationStatus));
}

function sets({ arguments: values }: QmpCall, inFlight: 'ignored' | 'kills'): boolean {
  return Object.keys(values).some((name) => parameterTable[name]?.inFlight === inFlight);
}

function inRange(name: string, value: unknown): boolean {
  const { minimum, maximum, powerOfTwo } = parameterTable[name] ?? {};
  if (minimum === undefined || maximum === undefined) return true;
  if (!Number.isInteger(value)) return false;
  const figure = value as number;
  const isPower = Number.isInteger(Math.log2(figure));
  return figure >= minimum && figure <= maximum && (powerOfTwo !== true || isPower);
}

function statesIn({ arguments: { capabilities } }: QmpCall): Record<string, boolean> {
  if (!Array.isArray(capabilities)) return {};
  const list = capabilities as readonly { capability: string; state: boolean }[];
  return Object.fromEntries(list.map(({ capability, state }) => [capability, state]));
}

function excludesItself(states: Readonly<Record<string, boolean>>): boolean {
  return exclusive.some((pair) => pair.every((name) => states[name] === true));
}
