import assert from 'node:assert/strict';
import { boardAgent, until, type AgentRig } from '../agent-rig.ts';

const restore = { kind: 'restore' } as const;

describe('a migration that ferryman did not start', () => {
  let rig: AgentRig;

  beforeEach(async () => {
    rig = await boardAgent();
    await rig.attached();
  });
  afterEach(() => rig.stop());

  /** As somebody else would: settings first. */
  function start(): void {
    Object.assign(rig.qemu.capabilities, { 'auto-converge': true, xbzrle: true });
    rig.qemu.parameters['max-bandwidth'] = 77 * 2 ** 20;
    rig.qemu.setStatus('active');
  }
  const announced = () =>
    until('announced', () => rig.bodies('attach').at(-1)?.facts.foreignArming);

  it('is announced with what it was started with, before its first sample', async () => {
    start();
    assert.deepEqual(await announced(), { family: 'xbzrle', autoConverge: true, postCopy: false });
    const kinds = rig.heard.map(({ body }) =>
      body.kind === 'attach' && body.facts.foreignArming
        ? 'announced'
        : body.kind === 'migration' && body.sample.status === 'active'
          ? 'sample'
          : '',
    );
    assert.equal(
      kinds.find((kind) => kind !== ''),
      'announced',
    );
  });

  it('is not ours to restore but for what can be tuned, to what it was started with', async () => {
    start();
    await announced();
    const tuning = { maxBandwidthBytesPerSecond: 2 ** 30, downtimeLimitMilliseconds: 900 };
    assert.equal((await rig.order({ kind: 'tune', tuning })).outcome, 'applied');
    assert.equal(rig.qemu.parameters['downtime-limit'], 900);
    rig.qemu.setStatus('cancelled');
    assert.equal((await rig.order(restore)).outcome, 'applied');
    const { parameters, capabilities } = rig.qemu;
    assert.equal(parameters['downtime-limit'], 300);
    assert.equal(parameters['max-bandwidth'], 77 * 2 ** 20);
    assert.equal(capabilities['xbzrle'], true);
  });

  it('is over for those who are told of the VM afterwards', async () => {
    start();
    await announced();
    rig.qemu.setStatus('failed');
    await until('over', () => (rig.vms()[0]?.migrationStatus === 'failed' ? true : undefined));
    assert.equal(rig.vms()[0]?.foreignArming, undefined);
  });

  it('is never called back when the agent lets go', async () => {
    start();
    await announced();
    await rig.stopAgent();
    const sent = rig.qemu.server.commands();
    assert.ok(!sent.includes('migrate_cancel') && !sent.includes('migrate-set-capabilities'));
  });

  it('is not what ferryman started itself', async () => {
    await rig.startMigration();
    await until('sample', () =>
      rig.bodies('migration').find(({ sample }) => sample.status === 'active'),
    );
    assert.ok(rig.bodies('attach').every(({ facts }) => facts.foreignArming === undefined));
  });
});
