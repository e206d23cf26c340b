import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { standalonePolicy } from '../../agent/host/policy-file.ts';
import { decodeCommandResult, encodeBeacon } from '../../shared/codec.ts';
import { beaconSubject } from '../../shared/subjects.ts';
import { fakeQemu } from '../fakes/qemu.ts';
import { arm, boardAgent, migrate, setPoint, until, type AgentRig } from './agent-rig.ts';

describe('agent', () => {
  let rig: AgentRig;

  beforeEach(async () => {
    rig = await boardAgent();
  });
  afterEach(() => rig.stop());

  it('announces its VM and streams samples, activity and the host', async () => {
    const { qemu, heard, bodies, attached } = rig;
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
    assert.deepEqual(rig.vms()[0]?.ref, facts.ref);
  });

  it('arms inert, starts, sets a set-point and gives everything back', async () => {
    const { qemu, order, startMigration } = rig;
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
    const { bodies, startMigration } = rig;
    await startMigration();
    await until('active', () =>
      bodies('migration').find(({ sample }) => sample.status === 'active'),
    );
    const before = bodies('migration').length;
    await until('more samples', () => bodies('migration')[before + 4]);
    await until('event', () => bodies('event').find(({ name }) => name === 'MIGRATION'));
  });

  it('refuses what is stale, repeated or meant for another life', async () => {
    const { order } = rig;
    assert.equal((await order(arm)).outcome, 'applied');
    const repeated = await order(arm, { id: 'm1.1' });
    assert.match(repeated.reason ?? '', /^duplicate/);
    assert.match((await order(arm, { epoch: 6 })).reason ?? '', /^epoch/);
    assert.match((await order(arm, { sequence: 1 })).reason ?? '', /^sequence/);
    assert.match((await order(arm, { expiresAtAgentMilliseconds: 0 })).reason ?? '', /^expired/);
  });

  it('answers a command that makes no sense with a refusal', async () => {
    const { brainBus } = rig;
    const reply = await brainBus.request('ferryman.v1.cmd.source', Uint8Array.of(1, 2, 3), 1000);
    assert.equal(decodeCommandResult(reply).outcome, 'refused');
  });

  it('says that nobody knows when QEMU does not answer, and does not try again', async () => {
    const { qemu, bodies, order } = rig;
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
    const { qemu, bodies, order, startMigration } = rig;
    await startMigration();
    qemu.server.disconnect();
    await until('detach', () => bodies('detach')[0]);
    await until('attach again', () => bodies('attach')[1]);
    qemu.setStatus('failed');
    assert.equal((await order({ kind: 'restore' })).outcome, 'applied');
    assert.equal(qemu.parameters['max-cpu-throttle'], 99);
    assert.equal(qemu.capabilities['auto-converge'], false);
  });

  it('restores what was there before an agent that was killed', async () => {
    const { qemu, order } = rig;
    // One that only observes says no farewell: to QEMU that is the same as one that is killed.
    const policy = standalonePolicy();
    await rig.replaceAgent([qemu.server.path], policy);
    await rig.startMigration({ ...arm, arming: { ...arm.arming, postCopy: false } });
    await order(setPoint);
    Object.assign(policy, { mode: 'observe' });
    await rig.replaceAgent([qemu.server.path]);
    assert.equal(qemu.parameters['max-cpu-throttle'], 70);
    qemu.setStatus('failed');
    assert.equal((await order({ kind: 'restore' })).outcome, 'applied');
    assert.equal(qemu.parameters['max-cpu-throttle'], 99);
    assert.equal(qemu.capabilities['auto-converge'], false);
  });

  it('keeps telemetry while the bus is away and replays it with its original numbers', async () => {
    const { qemu, agentBus, heard, replayed, bodies } = rig;
    await until('samples', () => bodies('migration')[0]);
    const last = heard.at(-1)?.header.sequence ?? 0;
    agentBus.setConnected(false);
    qemu.server.sendEvent('STOP');
    await sleep(100);
    agentBus.setConnected(true);
    await until('replay', () => replayed.find(({ body }) => body.kind === 'event'));
    // What was sent just before goes again: nobody can know whether it still arrived.
    assert.ok(replayed.some(({ header }) => header.sequence === last + 1));
    assert.ok(heard.every(({ body }) => body.kind !== 'event'));
  });

  it('does not let a VM that hangs slow another', async () => {
    const { qemu, attached } = rig;
    const hanging = await fakeQemu('7.2');
    hanging.server.answer = () => 'hang';
    await rig.replaceAgent([hanging.server.path, qemu.server.path]);
    assert.equal((await attached()).monitor, qemu.server.path);
    await hanging.stop();
  });

  it('tells a brain it has not heard before of its host and its VMs', async () => {
    const { brainBus, bodies, attached } = rig;
    await attached();
    const before = bodies('attach').length;
    const hosts = bodies('host').length;
    brainBus.publish('ferryman.v1.lead.brain-2', encodeBeacon({ epoch: 9, brain: 'brain-2' }));
    await until('a second announcement', () => bodies('attach')[before]);
    assert.ok(bodies('host')[hosts]?.facts);
  });

  it('obeys no brain any more once it has heard a later one', async () => {
    const { brainBus, order, attached } = rig;
    await attached();
    assert.equal((await order(arm)).outcome, 'applied');
    brainBus.publish('ferryman.v1.lead.brain-2', encodeBeacon({ epoch: 8, brain: 'brain-2' }));
    const { outcome, reason } = await order(migrate);
    assert.equal(outcome, 'refused');
    assert.match(reason ?? '', /^epoch: .* deposed by epoch 8/);
    assert.equal((await order(migrate, { epoch: 8 })).outcome, 'applied');
  });

  it('does not heed a brain that came with agents of its own', async () => {
    const { brainBus, order, attached } = rig;
    await attached();
    const beacon = encodeBeacon({ epoch: 99, brain: 'run-1' });
    brainBus.publish(beaconSubject('run-1', true), beacon);
    assert.equal((await order(arm)).outcome, 'applied');
  });

  it('is at peace with a VM that is already gone when it is to be restored', async () => {
    const { attached, order } = rig;
    const { ref } = await attached();
    const target = { ...ref, qemuPid: ref.qemuPid + 1 };
    assert.equal((await order({ kind: 'restore' }, { target })).outcome, 'applied');
    assert.match((await order(migrate, { target })).reason ?? '', /^target/);
  });
});
