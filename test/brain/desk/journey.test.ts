import assert from 'node:assert/strict';
import type { HostView } from '../../../brain/fleet.ts';
import type { Migration } from '../../../brain/core/migration.ts';
import { endpointFor, hostNamed, journeyOf, runningVm } from '../../../brain/desk/journey.ts';
import type { HostFacts } from '../../../shared/host-facts.ts';
import type { VmFacts } from '../../../shared/sample.ts';
import { factsOf, order, startStub, uuid } from '../fixtures.ts';

const hostFacts: HostFacts = {
  ...{ mode: 'act', migrationAddress: '10.0.0.2', canStartDestination: true, lacks: [] },
  ...{ firstMigrationPort: 5000, lastMigrationPort: 5001, occupiedPorts: [] },
};
const view = (host: string, ...vms: VmFacts[]): HostView => ({
  ...{
    host,
    agentBoot: 'b',
    silentMilliseconds: 0,
    lostMessages: 0,
    staleMessages: 0,
    facts: hostFacts,
    vms,
  },
});

describe('brain/desk/journey', () => {
  it('finds where a VM runs by name, UUID or monitor, not where it waits or has left', () => {
    const gone = factsOf('h3', { runState: 'postmigrate' });
    const hosts = [view('h2', factsOf('h2', { runState: 'inmigrate' })), view('h1', factsOf('h1'))];
    for (const name of ['guest', uuid, '/run/h1.sock']) {
      assert.equal(runningVm([...hosts, view('h3', gone)], name).ref.host, 'h1');
    }
  });

  it('knows a VM in two QEMUs, as at the switchover, for one', () => {
    const leaving = factsOf('h1', { runState: 'finish-migrate' });
    const hosts = [view('h1', leaving), view('h2', factsOf('h2'))];
    assert.equal(runningVm(hosts, 'guest').ref.host, 'h2');
  });

  it('asks which one where several have the name, and names what there is for an unknown one', () => {
    const other = factsOf('h2', { ref: { ...factsOf('h2').ref, uuid: 'another' } });
    const hosts = [view('h1', factsOf('h1')), view('h2', other)];
    assert.throws(() => runningVm(hosts, 'guest'), { code: 'AMBIGUOUS_VM' });
    assert.equal(runningVm(hosts, 'guest', 'h2').ref.uuid, 'another');
    assert.throws(() => runningVm(hosts, 'ghost'), { code: 'UNKNOWN_VM', message: /guest/ });
    assert.throws(() => hostNamed(hosts, 'h9'), { code: 'UNKNOWN_HOST', message: /h1, h2/ });
  });

  it('takes for the destination only a QEMU that waits for this very VM', () => {
    const stranger = factsOf('h2', {
      ref: { ...factsOf('h2').ref, uuid: 'another' },
      runState: 'inmigrate',
    });
    const hosts = [view('h1', factsOf('h1')), view('h2', stranger)];
    assert.equal(journeyOf(hosts, { vm: 'guest', to: 'h2' }).destination, undefined);
  });

  it('gives out no port that a migration there still uses', () => {
    const { endpoint, objective } = order;
    const busy = (port: number) => ({
      ...startStub({ id: 'm', policy: 'stub', atMilliseconds: 0 }),
      destination: factsOf('h2'),
      order: {
        verb: 'migrate' as const,
        objective,
        endpoint: { ...endpoint, port, kind: 'tcp' as const, host: 'x' },
      },
    });
    const portOf = (host: HostView, last: number | undefined, ...migrations: Migration[]) =>
      endpointFor(host, factsOf('h2'), migrations, last).port;
    const host = view('h2');
    assert.equal(portOf(host, undefined), 5000);
    assert.equal(portOf(host, 5000), 5001);
    assert.equal(portOf(host, undefined, busy(5000)), 5001);
    assert.equal(portOf(host, 5001, { ...busy(5000), phase: 'settled' }), 5000);
    assert.throws(() => portOf(host, undefined, busy(5000), busy(5001)), {
      code: 'NO_DESTINATION',
    });
  });

  it('gives out a port of the range whatever the range was before', () => {
    for (const last of [4000, 9000]) {
      assert.equal(endpointFor(view('h2'), factsOf('h2'), [], last).port, 5000);
    }
  });

  it('gives out ports that other sockets of the host have only when no other is left', () => {
    const having = (...occupiedPorts: readonly number[]) => {
      const host = { ...view('h2'), facts: { ...hostFacts, occupiedPorts } };
      return endpointFor(host, factsOf('h2'), [], undefined).port;
    };
    assert.equal(having(5000), 5001);
    assert.equal(having(5001), 5000);
    assert.equal(having(5000, 5001), 5000);
  });

  it('sends to where the destination listens by itself, whoever has that port', () => {
    const host = { ...view('h2'), facts: { ...hostFacts, occupiedPorts: [5001] } };
    const destination = factsOf('h2', { listeningPort: 5001 });
    assert.equal(endpointFor(host, destination, [], undefined).port, 5001);
  });
});
