import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { discoverDomains } from '../../../agent/libvirt/domains.ts';
import type { Monitor, MonitorEvent } from '../../../agent/monitor/monitor.ts';
import { until } from '../agent-rig.ts';
import { boardVirsh, type VirshRig } from '../monitor/virsh-rig.ts';

const uuid = 'e6c6eecf-5106-41cd-90ca-b93321d42d13';
const other = 'e6c6eecf-5106-41cd-90ca-b93321d42d14';

describe('a domain of libvirt', () => {
  let rig: VirshRig;

  beforeEach(() => {
    rig = boardVirsh();
  });
  afterEach(() => {
    rig.stop();
  });

  it('is found with its events, and only told of while it is on its way in', async () => {
    const told: string[] = [];
    const events: MonitorEvent[] = [];
    const attached: Monitor[] = [];
    rig.answers(
      ['list', `${uuid} w1\n${other} w2`],
      [`domstate '${uuid}'`, 'running (booted)'],
      [`domstate '${other}'`, 'paused (migrating)'],
    );
    rig.says('event MIGRATION at 1795419527.2 for domain \'w1\': {"status":"setup"}');
    const found = discoverDomains({
      libvirt: rig.libvirt,
      onAttach: (monitor) => {
        attached.push(monitor);
        monitor.onEvent((event) => events.push(event));
      },
      onDetach: (address) => {
        const index = attached.findIndex((monitor) => monitor.address === address);
        attached.splice(index, 1);
      },
      onTrouble: (_uri, reason) => {
        assert.fail(reason.message);
      },
      onArrival: ({ name, address }) => told.push(`${name} comes ${address}`),
      onArrivalEnd: ({ name }) => told.push(`${name} does not come`),
      rescanMilliseconds: 20,
    });
    try {
      await until('attached', () => attached[0]);
      await sleep(60);
      assert.deepEqual(
        attached.map(({ address }) => address),
        [`libvirt:${uuid}`],
      );
      rig.answers(['list', `${other} w2`], ['domstate', 'running (migrated)']);
      await until('the other', () => (attached[0]?.address.endsWith(other) ? true : undefined));
      rig.answers(['list', `${other} w2\n${uuid} w1`], ['domstate', 'paused (starting up)']);
      await until('it comes', () => told[1]);
      rig.answers(['list', `${other} w2`]);
      await until('it does not', () => told[2]);
    } finally {
      found.stop();
    }
    assert.ok(events.every(({ name }) => name === 'MIGRATION'));
    const comes = [`w2 comes libvirt:${other}`, `w1 comes libvirt:${uuid}`];
    assert.deepEqual(told, [...comes, 'w1 does not come']);
  });
});
