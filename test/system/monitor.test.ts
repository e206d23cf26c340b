import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createActuator, type Effect } from '../../agent/commands/actuator.ts';
import type { Monitor } from '../../agent/monitor/monitor.ts';
import { openQmp } from '../../agent/monitor/qmp-socket.ts';
import {
  ConnectionLostError,
  GreetingError,
  TimeoutError,
} from '../../agent/monitor/qmp/errors.ts';
import { factsOf } from '../../agent/qemu/facts.ts';
import { hazardOf } from '../../agent/qemu/hazards.ts';
import { inspectVm, readSettings } from '../../agent/qemu/inspect.ts';
import {
  armingToQemu,
  assignmentsToCalls,
  type QemuAssignments,
  savedToQemu,
  throttleSetPoint,
} from '../../agent/qemu/options.ts';
import { endpointToUri } from '../../agent/qemu/uri.ts';
import { isExecutable, type QemuVersion, tools } from '../../scripts/tools.mjs';
import { waitUntil } from '../rig/qemu.ts';

const uuid = '5f0c3b1e-0000-4000-8000-00000000f00d';
const ramBytes = 64 * 1024 * 1024;

const familiesOf = {
  '7.2': ['plain', 'xbzrle', 'multifd', 'multifd-zlib', 'multifd-zstd', 'compress'],
  '10.0': ['plain', 'xbzrle', 'multifd', 'multifd-zlib', 'multifd-zstd'],
};

for (const version of ['7.2', '10.0'] as const) {
  describe(`the monitor of QEMU ${version}`, () => {
    let folder: string;
    let processes: ChildProcess[];
    let monitors: Monitor[];

    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), 'ferryman-monitor-'));
      processes = [];
      monitors = [];
    });

    afterEach(async () => {
      for (const monitor of monitors) monitor.close();
      for (const child of processes) child.kill('SIGKILL');
      await waitUntil('QEMU ends', () => processes.every(hasEnded));
      await rm(folder, { recursive: true });
    });

    /** Starts a QEMU without a disk whose guest does not run, and opens its monitor. */
    async function start(name: string, ...extra: string[]): Promise<[Monitor, ChildProcess]> {
      const path = join(folder, `${name}.qmp`);
      const child = startQemu(version, path, extra);
      processes.push(child);
      const monitor = await openWhenUp(path);
      monitors.push(monitor);
      return [monitor, child];
    }

    async function apply(monitor: Monitor, assignments: QemuAssignments): Promise<void> {
      for (const call of assignmentsToCalls(assignments)) {
        await monitor.execute(call.command, call.arguments);
      }
    }

    it('tells who the VM is, on a source and on a waiting destination', async () => {
      const [source, child] = await start('source', '-smp', '2');
      const [destination] = await start('destination', '-incoming', 'defer');
      const seen = await inspectVm(source);
      assert.equal(`${String(seen.version.major)}.${String(seen.version.minor)}`, version);
      assert.equal(seen.qemuPid, child.pid);
      assert.deepEqual([seen.uuid, seen.name, seen.ramBytes], [uuid, 'guest', ramBytes]);
      assert.equal(seen.vcpuThreadIds.length, 2);
      assert.deepEqual([seen.runState, seen.migrationStatus], ['prelaunch', 'none']);
      assert.equal((await inspectVm(destination)).runState, 'inmigrate');
      assert.deepEqual(factsOf(seen).families, familiesOf[version]);
    });

    it('accepts the arming of every family it announces, and is put back exactly', async () => {
      for (const [monitor] of [await start('source'), await start('to', '-incoming', 'defer')]) {
        const inspection = await inspectVm(monitor);
        const { families, postCopyFamilies } = factsOf(inspection);
        for (const family of families) {
          const arming = {
            family,
            autoConverge: true,
            postCopy: postCopyFamilies.includes(family),
            xbzrleCacheBytes: ramBytes,
            multifdChannels: 4,
            // 7.2 accepts levels of multifd without storing them (parameters.ts).
            ...(version === '7.2' && family !== 'compress' ? {} : { compressionLevel: 3 }),
            compressThreads: 2,
          };
          const tuning = { downtimeLimitMilliseconds: 250, autoConverge: throttleSetPoint(60) };
          const wanted = armingToQemu(arming, tuning, inspection.settings);
          for (const call of assignmentsToCalls(wanted)) {
            assert.equal(hazardOf(call, { ...inspection, postCopyRequested: false }), undefined);
          }
          await apply(monitor, wanted);
          const { capabilities, parameters } = await readSettings(monitor);
          assert.deepEqual({ ...capabilities, ...wanted.capabilities }, capabilities);
          assert.deepEqual({ ...parameters, ...wanted.parameters }, parameters);
          await apply(monitor, savedToQemu(inspection.settings));
          assert.deepEqual(await readSettings(monitor), inspection.settings);
        }
      }
    });

    it('reports a migration as it goes by', async () => {
      const [source] = await start('source');
      const [destination] = await start('destination', '-incoming', 'defer');
      const uri = endpointToUri({ kind: 'unix', path: join(folder, 'stream') });
      const arming = { family: 'plain', autoConverge: true, postCopy: false } as const;
      for (const monitor of [source, destination]) {
        await apply(monitor, armingToQemu(arming, {}, await readSettings(monitor)));
      }
      const statuses: unknown[] = [];
      source.onEvent(({ name, data }) => {
        if (name === 'MIGRATION') statuses.push(data['status']);
      });
      await destination.execute('migrate-incoming', { uri });
      await source.execute('migrate', { uri });
      await waitUntil('the migration completes', () => statuses.includes('completed'));
      assert.deepEqual(statuses.slice(0, 2), ['setup', 'active']);
      assert.equal((await inspectVm(source)).migrationStatus, 'completed');
    });

    it('tells where it listens, and refuses in the words that the actuator knows', async () => {
      const { port: taken, end } = await outgoingConnection();
      const [waiting] = await start('waiting', '-incoming', 'defer');
      const refused = listen(waiting, taken);
      await assert.rejects(refused, /Address already in use/).finally(end);

      const [listening] = await start('listening', '-incoming', 'tcp:127.0.0.1:0');
      const { listeningPort } = await inspectVm(listening);
      assert.ok(listeningPort !== undefined && listeningPort > 0);
      const answer = await listen(listening, listeningPort);
      assert.match(answer.reason ?? '', /it was started listening/);
    });

    it('answers out of band, in its own words', async () => {
      const [monitor] = await start('source');
      await assert.rejects(monitor.execute('migrate-pause'), /only supported during postcopy/);
    });

    it('serves one client: a second one learns why it gets no greeting', async () => {
      const [monitor] = await start('source');
      const second = openQmp(monitor.address, { greetingTimeoutMilliseconds: 200 });
      await assert.rejects(second, GreetingError);
    });

    it('survives a QEMU that stands still for a while', async () => {
      const [monitor, child] = await start('source');
      child.kill('SIGSTOP');
      await assert.rejects(monitor.execute('query-status', undefined, 100), TimeoutError);
      child.kill('SIGCONT');
      assert.deepEqual(await monitor.execute('query-name'), { name: 'guest' });
    });

    it('says that QEMU is gone when it is', async () => {
      const [monitor, child] = await start('source');
      const closed = new Promise<Error>((resolve) => {
        monitor.onClose(resolve);
      });
      child.kill('SIGKILL');
      assert.match((await closed).message, /QEMU closed the connection|connection lost/);
    });
  });
}

