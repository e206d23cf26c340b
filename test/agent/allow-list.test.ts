import assert from 'node:assert/strict';
import fc from 'fast-check';
import { createExecutor } from '../../agent/commands/executor.ts';
import type { Journal } from '../../agent/commands/journal.ts';
import { createLocks } from '../../agent/commands/locks.ts';
import type { Monitor } from '../../agent/monitor/monitor.ts';
import { openQmp } from '../../agent/monitor/qmp-socket.ts';
import { createOutbox } from '../../agent/outbox/outbox.ts';
import { standalonePolicy } from '../../agent/host/policy-file.ts';
import { inspectVm } from '../../agent/qemu/inspect.ts';
import { AttachedVm } from '../../agent/vms/vm.ts';
import { systemClock } from '../../shared/clock.ts';
import type { Operation } from '../../shared/command.ts';
import { silentLog } from '../../shared/log.ts';
import { memoryBus } from '../../shared/memory-bus.ts';
import { answerAs, fakeQemu, type FakeQemu, type FakeQemuVersion } from '../fakes/qemu.ts';
import { anyOperation } from './operations.ts';

/** Written out once more, apart from the agent's own table: what may ever reach a QEMU (promises P17). */
const allowed = new Set([
  'qmp_capabilities',
  'query-version',
  'query-uuid',
  'query-name',
  'query-status',
  'query-kvm',
  'query-cpus-fast',
  'query-memory-size-summary',
  'query-qmp-schema',
  'query-blockstats',
  'query-block',
  'qom-get',
  'query-migrate',
  'query-migrate-capabilities',
  'query-migrate-parameters',
  'migrate-set-capabilities',
  'migrate-set-parameters',
  'migrate',
  'migrate-incoming',
  'migrate_cancel',
  'migrate-start-postcopy',
  'migrate-recover',
]);
const frozenInFlight = ['multifd-channels', 'compress-threads', 'xbzrle-cache-size'];
const hostSample = {
  cpuCores: 2,
  cpuBusyShare: 0,
  cpuStealShare: 0,
  idleCpuCores: 2,
  totalMemoryBytes: 2 ** 33,
  freeMemoryBytes: 2 ** 32,
  nics: [],
};
const settings = {
  policy: standalonePolicy({ postCopy: true }),
  clock: systemClock,
  log: silentLog,
};

for (const version of ['7.2', '10.0'] as const) {
  describe(`whatever is ordered of a QEMU ${version}`, () => {
    let qemu: FakeQemu;
    let monitor: Monitor;
    let order: (operation: Operation) => Promise<void>;

    beforeEach(async () => {
      ({ qemu, monitor, order } = await board(version));
    });
    afterEach(async () => {
      monitor.close();
      await qemu.stop();
    });

    it('sends nothing outside the allow-list and nothing known to be dangerous', async () => {
      const status = fc.constantFrom(...qemu.migrationStatuses, 'warp');
      const runState = fc.constantFrom('running', 'inmigrate', 'postmigrate');
      const step = fc.record({ operation: anyOperation, status, runState });
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
          let postCopyRequested = false;
          for (const { operation, status: migrationStatus, runState: state } of steps) {
            qemu.migration = { status: migrationStatus };
            qemu.runState = state;
            qemu.server.received.length = 0;
            await order(operation);
            checkLedger(qemu, migrationStatus, postCopyRequested);
            const sent = qemu.server.commands();
            if (sent.includes('migrate')) postCopyRequested = false;
            if (sent.includes('migrate-start-postcopy')) postCopyRequested = true;
          }
          qemu.migration = { status: 'none' };
          qemu.runState = 'running';
          await order({ kind: 'arm', arming: plain, tuning: {} });
          await order({ kind: 'migrate', endpoint: { kind: 'unix', path: '/tmp/m' } });
        }),
        { numRuns: 40 },
      );
    });
  });
}

const plain = { family: 'plain', autoConverge: true, postCopy: false } as const;

