import type { Answer, FakeQmpOptions, FakeQmpServer, ReceivedCommand } from './qmp-server.ts';
import { fakeQmp } from './qmp-server.ts';

/** What the fake QEMU is at the moment; a test may change any of it at any time. */
export interface FakeQemuState {
  version: { major: number; minor: number; micro: number };
  uuid: string;
  name: string | undefined;
  runState: string;
  capabilities: Record<string, boolean>;
  parameters: Record<string, unknown>;
  /** The reply to query-migrate. */
  migration: Record<string, unknown>;
  migrationStatuses: string[];
  multifdCompressions: string[];
  threadIds: number[];
  ramBytes: number;
  kvm: boolean;
  /** What commands that change a migration answer; default `{ return: {} }`. */
  refusals: Record<string, string>;
}

export interface FakeQemu extends FakeQemuState {
  readonly server: FakeQmpServer;
  /** Sets the status and sends the MIGRATION event, as QEMU with capability `events`. */
  setStatus: (status: string, fields?: Record<string, unknown>) => void;
  stop: () => Promise<void>;
}

const commonCapabilities = [
  'xbzrle',
  'rdma-pin-all',
  'auto-converge',
  'zero-blocks',
  'events',
  'postcopy-ram',
  'x-colo',
  'release-ram',
  'return-path',
  'pause-before-switchover',
  'multifd',
  'dirty-bitmaps',
  'postcopy-blocktime',
  'late-block-activate',
  'x-ignore-shared',
  'validate-uuid',
  'background-snapshot',
  'zero-copy-send',
  'postcopy-preempt',
];

const commonParameters = {
  'announce-initial': 50,
  'announce-max': 550,
  'announce-rounds': 5,
  'announce-step': 100,
  'cpu-throttle-increment': 10,
  'cpu-throttle-initial': 20,
  'cpu-throttle-tailslow': false,
  'downtime-limit': 300,
  'max-bandwidth': 134217728,
  'max-cpu-throttle': 99,
  'max-postcopy-bandwidth': 0,
  'multifd-channels': 2,
  'multifd-compression': 'none',
  'multifd-zlib-level': 1,
  'multifd-zstd-level': 1,
  'throttle-trigger-threshold': 50,
  'tls-authz': '',
  'tls-creds': '',
  'tls-hostname': '',
  'x-checkpoint-delay': 20000,
  'xbzrle-cache-size': 67108864,
};

const commonStatuses = [
  'none',
  'setup',
  'cancelling',
  'cancelled',
  'active',
  'postcopy-active',
  'postcopy-paused',
  'postcopy-recover',
  'completed',
  'failed',
  'colo',
  'pre-switchover',
  'device',
  'wait-unplug',
];

/** Settings as the two measured versions have them (qemu-facts A1). */
const presets = {
  '7.2': {
    version: { major: 7, minor: 2, micro: 22 },
    capabilities: [...commonCapabilities, 'compress', 'block'],
    parameters: {
      ...commonParameters,
      'block-incremental': false,
      'compress-level': 1,
      'compress-threads': 8,
      'compress-wait-thread': true,
      'decompress-threads': 2,
    },
    migrationStatuses: commonStatuses,
  },
  '10.0': {
    version: { major: 10, minor: 0, micro: 2 },
    capabilities: [...commonCapabilities, 'switchover-ack', 'dirty-limit', 'mapped-ram'],
    parameters: {
      ...commonParameters,
      'avail-switchover-bandwidth': 0,
      'direct-io': false,
      mode: 'normal',
      'vcpu-dirty-limit': 1,
      'x-vcpu-dirty-limit-period': 1000,
      'zero-page-detection': 'multifd',
    },
    migrationStatuses: [...commonStatuses, 'postcopy-recover-setup'],
  },
};

export type FakeQemuVersion = keyof typeof presets;

/** A running QEMU of the given version, fresh and at rest. */
export function fakeQemuState(version: FakeQemuVersion = '7.2'): FakeQemuState {
  const preset = presets[version];
  return {
    version: { ...preset.version },
    uuid: '8a3c6f0e-0000-4000-8000-000000000001',
    name: 'web-1',
    runState: 'running',
    capabilities: Object.fromEntries(preset.capabilities.map((name) => [name, false])),
    parameters: { ...preset.parameters },
    migration: {},
    migrationStatuses: [...preset.migrationStatuses],
    multifdCompressions: ['none', 'zlib', 'zstd'],
    threadIds: [process.pid],
    ramBytes: 64 * 1024 * 1024,
    kvm: false,
    refusals: {},
  };
}

/**
 * A QEMU that keeps capabilities and parameters, refuses what QEMU refuses, and obeys `migrate`,
 * `migrate_cancel` and the like by answering only: the test drives the migration with `setStatus`.
 */