function startQemu(version: QemuVersion, qmpPath: string, extra: readonly string[]): ChildProcess {
  const { binary, args } = tools().qemu[version];
  assert(isExecutable(binary), `no QEMU ${version}; run: node scripts/ensure.mjs --for=test`);
  const machine = ['-S', '-nodefaults', '-display', 'none', '-m', '64', '-accel', 'tcg'];
  const identity = ['-name', 'guest', '-uuid', uuid];
  const monitor = ['-qmp', `unix:${qmpPath},server=on,wait=off`];
  return spawn(binary, [...args, ...machine, ...identity, ...monitor, ...extra], {
    stdio: 'ignore',
  });
}

/** Between the file's appearing and QEMU's listening, a connection is refused. */
async function openWhenUp(path: string): Promise<Monitor> {
  for (;;) {
    try {
      return await openQmp(path);
    } catch (error) {
      if (!(error instanceof ConnectionLostError)) throw error;
      await sleep(10);
    }
  }
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

/** As an agent has a destination listen. */
async function listen(monitor: Monitor, port: number): Promise<Effect> {
  const actuator = createActuator({
    ...{ monitor, memory: { saved: await readSettings(monitor), hasTouchedThrottle: false } },
    probe: () => assert.fail('not asked for'),
    sleep: (milliseconds) => sleep(milliseconds),
  });
  return actuator.apply({ kind: 'listen', endpoint: { kind: 'tcp', host: '127.0.0.1', port } });
}

/** The port on which this end of a connection to somewhere else sits. */
async function outgoingConnection(): Promise<{ readonly port: number; end(): void }> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  await once(client, 'connect');
  const end = () => {
    client.destroy();
    server.close();
  };
  return { port: client.localPort ?? assert.fail(), end };
}
