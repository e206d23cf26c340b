import assert from 'node:assert/strict';
import { standalonePolicy } from '../../agent/host/policy-file.ts';
import { boardAgent, setPoint, until, type AgentRig } from './agent-rig.ts';

describe('a host policy that changes under way', () => {
  let rig: AgentRig;

  beforeEach(async () => {
    rig = await boardAgent();
    await rig.startMigration();
    assert.equal((await rig.order(setPoint)).outcome, 'applied');
  });
  afterEach(() => rig.stop());

  it('lets go of a VM and takes no command any more when it says observe', async () => {
    const { qemu, adopt, order } = rig;
    await adopt({ ...standalonePolicy(), mode: 'observe' });
    assert.equal(qemu.parameters['max-cpu-throttle'], 1);
    const { outcome, reason } = await order(setPoint);
    assert.equal(outcome, 'refused');
    assert.match(reason ?? '', /^observe-only/);
  });

  it('lets go of a VM whose throttle it no longer allows, and clamps from then on', async () => {
    const { qemu, adopt, order } = rig;
    await adopt(standalonePolicy({ maxThrottlePercent: 40 }));
    assert.equal(qemu.parameters['max-cpu-throttle'], 1);
    assert.equal((await order(setPoint)).outcome, 'applied');
    assert.equal(qemu.parameters['max-cpu-throttle'], 40);
  });

  it('leaves a throttle alone that it still allows, and tells the brain anew what is possible', async () => {
    const { qemu, adopt, bodies } = rig;
    const before = bodies('attach').length;
    await adopt({ ...standalonePolicy(), probe: false });
    assert.equal(qemu.parameters['max-cpu-throttle'], setPoint.percent);
    await until('facts', () => bodies('attach')[before]);
    assert.equal(bodies('attach').at(-1)?.facts.canProbe, false);
  });

  it('counts what it answered', () => {
    assert.deepEqual(rig.answers.slice(-1), ['throttle applied']);
    assert.deepEqual(rig.status().brain, 'heard');
  });
});