export async function fakeQemu(
  version: FakeQemuVersion = '7.2',
  options: FakeQmpOptions = {},
): Promise<FakeQemu> {
  const server = await fakeQmp(options);
  const qemu: FakeQemu = Object.assign(fakeQemuState(version), {
    server,
    setStatus: (status: string, fields: Record<string, unknown> = {}) => {
      qemu.migration = { ...qemu.migration, status, ...fields };
      server.sendEvent('MIGRATION', { status });
    },
    stop: () => server.stop(),
  });
  server.answer = options.answer ?? ((received) => answerAs(qemu, received));
  return qemu;
}

/** How the fake QEMU answers; use it to build an `answer` that misbehaves for one command only. */
export function answerAs(qemu: FakeQemuState, received: ReceivedCommand): Answer | undefined {
  const refusal = qemu.refusals[received.command];
  if (refusal !== undefined) return { error: { class: 'GenericError', desc: refusal } };
  const answer = queryAnswers[received.command]?.(qemu);
  return answer === undefined ? changeAnswer(qemu, received) : { return: answer };
}

const queryAnswers: Readonly<Record<string, (qemu: FakeQemuState) => unknown>> = {
  qmp_capabilities: () => ({}),
  'query-version': ({ version }) => ({ qemu: version, package: '' }),
  'query-uuid': ({ uuid }) => ({ UUID: uuid }),
  'query-name': ({ name }) => (name === undefined ? {} : { name }),
  'query-status': ({ runState }) => ({ status: runState, running: runState === 'running' }),
  'query-kvm': ({ kvm }) => ({ enabled: kvm, present: true }),
  'query-memory-size-summary': ({ ramBytes }) => ({ 'base-memory': ramBytes, 'plugged-memory': 0 }),
  'query-cpus-fast': ({ threadIds }) =>
    threadIds.map((threadId, index) => ({ 'cpu-index': index, 'thread-id': threadId })),
  'query-migrate': ({ migration }) => migration,
  'query-migrate-capabilities': ({ capabilities }) =>
    Object.entries(capabilities).map(([capability, state]) => ({ capability, state })),
  'query-migrate-parameters': ({ parameters }) => parameters,
  'query-blockstats': () => [],
  'query-block': () => [],
  'qom-get': () => 'pc-i440fx-7.2-machine',
  'query-dirty-rate': () => ({ status: 'unstarted', 'start-time': 0, 'calc-time': 0 }),
  'query-qmp-schema': schemaOf,
  'calc-dirty-rate': () => ({}),
  migrate: () => ({}),
  'migrate-incoming': () => ({}),
  migrate_cancel: () => ({}),
  'migrate-start-postcopy': () => ({}),
  'migrate-recover': () => ({}),
  'migrate-pause': () => ({}),
};

function changeAnswer(qemu: FakeQemuState, received: ReceivedCommand): Answer | undefined {
  if (received.command === 'migrate-set-parameters') {
    const unknown = Object.keys(received.arguments).find((name) => !(name in qemu.parameters));
    if (unknown !== undefined) return refuse(`Parameter '${unknown}' is unexpected`);
    Object.assign(qemu.parameters, received.arguments);
    return { return: {} };
  }
  if (received.command !== 'migrate-set-capabilities') return undefined;
  const busy = ['setup', 'active', 'device'].includes(String(qemu.migration['status']));
  if (busy && qemu.runState !== 'inmigrate')
    return refuse("There's a migration process in progress");
  const states = received.arguments['capabilities'] as { capability: string; state: boolean }[];
  const unknown = states.find(({ capability }) => !(capability in qemu.capabilities));
  if (unknown !== undefined) {
    return refuse(`Parameter 'capability' does not accept value '${unknown.capability}'`);
  }
  for (const { capability, state } of states) qemu.capabilities[capability] = state;
  return { return: {} };
}

function refuse(desc: string): Answer {
  return { error: { class: 'GenericError', desc } };
}

function schemaOf(qemu: FakeQemuState): unknown {
  const member = (name: string, type: string): object => ({ name, type });
  const word = (name: string, values: string[]): object => ({ name, 'meta-type': 'enum', values });
  return [
    { name: 'query-migrate', 'meta-type': 'command', 'arg-type': '0', 'ret-type': '1' },
    { name: '1', 'meta-type': 'object', members: [member('status', '2')] },
    word('2', qemu.migrationStatuses),
    { name: 'migrate-set-parameters', 'meta-type': 'command', 'arg-type': '3', 'ret-type': '0' },
    { name: '3', 'meta-type': 'object', members: [member('multifd-compression', '4')] },
    word('4', qemu.multifdCompressions),
  ];
}
