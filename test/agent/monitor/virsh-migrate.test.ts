import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { ExecuteError } from '../../../agent/monitor/qmp/errors.ts';
import { migrateWords } from '../../../agent/monitor/virsh/migrate-words.ts';
import { VirshMonitor } from '../../../agent/monitor/virsh/monitor.ts';
import { openVirsh } from '../../../agent/monitor/virsh/session.ts';
import { until } from '../agent-rig.ts';
import { boardVirsh, type VirshRig } from './virsh-rig.ts';

const uuid = 'e6c6eecf-5106-41cd-90ca-b93321d42d13';
const uri = 'qemu+tls://h2/system';

function flags(capabilities: readonly string[], parameters: object = {}): string {
  const armed = Object.fromEntries(capabilities.map((name) => [name, true]));
  const settings = { capabilities: armed, parameters: { ...parameters } };
  const words = migrateWords(uuid, uri, settings).join(' ');
  assert.match(words, /^migrate --live --p2p /);
  assert.ok(words.endsWith(` ${uuid} ${uri}`), words);
  return words.slice('migrate --live --p2p '.length, -uuid.length - uri.length - 1).trim();
}

describe('virsh migrate', () => {
  it('is told of what was armed, and of nothing else', () => {
    assert.equal(flags([]), '');
    assert.equal(flags(['events', 'return-path']), '');
    assert.equal(flags(['postcopy-ram']), '--postcopy');
    assert.equal(flags(['xbzrle']), '--compressed --comp-methods xbzrle');
  });

  it('is told of parameters that it would set otherwise', () => {
    const throttle = { 'cpu-throttle-initial': 1, 'cpu-throttle-increment': 99 };
    assert.equal(
      flags(['auto-converge'], { ...throttle, 'max-cpu-throttle': 1 }),
      '--auto-converge --auto-converge-initial 1 --auto-converge-increment 99',
    );
    assert.equal(flags([], throttle), '');
    assert.equal(
      flags(['xbzrle'], { 'xbzrle-cache-size': 2 ** 26 }),
      `--compressed --comp-methods xbzrle --comp-xbzrle-cache ${2 ** 26}`,
    );
    assert.equal(
      flags(['compress'], { 'compress-level': 1, 'compress-threads': 2 }),
      '--compressed --comp-methods mt --comp-mt-level 1 --comp-mt-threads 2',
    );
    assert.equal(
      flags(['multifd'], { 'multifd-channels': 2, 'multifd-compression': 'none' }),
      '--parallel --parallel-connections 2',
    );
  });

  it('is told of a cap on the bandwidth in whole MiB/s, never more than was asked for', () => {
    assert.equal(flags([], { 'max-bandwidth': 30.9 * 2 ** 20 }), '--bandwidth 30');
    assert.equal(flags([], { 'max-bandwidth': 1 }), '--bandwidth 1');
    assert.equal(flags([], { 'max-bandwidth': Number.MAX_SAFE_INTEGER }), '');
  });
});

describe('a migration that libvirt is told to make', () => {
  let rig: VirshRig;
  let session: ReturnType<typeof openVirsh>;
  let monitor: VirshMonitor;

  const arm = (capability: string) =>
    monitor.execute('migrate-set-capabilities', { capabilities: [{ capability, state: true }] });
  const start = () => monitor.execute('migrate', { uri });
  const begun = () => until('virsh migrate', () => existsSync(rig.at('migrate')) || undefined);

  beforeEach(() => {
    rig = boardVirsh();
    rig.answers(['qemu-monitor-command', '{"return":{}}']);
    session = openVirsh(rig.libvirt);
    monitor = new VirshMonitor(session, uuid);
  });
  afterEach(() => {
    monitor.close();
    session.close();
    rig.stop();
  });

  it('has begun when QEMU says so', async () => {
    await arm('xbzrle');
    await monitor.execute('migrate-set-parameters', { 'xbzrle-cache-size': 2 ** 24 });
    const started = start();
    await begun();
    monitor.tell('MIGRATION', { status: 'setup' });
    await started;
    const words = readFileSync(rig.at('migrate'), 'utf8');
    assert.match(words, new RegExp(`--comp-xbzrle-cache ${2 ** 24} ${uuid} qemu`));
  });

  it('is refused in the words of libvirt', async () => {
    await arm('events');
    rig.endsMigrate('Unsafe migration: no');
    await assert.rejects(start(), (error: unknown) => {
      assert.ok(error instanceof ExecuteError);
      assert.equal(error.description, 'Unsafe migration: no');
      return true;
    });
  });

  it('is over before QEMU could say anything', async () => {
    await arm('events');
    rig.endsMigrate();
    await start();
  });

  it('is not begun with settings of which nobody knows', async () => {
    await assert.rejects(start(), ExecuteError);
    assert.ok(!existsSync(rig.at('migrate')));
  });

  it('has to be over for libvirt too before the next one is armed', async () => {
    await arm('events');
    const started = start();
    await begun();
    monitor.tell('MIGRATION', { status: 'active' });
    await started;
    let isArmed = false;
    const armed = arm('xbzrle').then(() => (isArmed = true));
    await sleep(30);
    assert.equal(isArmed, false);
    rig.endsMigrate('operation aborted');
    await armed;
  });
});
