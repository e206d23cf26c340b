/**
 * The Debian packages in a Debian 13 with a real systemd: what `deploy/debian` and `deploy/systemd`
 * promise. One host goes through it all, so each test stands on the one before.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Unavailable } from '../../scripts/debian.mjs';
import { buildPackages } from '../../scripts/package.mjs';
import { projectRoot, tools } from '../../scripts/tools.mjs';
import type { HostFacts } from '../../shared/host-facts.ts';
import { buildGuest } from '../guests/guest.ts';
import { bootHost, type PackagedHost } from './packaged-host.ts';
import { createStage, mebibyte, until } from './support.ts';

const agent = 'ferryman-agent.service';
const services = [agent, 'ferryman-brain.service'];
const units = [...services, 'ferryman-destination.socket'];
const packageNames = 'ferryman-agent ferryman-brain ferryman';
/** A guest that takes some ten seconds at this pace. */
const guest = {
  ...{ workingSetBytes: 48 * mebibyte, dirtyBytesPerSecond: 0 },
  content: 'random',
} as const;
const slowly = '--max-bandwidth 5MiB/s';
const qemu =
  'qemu-system-x86_64 -machine pc,accel=tcg -m 64 -nodefaults -display none ' +
  '-kernel /srv/guest.bin -name web-1 -uuid 6c1c1f0e-3a58-4c0e-8f3a-0a3d3a2b7a11';
const monitor = (path: string) => `-qmp unix:${path},server=on,wait=off`;

const stage = createStage();
let host: PackagedHost;
let first: readonly string[];
let second: readonly string[];
let clean: readonly string[];

const hashes = (paths: readonly string[]) =>
  paths.map((path) => createHash('sha256').update(readFileSync(path)).digest('hex'));
const state = (part: string) => host.check(part)?.['state'];
const message = (part: string) => String(host.check(part)?.['message']);

/** The block of docs/installing.md in which this word is. */
function told(word: string): string {
  const page = readFileSync(join(projectRoot, 'docs/installing.md'), 'utf8');
  const blocks = [...page.matchAll(/^```\n(.*?)^```$/gms)].map(([, block = '']) => block);
  return blocks.find((block) => block.includes(word)) ?? assert.fail(`no block has ${word}`);
}

/** Another host of the fleet, on the same machine, started by hand; with a VM. */
function startFarHost(): void {
  const policy = {
    migrationAddress: '127.0.0.1',
    destinationCommand: `${qemu} -daemonize -incoming defer ${monitor('/run/far/back.qmp')}`,
  };
  const config = {
    ...{ host: 'far', nats: { url: 'nats://127.0.0.1:4222' }, qmp: { directory: '/run/far' } },
    ...{ stateDirectory: '/var/log/far', policyFile: '/etc/far/policy.yaml' },
  };
  host.write('/etc/far/policy.yaml', JSON.stringify(policy));
  host.write('/etc/far/agent.yaml', JSON.stringify(config));
  const image = join(stage.folder(), 'guest.bin');
  buildGuest(guest, image);
  host.copy(image, '/srv/guest.bin');
  host.sh(`mkdir /run/far; systemd-run --unit far -- ferryman agent --config /etc/far/agent.yaml
    systemd-run --unit web --property Type=forking -- ${qemu} -daemonize ${monitor('/run/far/web-1.qmp')}`);
}

/** As docs/installing.md tells: VMs may come here, and the brain acts. */
function openHost(): void {
  const start = `exec ${qemu} -incoming defer ${monitor('/run/ferryman/qmp/web-1.qmp')}`;
  host.write('/etc/ferryman/destination', `#!/bin/sh\n${start}\n`, 0o755);
  host.sh(`cd /etc/ferryman; sed -i 's/^#\\(destinationCommand\\)/\\1/' policy.yaml
    echo 'migrationAddress: 127.0.0.1' >>policy.yaml
    sed -i 's/^mode: .*/mode: act/' brain.yaml
    systemctl reload ferryman-agent ferryman-brain`);
}

function mayComeHere(): boolean {
  const isHere = (line: object) => 'host' in line && 'facts' in line && line.host === host.name;
  const facts = host.ferryman('list').find(isHere)?.['facts'] as HostFacts | undefined;
  return facts?.canStartDestination === true;
}

function addRight(right: string): void {
  host.sh(`cd /etc/systemd/system; mkdir -p ${agent}.d
    ln -s /usr/share/ferryman/agent-rights/${right}.conf ${agent}.d
    systemctl daemon-reload; systemctl restart ${agent}`);
}

