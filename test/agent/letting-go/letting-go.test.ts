import assert from 'node:assert/strict';
import { standalonePolicy } from '../../../agent/host/policy-file.ts';
import { encodeBeacon } from '../../../shared/codec.ts';
import { arm, boardAgent, setPoint, until, type AgentRig } from '../agent-rig.ts';

describe('letting go', () => {
  let rig: AgentRig;

  beforeEach(async () => {
    rig = await boardAgent();
  });
  afterEach(() => rig.stop());

  it('takes the throttle of a running migration to the floor when it stops', async () => {
    const { qemu, order, startMigration } = rig;
    await startMigration();
    await order(setPoint);
    await rig.stopAgent();
    assert.equal(qemu.parameters['max-cpu-throttle'], 1);
    assert.equal(qemu.parameters['throttle-trigger-threshold'], 1);
    assert.ok(!qemu.server.commands().includes('migrate_cancel'));
  });

  it('restores an armed VM that does not migrate when it stops', async () => {
    const { qemu, order } = rig;
    await order(arm);
    await rig.stopAgent();
    assert.equal(qemu.capabilities['auto-converge'], false);
    assert.equal(qemu.parameters['max-cpu-throttle'], 99);
  });

  it('lets go of a VM when the brain falls silent, and raises nothing until it is back', async () => {
    const { qemu, brainBus, ahead, bodies, order, startMigration } = rig;
    await startMigration();
    await order(setPoint);
    ahead.milliseconds = 6000;
    await until('the floor', () => qemu.parameters['max-cpu-throttle'] === 1 || undefined);
    const later = { expiresAtAgentMilliseconds: Math.floor(performance.now() + 60_000) };
    assert.match((await order(setPoint, later)).reason ?? '', /^brain-silent/);
    brainBus.publish('ferryman.v1.lead.brain', encodeBeacon({ epoch: 7, brain: 'brain' }));
    await until('an alert', () => bodies('alert').find(({ message }) => message.includes('heard')));
    assert.equal((await order(setPoint, later)).outcome, 'applied');
    assert.ok(!qemu.server.commands().includes('migrate_cancel'));
  });

  it('cancels after a long silence where the host policy says so', async () => {
    const { qemu, ahead } = rig;
    await rig.replaceAgent([qemu.server.path], { ...standalonePolicy(), brainLost: 'cancel' });
    await rig.startMigration({ ...arm, arming: { ...arm.arming, postCopy: false } });
    ahead.milliseconds = 31_000;
    const cancelled = () => qemu.server.commands().includes('migrate_cancel') || undefined;
    await until('a cancel', cancelled);
    qemu.setStatus('cancelled');
  });
});
