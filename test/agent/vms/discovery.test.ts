import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { discover, type MonitorPlaces } from '../../../agent/vms/discovery.ts';
import { openQmp } from '../../../agent/monitor/qmp-socket.ts';
import { fakeQmp, type FakeQmpServer } from '../../fakes/qmp-server.ts';

describe('discover', () => {
  let directory: string;
  let servers: FakeQmpServer[];
  let stop: () => void;
  const attached: string[] = [];
  const detached: string[] = [];
  const troubles: string[] = [];

  async function serve(name: string, greeting = true): Promise<FakeQmpServer> {
    const server = await fakeQmp({ path: join(directory, name), greeting });
    servers.push(server);
    return server;
  }

  function start(places: MonitorPlaces): void {
    const discovery = discover({
      places,
      rescanMilliseconds: 20,
      open: (path) => openQmp(path, { greetingTimeoutMilliseconds: 50 }),
      onAttach: ({ address }) => attached.push(address),
      onDetach: (path) => detached.push(path),
      onTrouble: (path, reason) => troubles.push(`${path} ${reason.message}`),
    });
    stop = () => {
      discovery.stop();
    };
  }

  async function until(condition: () => boolean): Promise<void> {
    while (!condition()) await sleep(5);
  }

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'ferryman-discovery-'));
    servers = [];
    for (const list of [attached, detached, troubles]) list.length = 0;
  });

  afterEach(async () => {
    stop();
    for (const server of servers) await server.stop();
    await rm(directory, { recursive: true });
  });

  it('attaches to sockets that are there and to those that come later', async () => {
    const first = await serve('a.sock');
    start({ directory });
    await until(() => attached.length === 1);
    const second = await serve('b.sock');
    await until(() => attached.length === 2);
    assert.deepEqual(attached, [first.path, second.path]);
  });

  it('passes over links, FIFOs, files, folders and odd names', async () => {
    const inner = join(directory, 'inner');
    await mkdir(inner);
    await serve('inner/hidden.sock');
    await symlink(join(inner, 'hidden.sock'), join(directory, 'link.sock'));
    execFileSync('mkfifo', [join(directory, 'fifo.sock')]);
    await writeFile(join(directory, 'file.sock'), '');
    await serve('odd name.sock');
    await serve('good.sock');
    start({ directory });
    await until(() => attached.length > 0);
    await sleep(60);
    assert.deepEqual(attached, [join(directory, 'good.sock')]);
  });

  it('is not held up by a monitor that says nothing', async () => {
    const silent = await serve('a-silent.sock', false);
    await serve('b-good.sock');
    start({ directory });
    const complaint = `${silent.path} ${silent.path}: no QMP greeting`;
    await until(() => troubles.some((trouble) => trouble.startsWith(complaint)));
    await until(() => attached.length === 1);
  });

  it('reports a loss, and comes back when the monitor does', async () => {
    const server = await serve('a.sock');
    start({ directory });
    await until(() => attached.length === 1);
    server.disconnect();
    await until(() => attached.length === 2);
    assert.deepEqual(detached, [server.path]);
  });

  it('forgets a socket that is gone', async () => {
    const server = await serve('a.sock');
    start({ directory });
    await until(() => attached.length === 1);
    await server.stop();
    servers = [];
    await until(() => detached.length === 1);
    await sleep(60);
    await serve('a.sock');
    await until(() => attached.length === 2);
  });

  it('waits for sockets that it was given by name', async () => {
    const path = join(directory, 'later.sock');
    start({ sockets: [path] });
    await until(() => troubles.length === 1);
    await serve('later.sock');
    await until(() => attached.length === 1);
    assert.match(troubles[0] ?? '', /ENOENT/);
    assert.equal(troubles.length, 1);
  });

  it('says once that a directory is missing', async () => {
    start({ directory: join(directory, 'missing') });
    await sleep(80);
    assert.equal(troubles.length, 1);
    assert.match(troubles[0] ?? '', /missing/);
  });
});