describe('the Debian packages', () => {
  before(async function () {
    this.timeout(600_000);
    try {
      host = await bootHost();
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      console.log(`  the packages are not tried: ${error.message}`);
      this.skip();
    }
    stage.undo(() => host.end());
    host.sh(told('jetstream'));
    clean = host.inventory();
    first = await buildPackages({ target: join(stage.folder(), 'first') });
    second = await buildPackages({ target: join(stage.folder(), 'second'), version: '9.0' });
  });
  afterEach(function () {
    if (this.currentTest?.state !== 'failed') return;
    console.log(host.attempt('systemctl --no-pager --failed; journalctl -n 40 --no-pager').output);
  });
  after(() => stage.clear());

  it('are the same when they are built again, and lintian finds nothing', async () => {
    const umask = process.umask(0o077);
    try {
      const again = await buildPackages({ target: join(stage.folder(), 'again') });
      assert.deepEqual(hashes(again), hashes(first));
    } finally {
      process.umask(umask);
    }
    const words = ['--allow-root', '--fail-on', 'error,warning', ...first];
    const { status, stdout } = spawnSync(tools().lintian, words, { encoding: 'utf8' });
    assert.deepEqual({ status, stdout }, { status: 0, stdout: '' });
  });

  it('start what they install, sealed off, and doctor is content', async () => {
    host.install(first);
    const active = host.sh(`systemctl is-active ${units.join(' ')}`);
    assert.equal(active, 'active\nactive\nactive\n');
    const verify = 'systemd-analyze verify --man=no ferryman-destination@1.service';
    assert.equal(host.sh(`${verify} ${units.join(' ')}`), '');
    for (const service of services) {
      const [, exposure] =
        /exposure level for .*: ([\d.]+)/.exec(host.sh(`systemd-analyze security ${service}`)) ??
        [];
      assert.ok(Number(exposure) <= 2, `${service}: ${String(exposure)}`);
    }
    assert.match(host.sh('dpkg --listfiles ferryman'), /man1\/ferryman-migrate\.1\.gz/);
    await until('the brain hears the agent', () => state('agent') === 'ok');
    assert.match(message('profile'), /ferryman-agent, profile tune: no capability/);
    assert.equal(state('probe'), 'limited');
    await until('the brain leads', () => message('brain').includes('it leads'));
    assert.equal(host.attempt('ferryman doctor').code, 0);
  });

  it('bring a VM here, into a service of its own, and see it without any capability', async () => {
    openHost();
    startFarHost();
    await until('the VM is seen, and may come', () => host.runsAt('far') && mayComeHere());
    const moved = host.ferryman(`migrate web-1 --to ${host.name}`).at(-1);
    assert.equal(moved?.['outcome'], 'completed', JSON.stringify(moved));
    await until('it runs here', () => host.runsAt(host.name));
    host.sh('systemctl stop web');
    const [pid = ''] = host.qemus();
    assert.equal(host.sh(`stat --format %U /proc/${pid}`), 'ferryman-vm\n');
    assert.match(host.sh(`cat /proc/${pid}/cgroup`), /machine\.slice\/ferryman-destination@/);
    assert.deepEqual(host.leftovers(agent), []);
    const lack = new RegExp(`process ${pid} .*CAP_SYS_PTRACE`);
    await until('doctor has tried to look into it', () => lack.test(message('probe')));
    const asked =
      'FERRYMAN_VM=../x FERRYMAN_FAMILY=plain /usr/libexec/ferryman/ask-for-destination';
    assert.deepEqual(host.attempt(asked), { code: 1, output: 'refused: this is no UUID\n' });
  });

  it('are upgraded while the VM that came here leaves again, and neither side is harmed', async () => {
    const pids = services.map((service) => host.mainPid(service));
    host.ferryman(`migrate web-1 --to far --detach ${slowly}`);
    await until('it is under way', () =>
      host.ferryman('list').some((line) => line['phase'] === 'moving'),
    );
    const during = host.qemus();
    host.install(second);
    assert.match(host.sh('dpkg-query --show ferryman-agent'), /9\.0/);
    assert.equal(host.runsAt('far'), false, 'the upgrade was over before the migration');
    assert.deepEqual(host.qemus(), during, 'both QEMUs live on');
    const newPids = services.map((service) => host.mainPid(service));
    assert.ok(newPids.every((pid, index) => pid !== '0' && pid !== pids[index]));
    assert.match(host.sh('cat /etc/ferryman/brain.yaml'), /mode: act/);
    await until('it runs there', () => host.runsAt('far'), 60_000);
  });

  it('look into guests with one right more, and move their threads with another', async () => {
    addRight('probe');
    await until('the right is there', () => state('probe') === 'ok');
    assert.match(message('profile'), /profile tune \+ probe: CAP_/);
    addRight('quota');
    await until('it is in force', () => message('profile').includes('tune + probe + quota: CAP_'));
    // There is no cpu controller here, and so no quota; but where the agent is, groups can be made, and
    // threads moved.
    const [pid = ''] = host.qemus();
    const [, own = ''] = /^0::(.*)$/m.exec(host.sh(`cat /proc/${pid}/cgroup`)) ?? [];
    const move = `cd /sys/fs/cgroup${own}; mkdir x; echo threaded >x/cgroup.type
      echo ${pid} >x/cgroup.threads; echo ${pid} >cgroup.threads; rmdir x`;
    const withRights = (rights: string) =>
      `nsenter --mount --target ${host.mainPid(agent)} setpriv --reuid ferryman-agent --clear-groups \\
         --inh-caps ${rights} --ambient-caps ${rights} --bounding-set ${rights} sh -ec '${move}'`;
    assert.notEqual(host.attempt(withRights('-all')).code, 0);
    host.sh(withRights('-all,+dac_override'));
  });

  it('end no VM when they are removed, and leave nothing behind when they are purged', () => {
    const qemus = host.qemus();
    assert.notEqual(qemus.length, 0);
    host.sh(`dpkg --remove ${packageNames}`);
    assert.deepEqual(host.qemus(), qemus);
    const said = host.sh(`dpkg --purge ${packageNames}`);
    assert.match(said, /the user ferryman-vm is left behind/, 'a user that has a QEMU stays');
    assert.deepEqual(host.qemus(), qemus);
    host.sh("systemctl stop 'ferryman-destination@*' far; rm -r /etc/far /srv/guest.bin");
    host.install(first);
    host.sh(`dpkg --purge ${packageNames}`);
    const left = host.inventory().filter((path) => !clean.includes(path));
    assert.deepEqual(left, []);
  });
});
