import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createAgent, type Agent } from '../../agent/agent.ts';
import { standalonePolicy } from '../../agent/policy-file.ts';
import { systemClock } from '../../shared/clock.ts';
import {
  decodeCommandResult,
  decodeTelemetry,
  encodeBeacon,
  encodeCommand,
} from '../../shared/codec.ts';
import type { CommandResult, Operation } from '../../shared/command.ts';
import { silentLog } from '../../shared/log.ts';
import { memoryBroker, type MemoryBus } from '../../shared/memory-bus.ts';
import type { VmFacts } from '../../shared/sample.ts';
import type { Telemetry, TelemetryBody } from '../../shared/telemetry.ts';
import { fakeQemu, type FakeQemu } from '../fakes/qemu.ts';

describe('agent', () => {
  let directory: string;
  let qemu: FakeQemu;
  let agent: Agent;
  let agentBus: MemoryBus;
  let brainBus: MemoryBus;
  let heard: Telemetry[];
  let replayed: Telemetry[];
  let sequence: number;
  /** How far the agent's monotonic clock is ahead of ours. */
  let aheadMilliseconds: number;

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'ferryman-agent-'));
    qemu = await fakeQemu('7.2');
    const broker = memoryBroker();
    agentBus = broker.connect();
    brainBus = broker.connect();
    heard = [];
    replayed = [];
    sequence = 0;
    aheadMilliseconds = 0;
    brainBus.subscribe('ferryman.v1.tel.source.>', (subject, payload) => {
      (subject.endsWith('.replay') ? replayed : heard).push(decodeTelemetry(payload));
    });
    agent = agentOf([qemu.server.path]);
    await agent.start();
  });
  afterEach(async () => {
    await agent.stop();
    await qemu.stop();
    rmSync(directory, { recursive: true });
  });

  const clock = {
    ...systemClock,
    monotonicMilliseconds: () => systemClock.monotonicMilliseconds() + aheadMilliseconds,
  };
  const agentOf = (
    sockets: readonly string[],
    policy = standalonePolicy({ postCopy: true }),
  ): Agent =>
    createAgent({
      host: 'source',
      bus: agentBus,
      clock,
      log: silentLog,
      sockets,
      policy,
      journalPath: join(directory, 'journal'),
    });

  async function until<T>(what: string, look: () => T | undefined): Promise<T> {
    const endsAt = performance.now() + 5000;
    for (;;) {
      const found = look();
      if (found !== undefined) return found;
      if (performance.now() > endsAt) assert.fail(`did not happen: ${what}`);
      await sleep(5);
    }
  }
  const bodies = <K extends TelemetryBody['kind']>(
    kind: K,
  ): Extract<TelemetryBody, { kind: K }>[] =>
    heard
      .map(({ body }) => body)
      .filter((body): body is Extract<TelemetryBody, { kind: K }> => body.kind === kind);
  const attached = (): Promise<VmFacts> => until('attach', () => bodies('attach').at(-1)?.facts);

  async function order(operation: Operation, overrides: object = {}): Promise<CommandResult> {
    const { ref } = await attached();
    sequence += 1;
    const payload = encodeCommand({
      id: `m1.${String(sequence)}`,
      epoch: 7,
      sequence,
      target: ref,
      expiresAtAgentMilliseconds: Math.floor(performance.now() + 5000),
      operation,
      ...overrides,
    });
    return decodeCommandResult(await brainBus.request('ferryman.v1.cmd.source', payload, 5000));
  }
  const arm = {
    kind: 'arm',
    arming: { family: 'plain', autoConverge: true, postCopy: true },
    tuning: {},
  } as const;
  const migrate: Operation = { kind: 'migrate', endpoint: { kind: 'unix', path: '/tmp/m.sock' } };
  const setPoint: Operation = { kind: 'throttle', percent: 70, mechanism: 'qemu' };

  async function startMigration(): Promise<void> {
    assert.equal((await order(arm)).outcome, 'applied');
    assert.equal((await order(migrate)).outcome, 'applied');
    qemu.setStatus('active');
  }

  it('announces its VM and streams samples, activity and the host', async () => {
    const facts = await attached();
    assert.equal(facts.name, 'web-1');
    assert.equal(facts.monitor, qemu.server.path);
    assert.ok(facts.families.includes('multifd-zstd'));
    await until('migration', () => bodies('migration')[0]);
    await until('host', () => bodies('host')[0]);
    qemu.server.sendEvent('RESUME');
    await until('activity', () => bodies('activity')[0]);
    const sequences = heard.map(({ header }) => header.sequence);
    assert.deepEqual(
      sequences,
      [...sequences].sort((a, b) => a - b),
    );
    assert.deepEqual(agent.vms()[0]?.ref, facts.ref);
  });

  it('arms inert, starts, sets a set-point and gives everything back', async () => {
    const before = { ...qemu.capabilities };
    await startMigration();
    assert.equal(qemu.capabilities['auto-converge'], true);
    assert.equal(qemu.capabilities['events'], true);
    assert.equal(qemu.parameters['max-cpu-throttle'], 1);
    assert.equal((await order(setPoint)).outcome, 'applied');
    assert.equal(qemu.parameters['max-cpu-throttle'], 70);
    assert.equal(qemu.parameters['cpu-throttle-initial'], 70);
    assert.equal((await order({ ...setPoint, percent: 0 })).outcome, 'applied');
    assert.equal(qemu.parameters['max-cpu-throttle'], 1);
    qemu.setStatus('failed');
    assert.equal((await order({ kind: 'restore' })).outcome, 'applied');
    assert.deepEqual(qemu.capabilities, before);
    assert.equal(qemu.parameters['max-cpu-throttle'], 99);
  });

  it('samples often while a migration runs, and at once on an event', async () => {
    await startMigration();
    await until('active', () =>
      bodies('migration').find(({ sample }) => sample.status === 'active'),
    );
    const before = bodies('migration').length;
    await until('more samples', () => bodies('migration')[before + 4]);
    await until('event', () => bodies('event').find(({ name }) => name === 'MIGRATION'));
  });

  it('refuses what is stale, repeated or meant for another life', async () => {
    assert.equal((await order(arm)).outcome, 'applied');
    const repeated = await order(arm, { id: 'm1.1' });
    assert.match(repeated.reason ?? '', /^duplicate/);
    assert.match((await order(arm, { epoch: 6 })).reason ?? '', /^epoch/);
    assert.match((await order(arm, { sequence: 1 })).reason ?? '', /^sequence/);
    assert.match((await order(arm, { expiresAtAgentMilliseconds: 0 })).reason ?? '', /^expired/);
  });

  it('answers a command that makes no sense with a refusal', async () => {
    const reply = await brainBus.request('ferryman.v1.cmd.source', Uint8Array.of(1, 2, 3), 1000);
    assert.equal(decodeCommandResult(reply).outcome, 'refused');
  });

  it('says that nobody knows when QEMU does not answer, and does not try again', async () => {
    await order(arm);
    const answer = qemu.server.answer;
    qemu.server.answer = (received) =>
      received.command === 'migrate' ? 'close' : answer(received);
    assert.equal((await order(migrate)).outcome, 'indeterminate');
    qemu.server.answer = answer;
    await until('attach again', () => bodies('attach')[1]);
    assert.equal(qemu.server.commands().filter((name) => name === 'migrate').length, 1);
  });

  it('remembers across a lost monitor what it has to restore', async () => {
    await startMigration();
    qemu.server.disconnect();
    await until('detach', () => bodies('detach')[0]);
    await until('attach again', () => bodies('attach')[1]);
    qemu.setStatus('failed');
    assert.equal((await order({ kind: 'restore' })).outcome, 'applied');
    assert.equal(qemu.parameters['max-cpu-throttle'], 99);
    assert.equal(qemu.capabilities['auto-converge'], false);
  });

  it('keeps telemetry while the bus is away and replays it with its original numbers', async () => {
    await until('samples', () => bodies('migration')[0]);
    const last = heard.at(-1)?.header.sequence ?? 0;
    agentBus.setConnected(false);
    qemu.server.sendEvent('STOP');
    await sleep(100);
    agentBus.setConnected(true);
    await until('replay', () => replayed.find(({ body }) => body.kind === 'event'));
    assert.equal(replayed[0]?.header.sequence, last + 1);
    assert.ok(heard.every(({ body }) => body.kind !== 'event'));
  });

  it('takes the throttle of a running migration to the floor when it stops', async () => {
    await startMigration();
    await order(setPoint);
    await agent.stop();
    assert.equal(qemu.parameters['max-cpu-throttle'], 1);
    assert.equal(qemu.parameters['throttle-trigger-threshold'], 1);
    assert.ok(!qemu.server.commands().includes('migrate_cancel'));
  });

  it('restores an armed VM that does not migrate when it stops', async () => {
    await order(arm);
    await agent.stop();
    assert.equal(qemu.capabilities['auto-converge'], false);
    assert.equal(qemu.parameters['max-cpu-throttle'], 99);
  });

  it('does not let a VM that hangs slow another', async () => {
    const hanging = await fakeQemu('7.2');
    hanging.server.answer = () => 'hang';
    await agent.stop();
    heard.length = 0;
    agent = agentOf([hanging.server.path, qemu.server.path]);
    await agent.start();
    assert.equal((await attached()).monitor, qemu.server.path);
    await hanging.stop();
  });

  it('lets go of a VM when the brain falls silent, and raises nothing until it is back', async () => {
    await startMigration();
    await order(setPoint);
    aheadMilliseconds = 6000;
    await until('the floor', () => qemu.parameters['max-cpu-throttle'] === 1 || undefined);
    const later = { expiresAtAgentMilliseconds: Math.floor(performance.now() + 60_000) };
    assert.match((await order(setPoint, later)).reason ?? '', /^brain-silent/);
    brainBus.publish('ferryman.v1.lead.brain', encodeBeacon({ epoch: 7, brain: 'brain' }));
    await until('an alert', () => bodies('alert').find(({ message }) => /heard/.test(message)));
    assert.equal((await order(setPoint, later)).outcome, 'applied');
    assert.ok(!qemu.server.commands().includes('migrate_cancel'));
  });

  it('cancels after a long silence where the host policy says so', async () => {
    await agent.stop();
    heard.length = 0;
    agent = agentOf([qemu.server.path], { ...standalonePolicy(), brainLost: 'cancel' });
    await agent.start();
    await order({ ...arm, arming: { ...arm.arming, postCopy: false } });
    await order(migrate);
    qemu.setStatus('active');
    aheadMilliseconds = 31_000;
    const cancelled = () => qemu.server.commands().includes('migrate_cancel') || undefined;
    await until('a cancel', cancelled);
    qemu.setStatus('cancelled');
  });

  it('tells a brain it has not heard before of its VMs', async () => {
    await attached();
    const before = bodies('attach').length;
    brainBus.publish('ferryman.v1.lead.brain-2', encodeBeacon({ epoch: 9, brain: 'brain-2' }));
    await until('a second announcement', () => bodies('attach')[before]);
  });

  it('is at peace with a VM that is already gone when it is to be restored', async () => {
    const { ref } = await attached();
    const target = { ...ref, qemuPid: ref.qemuPid + 1 };
    assert.equal((await order({ kind: 'restore' }, { target })).outcome, 'applied');
    assert.match((await order(migrate, { target })).reason ?? '', /^target/);
  });
});
