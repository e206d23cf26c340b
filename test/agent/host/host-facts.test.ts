import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { hostFacts, rarely } from '../../../agent/host/host-facts.ts';
import { hostPolicy } from '../../../agent/host/policy-file.ts';
import { occupiedPorts } from '../../../agent/host/ports.ts';
import { ownPrivileges } from '../../../agent/host/privileges.ts';
import { layoutV1 } from '../../../agent/throttle/layouts.ts';
import type { VmFacts } from '../../../shared/sample.ts';

const vm = (qemuPid: number, hasQuota: boolean): Pick<VmFacts, 'ref' | 'throttles'> => ({
  ref: { host: 'h1', agentBoot: 'b1', qemuPid, uuid: 'u' },
  throttles: hasQuota ? [{ mechanism: 'cgroup', lag: 'immediate', perVcpu: true }] : [],
});
const layout = layoutV1('/sys/fs/cgroup/cpu');

describe('agent/host/host-facts', () => {
  it('says what the host policy offers', () => {
    const policy = hostPolicy({
      mode: 'observe',
      migrationAddress: '192.0.2.7',
      migrationPorts: { first: 5000, last: 5009 },
      destinationCommand: 'start',
      libvirtUri: 'qemu+tls://h1.example.org:16514/system',
    });
    assert.deepEqual(hostFacts({ policy, layout, vms: [vm(process.pid, true)] }), {
      mode: 'observe',
      migrationAddress: '192.0.2.7',
      firstMigrationPort: 5000,
      lastMigrationPort: 5009,
      occupiedPorts: occupiedPorts(policy.migrationPorts),
      canStartDestination: true,
      lacks: [],
      libvirt: { transport: 'tls', host: 'h1.example.org', port: 16_514 },
      privileges: ownPrivileges(),
    });
  });

  it('tells which of its ports a socket has', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const policy = hostPolicy({ migrationPorts: { first: port, last: port } });
    const facts = hostFacts({ policy, layout, vms: [] });
    server.close();
    assert.deepEqual(facts.occupiedPorts, [port]);
  });

  it('has an address without being told one', () => {
    const { migrationAddress } = hostFacts({ policy: hostPolicy({}), layout, vms: [] });
    assert.match(migrationAddress, /^\d+\.\d+\.\d+\.\d+$/);
  });

  it('names each right that is missing, the process, and a remedy', () => {
    const gone = 2 ** 30;
    const { lacks } = hostFacts({ policy: hostPolicy({}), layout, vms: [vm(gone, false)] });
    assert.deepEqual(
      lacks.map(({ right }) => right),
      ['probe', 'cgroup'],
    );
    for (const { reason } of lacks) assert.match(reason, new RegExp(String(gone)));
    assert.match(lacks[0]?.reason ?? '', /CAP_SYS_PTRACE/);
  });

  it('misses the quota on a host that has none, and the probe where the policy forbids it', () => {
    const policy = hostPolicy({ probe: false });
    const { lacks } = hostFacts({ policy, layout: undefined, vms: [] });
    assert.match(lacks[0]?.reason ?? '', /probe: false/);
    assert.match(lacks[1]?.reason ?? '', /cgroupDelegation/);
  });

  it('looks only so often', () => {
    let looks = 0;
    let vms = 1;
    const look = rarely(
      () => (looks += 1),
      3,
      () => vms,
    );
    const seen = [1, 2, 3, 4, 5, 6, 7].map(look);
    assert.deepEqual(seen, [1, 1, 1, 2, 2, 2, 3]);
    vms = 2;
    assert.deepEqual([look(), look()], [4, 4]);
  });
});