async function board(version: FakeQemuVersion) {
  const qemu = await fakeQemu(version);
  obey(qemu);
  const monitor = await openQmp(qemu.server.path);
  const inspection = await inspectVm(monitor);
  const ref = { host: 'h', agentBoot: 'b', qemuPid: 1, uuid: inspection.uuid };
  const outbox = createOutbox({ ...settings, bus: memoryBus(), host: 'h', agentBoot: 'b' });
  const vm = new AttachedVm({
    ...settings,
    monitor,
    inspection,
    memory: { saved: inspection.settings, hasTouchedThrottle: false },
    ref,
    postCopyRequested: false,
    outbox,
    hostSample: () => hostSample,
  });
  const execute = createExecutor({
    ...settings,
    host: 'h',
    agentBoot: 'b',
    journal: forgetfulJournal(),
    locks: createLocks(),
    brainIsSilent: () => false,
    find: () => vm,
    startDestination: () => assert.fail('not among the operations'),
  });
  let sequence = 0;
  const order = async (operation: Operation): Promise<void> => {
    sequence += 1;
    const id = String(sequence);
    const expiresAtAgentMilliseconds = Number.MAX_SAFE_INTEGER;
    await execute({ id, epoch: 1, sequence, target: ref, expiresAtAgentMilliseconds, operation });
  };
  return { qemu, monitor, order };
}

/** The two commands whose effect the actuator waits for. */
function obey(qemu: FakeQemu): void {
  qemu.server.answer = (received) => {
    if (received.command === 'migrate_cancel') qemu.migration = { status: 'cancelled' };
    if (received.command === 'migrate-start-postcopy') {
      qemu.migration = { status: 'postcopy-active' };
    }
    return answerAs(qemu, received);
  };
}

/** Remembers only what the gate must know here: whether post-copy was ordered. */
function forgetfulJournal(): Journal {
  let postCopyRequested = false;
  return {
    highestEpoch: 0,
    damagedLines: 0,
    unfinished: [],
    has: () => false,
    lastOf: () => undefined,
    postCopyRequested: () => postCopyRequested,
    touched: () => undefined,
    intent: (_vm, { operation: { kind } }) => {
      if (kind === 'start-postcopy') postCopyRequested = true;
      if (kind === 'migrate') postCopyRequested = false;
      return Promise.resolve();
    },
    hear: () => Promise.resolve(),
    result: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
}

function checkLedger(qemu: FakeQemu, status: string, postCopyRequested: boolean): void {
  const isAtRest = ['none', 'completed', 'failed', 'cancelled'].includes(status);
  const isListening = status === 'setup' && qemu.runState === 'inmigrate';
  for (const { command, arguments: given } of qemu.server.received) {
    assert.ok(allowed.has(command), `${command} was sent`);
    if (status === 'warp')
      assert.ok(command.startsWith('query-'), `${command} in an unknown state`);
    if (!isAtRest && !isListening) checkFrozen(command, given);
    if ('uri' in given) assert.match(String(given['uri']), /^(tcp:[^,]+:\d+|unix:\/[^,]+)$/);
    if (command === 'migrate_cancel') {
      assert.ok(['setup', 'active', 'pre-switchover', 'wait-unplug'].includes(status));
      assert.equal(postCopyRequested, false);
    }
    if (command === 'migrate' && given['resume'] !== true) assert.ok(isAtRest);
    if (command === 'migrate-set-parameters') checkParameters(given);
  }
  checkCapabilities(qemu);
}

function checkFrozen(command: string, given: Readonly<Record<string, unknown>>): void {
  assert.notEqual(command, 'migrate-set-capabilities');
  for (const name of frozenInFlight) assert.ok(!(name in given), `${name} was set in flight`);
}

function checkCapabilities({ capabilities }: FakeQemu): void {
  const exclusive = ['postcopy-ram', 'xbzrle', 'compress'];
  const isOn = exclusive.some((name) => capabilities[name] === true);
  assert.ok(!(capabilities['multifd'] === true && isOn));
}

function checkParameters(given: Readonly<Record<string, unknown>>): void {
  for (const [name, least, most] of [
    ['max-bandwidth', 2 ** 20, 2 ** 53],
    ['max-cpu-throttle', 1, 99],
    ['multifd-channels', 1, 8],
    ['compress-threads', 1, 8],
    ['xbzrle-cache-size', 4096, 2 ** 30],
  ] as const) {
    const value = given[name];
    if (value === undefined) continue;
    assert.ok(Number(value) >= least && Number(value) <= most, `${name} is out of range`);
  }
  if ('max-cpu-throttle' in given) {
    assert.ok(Number(given['cpu-throttle-initial']) <= Number(given['max-cpu-throttle']));
  }
}
