import assert from 'node:assert/strict';
import type { FleetView } from '../../../brain/desk/views.ts';
import { renderFleet } from '../../../cli/terminal/fleet.ts';

const style = { colour: false, unicode: true, columns: 120, rows: 40 };
const vm = {
  ...{ vm: 'web', uuid: 'u', host: 'h1', qemuVersion: '7.2.22', runState: 'running' },
  ...{ ramBytes: 2 ** 30, vcpus: 1, mode: 'act' as const },
};
const host = { host: 'h1', silentMilliseconds: 100, lostMessages: 0, vms: 1 };
const migration = {
  ...{ id: 'm1', vm: 'web', uuid: 'u', source: 'h1', destination: 'h2', policy: 'adaptive' },
  ...{ phase: 'moving' as const, orderedAtMilliseconds: 0, elapsedMilliseconds: 2500 },
};

describe('cli/terminal/fleet', () => {
  const lineWith = (word: RegExp, view: Partial<FleetView>) =>
    renderFleet({ hosts: [], vms: [], migrations: [], ...view }, style).find((line) =>
      word.test(line),
    );

  it('says that there is nothing where there is nothing', () => {
    const lines = renderFleet({ hosts: [], vms: [], migrations: [] }, style);
    assert.equal(lines.filter((line) => line.endsWith('none')).length, 3);
  });

  it('shows where a VM runs, whether it is held, and whether it is on its way', () => {
    assert.match(lineWith(/web/, { vms: [vm] }) ?? '', /web +h1 +running +1\.0 GiB +7\.2\.22 +act/);
    assert.match(lineWith(/web/, { vms: [{ ...vm, held: 'why' }] }) ?? '', /held: why/);
    assert.match(lineWith(/web/, { vms: [{ ...vm, migration: 'm1' }] }) ?? '', /migration m1/);
  });

  it('shows a silent agent, and how far a migration is', () => {
    const silent = { ...host, silentMilliseconds: 8_000 };
    assert.match(lineWith(/^h1/, { hosts: [silent] }) ?? '', /silent for 8\.0 s/);
    const moving = { ...migration, remainingBytes: 2 ** 20, throttlePercent: 40 };
    const shown = lineWith(/^m1/, { migrations: [moving] }) ?? '';
    assert.match(shown, /h1 → h2 +moving +2\.5 s +1\.0 MiB left, held back by 40 %/);
  });

  it('lets no name of a VM write to the terminal', () => {
    const hostile = { ...vm, vm: 'a\u001b[2J\nb' };
    assert.match(lineWith(/a\?\[2J\?b/, { vms: [hostile] }) ?? '', /h1/);
  });
});
