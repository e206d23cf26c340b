/** Agents and a brain from deploy/ferryman on the NATS of deploy/nats. */
import { once } from 'node:events';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { projectRoot } from '../../scripts/tools.mjs';
import { fakeQemu, type FakeQemu } from '../fakes/qemu.ts';
import { startSecuredBus, type SecuredBus } from './secured-bus.ts';
import { until, type Ferryman, type Line, type Stage } from './support.ts';

/** A file of deploy/ferryman. */
export const deployed = (name: string) => join(projectRoot, 'deploy/ferryman', name);

/** A process of ferryman that serves its metrics. */
export interface Daemon {
  readonly process: Ferryman;
  /** The configuration that SIGHUP has it read again. */
  readonly file: string;
  log(): readonly Line[];
  /** Of `/healthz`, `/readyz` or `/metrics`; status 0 when nobody answers. */
  get(path: string): Promise<{ readonly status: number; readonly text: string }>;
}

export interface Fleet {
  readonly bus: SecuredBus;
  readonly agents: readonly [Daemon, Daemon];
  readonly brain: Daemon;
  readonly qemus: readonly [FakeQemu, FakeQemu];
  /** The host policy of both agents. */
  readonly policyFile: string;
}

const logOf = (daemon: Ferryman): readonly Line[] =>
  daemon
    .messages()
    .split('\n')
    .filter((line) => line.startsWith('{') && line.endsWith('}'))
    .map((line) => JSON.parse(line) as Line);

/** Two agents, each with a QEMU that is none, and a brain in mode act; the stage ends them. */
export async function startFleet(stage: Stage): Promise<Fleet> {
  const bus = await startSecuredBus(stage);
  const folder = stage.folder();
  const policyFile = join(folder, 'policy.yaml');
  copyFileSync(deployed('policy.yaml'), policyFile);
  const start = async (
    part: 'agent' | 'brain',
    id: string,
    settings: Readonly<Record<string, string>>,
  ): Promise<Daemon> => {
    const file = join(folder, `${id}.yaml`);
    const text = readFileSync(deployed(`${part}.yaml`), 'utf8');
    writeFileSync(file, text.replace('mode: advise', 'mode: act'));
    const all = {
      'nats.url': bus.url,
      'nats.caFile': bus.caFile,
      'nats.nkeySeedFile': bus.seedFile(id),
      'monitoring.listen': '127.0.0.1:0',
      ...settings,
    };
    const flags = Object.entries(all).flatMap(([key, value]) => ['--set', `${key}=${value}`]);
    const process = stage.ferryman(part, '--config', file, ...flags);
    const log = () => logOf(process);
    const url = () => log().find((line) => 'url' in line)?.['url'];
    await until(`${id} serves its metrics`, () => url() !== undefined);
    const get = async (path: string) => {
      try {
        const response = await fetch(`${String(url())}${path}`);
        return { status: response.status, text: await response.text() };
      } catch {
        return { status: 0, text: '' };
      }
    };
    return { process, file, log, get };
  };
  const agentOf = async (host: string): Promise<[Daemon, FakeQemu]> => {
    const qemu = await fakeQemu('7.2');
    stage.undo(() => qemu.stop());
    const daemon = await start('agent', host, {
      host,
      'qmp.directory': dirname(qemu.server.path),
      stateDirectory: join(folder, `${host}.state`),
      policyFile,
    });
    return [daemon, qemu];
  };
  const [one, first] = await agentOf('host-1');
  const [two, second] = await agentOf('host-2');
  second.runState = 'inmigrate';
  const database = { 'influx.url': await contentDatabase(stage) };
  const brain = await start('brain', 'brain-1', database);
  return { bus, agents: [one, two], brain, qemus: [first, second], policyFile };
}

/** A database that takes whatever it is given. */
async function contentDatabase(stage: Stage): Promise<string> {
  const server = createServer((request, response) => {
    request
      .resume()
      .on('end', () => response.writeHead(request.method === 'POST' ? 204 : 200).end());
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  stage.undo(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  return `http://127.0.0.1:${port}`;
}

/** Whether this is a line of its `/metrics` now. */
export const hasLine = async (daemon: Daemon, line: string) =>
  (await daemon.get('/metrics')).text.split('\n').includes(line);
