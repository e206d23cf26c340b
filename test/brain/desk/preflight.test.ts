import assert from 'node:assert/strict';
import { obstacle, preflight, type Preflight } from '../../../brain/desk/preflight.ts';
import type { HostFacts } from '../../../shared/host-facts.ts';
import type { VmFacts } from '../../../shared/sample.ts';
import type { DiskFacts } from '../../../shared/storage.ts';
import { factsOf, hostSample } from '../fixtures.ts';

const facts: HostFacts = {
  mode: 'act',
  migrationAddress: '10.0.0.2',
  firstMigrationPort: 49_152,
  lastMigrationPort: 49_215,
  occupiedPorts: [],
  canStartDestination: true,
  lacks: [],
};
const host: Preflight['host'] = {
  ...{ host: 'h2', agentBoot: 'b', silentMilliseconds: 0, lostMessages: 0, staleMessages: 0 },
  ...{ sample: hostSample, facts, vms: [] },
};
const destination = factsOf('h2', { runState: 'inmigrate' });

/** What is found out, as `severity check`. */
function found(change: Partial<Preflight> = {}): readonly string[] {
  const findings = preflight({ vm: factsOf('h1'), host, ...change });
  return findings.map(({ severity, check }) => `${severity} ${check}`);
}

function withDisk(storage: DiskFacts['storage']): VmFacts {
  return factsOf('h1', { storage: { disks: [{ device: 'vda', location: '/var/a', storage }] } });
}

describe('brain/desk/preflight', () => {
  it('has nothing to say where all is well', () => {
    assert.deepEqual(found(), []);
    assert.deepEqual(found({ destination }), []);
  });

  it('refuses a destination with too little memory, and only cautions where it waits already', () => {
    const vm = factsOf('h1', { ramBytes: 2 ** 40 });
    assert.deepEqual(found({ vm }), ['refuse memory']);
    const waiting = { ...destination, ramBytes: 2 ** 40 };
    assert.deepEqual(found({ vm, destination: waiting }), ['caution memory']);
  });

  it('refuses a local disk in plain words, unless it is said to be shared', () => {
    const message = obstacle(preflight({ vm: withDisk('local'), host }))?.message ?? '';
    assert.match(message, /vda.*\/var\/a.*only memory is migrated/);
    assert.deepEqual(found({ vm: withDisk('local'), sharedStorage: true }), []);
    assert.deepEqual(found({ vm: withDisk('shared') }), []);
    assert.deepEqual(found({ vm: withDisk('unknown') }), ['caution storage']);
  });

  it('refuses another machine type, another size, and QEMUs without a way in common', () => {
    const vm = factsOf('h1', { machineType: 'pc-i440fx-7.2' });
    const other = { ...destination, machineType: 'pc-q35-7.2', ramBytes: 1, families: [] };
    assert.deepEqual(found({ vm, destination: other }), Array(3).fill('refuse machine'));
  });

  it('cautions where the destination is an older QEMU', () => {
    const older = { ...destination, qemuVersion: '6.9.0' };
    assert.deepEqual(found({ destination: older }), ['caution machine']);
    assert.deepEqual(found({ destination: { ...destination, qemuVersion: '10.0.2' } }), []);
  });

  it('refuses a silent agent, a host that only observes, and one that has no destination', () => {
    assert.deepEqual(found({ host: { ...host, silentMilliseconds: 9_000 } }), ['refuse host']);
    assert.deepEqual(found({ host: { ...host, facts: { ...facts, mode: 'observe' } } }), [
      'refuse host',
    ]);
    const bare = { ...host, facts: { ...facts, canStartDestination: false } };
    assert.deepEqual(found({ host: bare }), ['refuse destination']);
    assert.deepEqual(found({ host: bare, destination }), []);
  });

  it('cautions where QEMU forgets what the guest writes', () => {
    const vm = factsOf('h1', { forgetsDirtyPages: true });
    assert.deepEqual(found({ vm }), ['caution vm']);
  });

  it('refuses a VM that is there already, or on its way', () => {
    assert.deepEqual(found({ vm: factsOf('h2') }), ['refuse vm']);
    assert.deepEqual(found({ vm: factsOf('h1', { migrationStatus: 'active' }) }), ['refuse vm']);
    assert.deepEqual(found({ vm: factsOf('h1', { migrationStatus: 'cancelled' }) }), []);
  });

  it('asks of a libvirt domain where the libvirt of the other host is, and of no command', () => {
    const vm = factsOf('h1', { owner: 'libvirt' });
    assert.deepEqual(found({ vm }), ['refuse destination']);
    const libvirt = { transport: 'tls', host: 'h2' } as const;
    const reached = { ...host, facts: { ...facts, canStartDestination: false, libvirt } };
    assert.deepEqual(found({ vm, host: reached }), []);
  });
});
