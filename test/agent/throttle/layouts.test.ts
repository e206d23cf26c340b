import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { homeOf, makeGroup, sweep } from '../../../agent/throttle/groups.ts';
import { detectLayout, layoutV1, layoutV2 } from '../../../agent/throttle/layouts.ts';

describe('cgroup layouts', () => {
  let mount: string;

  beforeEach(() => {
    mount = mkdtempSync(join(tmpdir(), 'ferryman-cgroup-'));
  });
  afterEach(() => {
    rmSync(mount, { recursive: true });
  });

  const group = (path: string, files: Readonly<Record<string, string>>): string => {
    const directory = join(mount, path);
    mkdirSync(directory, { recursive: true });
    for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
    return directory;
  };
  const v2Files = { 'cgroup.controllers': 'cpu memory\n', 'cgroup.threads': '' };

  it('finds the v1 group in the line of the cpu controller, whatever it is mounted with', () => {
    const layout = layoutV1('/cgroups/cpu');
    assert.equal(layout.groupOf('3:cpuset:/a\n1:cpu:/vm/1\n0::/b\n'), '/cgroups/cpu/vm/1');
    assert.equal(layout.groupOf('4:cpu,cpuacct:/x\n'), '/cgroups/cpu/x');
    assert.equal(layout.groupOf('4:cpuacct:/x\n'), undefined);
  });

  it('offers nothing under v2 without a delegated subtree', () => {
    group('.', v2Files);
    assert.equal(detectLayout({ mount }), undefined);
    assert.equal(detectLayout({ mount, delegated: '/vms' })?.version, 2);
  });

  it('makes no group outside the delegated subtree', () => {
    group('vms/one', v2Files);
    group('vms-of-others', v2Files);
    const layout = layoutV2(mount, '/vms');
    assert.equal(layout.groupOf('0::/vms/one\n'), join(mount, 'vms/one'));
    assert.equal(layout.groupOf('0::/vms-of-others\n'), undefined);
    assert.equal(layout.groupOf('0::/\n'), undefined);
  });

  it('offers nothing in a v2 group that was not handed the cpu controller', () => {
    group('vms/one', { 'cgroup.controllers': 'memory\n', 'cgroup.threads': '' });
    assert.equal(layoutV2(mount, '/vms').groupOf('0::/vms/one\n'), undefined);
  });

  it('makes a threaded child with cpu.max under v2', () => {
    const home = group('vms/one', v2Files);
    const layout = layoutV2(mount, '/vms');
    const made = makeGroup(layout, home, 77);
    layout.setQuota(made, { quotaMicroseconds: 2500, periodMicroseconds: 10_000 });
    assert.match(made, new RegExp(`^${home}/ferryman-\\d+-${process.pid}-\\d+-77$`));
    assert.equal(readFileSync(join(made, 'cgroup.type'), 'utf8'), 'threaded');
    assert.equal(readFileSync(join(home, 'cgroup.subtree_control'), 'utf8'), '+cpu');
    assert.equal(readFileSync(join(made, 'cpu.max'), 'utf8'), '2500 10000');
  });

  it('makes its groups below those of libvirt for its vCPUs, under v2 and under v1', () => {
    // As libvirt 9 lays them out with systemd, and without it; vcpu0 is threaded already.
    const scope = 'machine.slice/machine-qemu\\x2d1\\x2dw1.scope/libvirt/vcpu0';
    const home = group(scope, { ...v2Files, 'cgroup.type': 'threaded' });
    const v2 = layoutV2(mount, '/machine.slice');
    assert.equal(homeOf(v2, `0::/${scope}\n`), home);
    const made = makeGroup(v2, home, 77);
    v2.setQuota(made, { quotaMicroseconds: 1000, periodMicroseconds: 4000 });
    assert.equal(readFileSync(join(made, 'cgroup.type'), 'utf8'), 'threaded');
    assert.equal(readFileSync(join(home, 'cgroup.subtree_control'), 'utf8'), '+cpu');
    assert.equal(readFileSync(join(made, 'cpu.max'), 'utf8'), '1000 4000');
    assert.equal(v2.groupOf(`0::/${scope}/${basename(made)}\n`), undefined, 'without files in it');

    const machine = 'machine/qemu-1-w1.libvirt-qemu/vcpu0';
    const legacy = group(`cpu/${machine}`, { tasks: '' });
    const v1 = layoutV1(join(mount, 'cpu'));
    assert.equal(homeOf(v1, `4:cpu,cpuacct:/${machine}\n0::/${machine}\n`), legacy);
  });

  it('takes the cpu controller back only when no other child is left', () => {
    const home = group('vms/one', { ...v2Files, 'cgroup.subtree_control': 'cpu' });
    const layout = layoutV2(mount, '/vms');
    const other = group('vms/one/other', v2Files);
    layout.tidy(home);
    assert.equal(readFileSync(join(home, 'cgroup.subtree_control'), 'utf8'), 'cpu');
    rmSync(other, { recursive: true });
    layout.tidy(home);
    assert.equal(readFileSync(join(home, 'cgroup.subtree_control'), 'utf8'), '-cpu');
  });

  it('knows the home of a thread that sits in a group of ours', () => {
    const home = group('cpu/vm', { tasks: '' });
    group('cpu/vm/ferryman-7-1-5-2', { tasks: '2\n' });
    assert.equal(homeOf(layoutV1(join(mount, 'cpu')), '1:cpu:/vm/ferryman-7-1-5-2\n'), home);
  });

  it('sweeps nothing but groups of ours', () => {
    group('cpu/vm/emulator', { tasks: '5\n' });
    group('cpu/ferryman-notes', { tasks: '' });
    assert.equal(
      sweep(layoutV1(join(mount, 'cpu')), () => false),
      0,
    );
  });
});
