import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  createActuator,
  UnsettledError,
  type ActuatorMemory,
  type Effect,
} from '../../../agent/commands/actuator.ts';
import type { Monitor } from '../../../agent/monitor/monitor.ts';
import { openQmp } from '../../../agent/monitor/qmp-socket.ts';
import { readSettings } from '../../../agent/qemu/inspect.ts';
import type { CgroupThrottle } from '../../../agent/throttle/cgroup.ts';
import type { Operation } from '../../../shared/command.ts';
import { fakeQemu, type FakeQemu } from '../../fakes/qemu.ts';
import { plainArming } from '../situations.ts';

type Apply = (operation: Exclude<Operation, { kind: 'start-destination' }>) => Promise<Effect>;

describe('actuator', () => {
  let qemu: FakeQemu;
  let monitor: Monitor;
  let memory: ActuatorMemory;
  let throttle: CgroupThrottle;
  let levels: number[];
  let apply: Apply;
  let floor: () => Promise<void>;

  beforeEach(async () => {
    qemu = await fakeQemu('7.2');
    monitor = await openQmp(qemu.server.path);
    memory = { saved: structuredClone(await readSettings(monitor)), hasTouchedThrottle: false };
    levels = [];
    throttle = {
      get percent() {
        return levels.at(-1) ?? 0;
      },
      periodMicroseconds: 88_000,
      measure: () => undefined,
      set: (percent) => void levels.push(percent),
      release: () => void levels.push(0),
    };
    const actuator = createActuator({
      monitor,
      memory,
      throttle,
      probe: () => assert.fail('not asked for'),
      sleep: () => Promise.resolve(),
    });
    apply = (operation) => actuator.apply(operation);
    floor = () => actuator.floor();
    qemu.server.received.length = 0;
  });
  afterEach(async () => {
    monitor.close();
    await qemu.stop();
  });

  const sent = (command: string): Readonly<Record<string, unknown>>[] =>
    qemu.server.received
      .filter((received) => received.command === command)
      .map((received) => received.arguments);

  it('arms by one call for capabilities and one for parameters', async () => {
    await apply({ kind: 'arm', arming: plainArming, tuning: { downtimeLimitMilliseconds: 200 } });
    assert.deepEqual(qemu.server.commands(), [
      'migrate-set-capabilities',
      'migrate-set-parameters',
    ]);
    const [parameters] = sent('migrate-set-parameters');
    assert.equal(parameters?.['max-cpu-throttle'], 1);
    assert.equal(parameters['downtime-limit'], 200);
    assert.deepEqual(memory.armed, plainArming);
  });

  it('sets a set-point by one call, up and down', async () => {
    await apply({ kind: 'throttle', percent: 65, mechanism: 'qemu' });
    await apply({ kind: 'throttle', percent: 0, mechanism: 'qemu' });
    const wanted = (level: number) => ({
      'cpu-throttle-initial': level,
      'cpu-throttle-increment': 99,
      'max-cpu-throttle': level,
      'throttle-trigger-threshold': 1,
    });
    assert.deepEqual(sent('migrate-set-parameters'), [wanted(65), wanted(1)]);
  });

  it('keeps only one mechanism above the floor', async () => {
    await apply({ kind: 'throttle', percent: 40, mechanism: 'cgroup' });
    assert.deepEqual(levels, [40]);
    await apply({ kind: 'throttle', percent: 50, mechanism: 'qemu' });
    assert.deepEqual(levels, [40, 0]);
    await apply({ kind: 'throttle', percent: 30, mechanism: 'cgroup' });
    assert.equal(qemu.parameters['max-cpu-throttle'], 1);
    assert.deepEqual(levels, [40, 0, 30]);
  });

  it('throttles the vCPUs that there are now', async () => {
    qemu.threadIds = [process.pid, 4711];
    let told: readonly number[] | undefined;
    throttle.set = (_percent, threadIds) => (told = threadIds);
    await apply({ kind: 'throttle', percent: 40, mechanism: 'cgroup' });
    assert.deepEqual(told, [process.pid, 4711]);
  });

  it('tells with which period the quota holds the guest', async () => {
    const { applied } = await apply({ kind: 'throttle', percent: 40, mechanism: 'cgroup' });
    const period = { 'cgroup-percent': '40', 'cgroup-period-microseconds': '88000' };
    assert.deepEqual(applied, period);
  });

  it('takes QEMU to the floor although a quota cannot be released', async () => {
    await apply({ kind: 'arm', arming: { ...plainArming, autoConverge: true }, tuning: {} });
    await apply({ kind: 'throttle', percent: 40, mechanism: 'qemu' });
    throttle.release = () => assert.fail('stuck');
    await assert.rejects(floor(), /stuck/);
    assert.equal(qemu.parameters['max-cpu-throttle'], 1);
  });

  it('leaves the throttle parameters of others alone on the way to the floor', async () => {
    await floor();
    assert.deepEqual(sent('migrate-set-parameters'), []);
    await apply({ kind: 'throttle', percent: 40, mechanism: 'qemu' });
    await floor();
    assert.equal(qemu.parameters['max-cpu-throttle'], 1);
  });

  it('builds the URI itself', async () => {
    await apply({ kind: 'migrate', endpoint: { kind: 'tcp', host: '::1', port: 4444 } });
    assert.deepEqual(sent('migrate'), [{ uri: 'tcp:[::1]:4444' }]);
  });

  it('is content with a destination that already listens', async () => {
    qemu.refusals['migrate-incoming'] = 'The incoming migration has already been started';
    await apply({ kind: 'listen', endpoint: { kind: 'unix', path: '/tmp/m' } });
    qemu.refusals['migrate-incoming'] = "'-incoming' was not specified on the command line";
    const refused = apply({ kind: 'listen', endpoint: { kind: 'unix', path: '/tmp/m' } });
    await assert.rejects(refused, /not specified/);
  });

  it('does not take a port in use by others for a destination that listens', async () => {
    qemu.refusals['migrate-incoming'] = 'Failed to find an available port: Address already in use';
    const refused = apply({ kind: 'listen', endpoint: { kind: 'tcp', host: '::', port: 49_152 } });
    await assert.rejects(refused, /Address already in use/);
  });

  it('waits for a cancel to settle, with the guest released meanwhile', async () => {
    qemu.migration = { status: 'cancelling' };
    let polls = 0;
    const answer = qemu.server.answer;
    qemu.server.answer = (received) => {
      if (received.command === 'query-migrate' && ++polls === 3) {
        qemu.migration = { status: 'cancelled' };
      }
      return answer(received);
    };
    levels.push(50);
    await apply({ kind: 'cancel' });
    assert.equal(polls, 3);
    assert.equal(throttle.percent, 0);
  });

  it('says so when a cancel does not settle', async () => {
    qemu.migration = { status: 'cancelling' };
    await assert.rejects(apply({ kind: 'cancel' }), UnsettledError);
  });

  it('restores what was there, whatever was set', async () => {
    const xbzrle = { ...plainArming, family: 'xbzrle', xbzrleCacheBytes: 8 * 1024 ** 2 } as const;
    await apply({ kind: 'arm', arming: xbzrle, tuning: { maxBandwidthBytesPerSecond: 2e6 } });
    await apply({ kind: 'throttle', percent: 50, mechanism: 'cgroup' });
    await apply({ kind: 'restore' });
    assert.deepEqual(await readSettings(monitor), memory.saved);
    assert.equal(throttle.percent, 0);
    assert.equal(memory.armed, undefined);
    assert.equal(memory.hasTouchedThrottle, false);
  });

  it('gives back a legal tuning for any level', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 99 }), async (percent) => {
        await apply({ kind: 'throttle', percent, mechanism: 'qemu' });
        const { 'cpu-throttle-initial': initial, 'max-cpu-throttle': max } = qemu.parameters;
        assert.ok(Number(initial) >= 1 && Number(initial) <= Number(max));
      }),
      { numRuns: 20 },
    );
  });
});
