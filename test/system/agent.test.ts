import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createAgent, type Agent } from '../../agent/agent.ts';
import { standalonePolicy } from '../../agent/host/policy-file.ts';
import { systemClock } from '../../shared/clock.ts';
import { decodeCommandResult, decodeTelemetry, encodeCommand } from '../../shared/codec.ts';
import type { Arming, CommandResult, Operation, Tuning } from '../../shared/command.ts';
import { silentLog } from '../../shared/log.ts';
import { memoryBroker, type MemoryBus } from '../../shared/memory-bus.ts';
import type { MigrationSample, VmFacts } from '../../shared/sample.ts';
import { startPair, type Pair } from '../rig/pair.ts';

const mebibyte = 2 ** 20;
const guest = {
  workingSetBytes: 32 * mebibyte,
  dirtyBytesPerSecond: 64 * mebibyte,
  content: 'random',
} as const;
const plain: Arming = { family: 'plain', autoConverge: true, postCopy: false };
const slow: Tuning = { maxBandwidthBytesPerSecond: 8 * mebibyte, downtimeLimitMilliseconds: 20 };
const fast: Tuning = { maxBandwidthBytesPerSecond: 2 ** 31, downtimeLimitMilliseconds: 1000 };

for (const version of ['7.2', '10.0'] as const) {
  describe(`two agents and a guest on QEMU ${version}`, () => {
    let directory: string;
    let pair: Pair;
    let bus: MemoryBus;
    let agents: Agent[];
    let facts: Map<string, VmFacts>;
    let samples: Map<string, MigrationSample>;
    let sequence: number;

    beforeEach(async () => {
      directory = mkdtempSync(join(tmpdir(), 'ferryman-agents-'));
      pair = await startPair({ qemu: version, guest });
      const broker = memoryBroker();
      bus = broker.connect();
      facts = new Map();
      samples = new Map();
      sequence = 0;
      bus.subscribe('ferryman.v1.tel.>', (_subject, payload) => {
        const { header, body } = decodeTelemetry(payload);
        if (body.kind === 'attach') facts.set(header.host, body.facts);
        if (body.kind === 'migration') samples.set(header.host, body.sample);
      });
      const { sourceQmp, destinationQmp, destinationCommand } = pair;
      const policy = standalonePolicy({ destinationCommand });
      agents = [
        ['source', sourceQmp],
        ['destination', destinationQmp],
      ].map(([host = '', socket = '']) =>
        createAgent({
          host,
          bus: broker.connect(),
          clock: systemClock,
          log: silentLog,
          sockets: [socket],
          policy,
          journalPath: join(directory, host),
          logDirectory: directory,
        }),
      );
      for (const agent of agents) await agent.start();
      await until('both are attached', () => facts.size === 2);
    });
    afterEach(async () => {
      for (const agent of agents) await agent.stop();
      await pair.stop();
      rmSync(directory, { recursive: true });
    });

    async function order(host: string, operation: Operation): Promise<CommandResult> {
      const { ref } = facts.get(host) ?? assert.fail(`${host} is not attached`);
      sequence += 1;
      const payload = encodeCommand({
        id: `m.${String(sequence)}`,
        epoch: 1,
        sequence,
        target: ref,
        expiresAtAgentMilliseconds: Math.floor(performance.now() + 3000),
        operation,
      });
      const reply = await bus.request(`ferryman.v1.cmd.${host}`, payload, 30_000);
      return decodeCommandResult(reply);
    }
    async function apply(host: string, operation: Operation): Promise<CommandResult> {
      const result = await order(host, operation);
      assert.equal(result.outcome, 'applied', `${operation.kind}: ${String(result.reason)}`);
      return result;
    }
    async function startMigration(arming: Arming, tuning: Tuning): Promise<void> {
      const [, host = '', port = ''] = pair.uri.split(':');
      const endpoint = { kind: 'tcp', host, port: Number(port) } as const;
      await apply('destination', { kind: 'arm', arming, tuning });
      await apply('destination', { kind: 'listen', endpoint });
      await apply('source', { kind: 'arm', arming, tuning });
      await apply('source', { kind: 'migrate', endpoint });
    }
    const status = (): string | undefined => samples.get('source')?.status;
    const groupOfVcpu = (): string =>
      readFileSync(`/proc/${String(pair.sourcePid())}/task/${String(vcpuThread())}/cgroup`, 'utf8');
    const vcpuThread = (): number => Number(vcpuThreadOf(pair.sourcePid() ?? NaN));

    it('cancels, restores, starts a fresh destination and completes with another family', async () => {
      await startMigration(plain, slow);
      await until('the migration is active', () => status() === 'active');
      await apply('source', { kind: 'throttle', percent: 60, mechanism: 'qemu' });
      assert.match((await order('source', { kind: 'restore' })).reason ?? '', /^precondition/);
      await apply('source', { kind: 'cancel' });
      await apply('source', { kind: 'restore' });
      const old = facts.get('destination') ?? assert.fail();
      const started = await apply('destination', { kind: 'start-destination', family: 'xbzrle' });
      assert.notEqual(started.facts?.ref.qemuPid, old.ref.qemuPid);
      await until('the new destination is announced', () => facts.get('destination') !== old);
      await startMigration({ ...plain, family: 'xbzrle', xbzrleCacheBytes: 16 * mebibyte }, fast);
      await until('the migration completes', () => status() === 'completed');
      await until('the guest runs there', () => facts.get('destination')?.runState === 'running');
      await apply('source', { kind: 'restore' });
      await apply('destination', { kind: 'restore' });
    });

    it('squeezes the vCPU by a quota at once, and lets go when the migration ends', async function () {
      const isOffered = facts.get('source')?.throttles.some((one) => one.mechanism === 'cgroup');
      if (isOffered !== true) {
        console.warn('      no CPU quota can be set here: not run');
        this.skip();
      }
      await startMigration(plain, slow);
      await until('the migration is active', () => status() === 'active');
      const home = groupOfVcpu();
      await apply('source', { kind: 'throttle', percent: 70, mechanism: 'cgroup' });
      assert.match(groupOfVcpu(), /\/ferryman-\d+-\d+/);
      await until('samples tell', () => samples.get('source')?.throttlePercent === 70);
      await apply('source', { kind: 'tune', tuning: fast });
      await until('the migration completes', () => status() === 'completed');
      await until('the vCPU is released', () => groupOfVcpu() === home);
    });
  });
}

/** The thread that is in a group of ours, else any: all of them share one home. */
function vcpuThreadOf(pid: number): string {
  const threads = readdirSync(`/proc/${String(pid)}/task`);
  const isOurs = (thread: string): boolean =>
    readFileSync(`/proc/${String(pid)}/task/${thread}/cgroup`, 'utf8').includes('/ferryman-');
  return threads.find(isOurs) ?? String(pid);
}

async function until(what: string, isTrue: () => boolean): Promise<void> {
  const endsAt = performance.now() + 30_000;
  while (!isTrue()) {
    if (performance.now() > endsAt) assert.fail(`did not happen: ${what}`);
    await sleep(10);
  }
}
