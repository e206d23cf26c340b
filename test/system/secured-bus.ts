/** A NATS server as deploy/nats has it: TLS, and one key for each client, of which the test has the seeds. */
import assert from 'node:assert/strict';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nkeys } from 'nats';
import { projectRoot, tools } from '../../scripts/tools.mjs';
import { freePort, canConnect } from './bus.ts';
import { until, type Stage } from './support.ts';

export interface SecuredBus {
  readonly url: string;
  readonly port: number;
  readonly caFile: string;
  /** The seed file of a client that users.conf names, e.g. `host-1`. */
  seedFile(name: string): string;
  seed(name: string): string;
  /** What clients tried and had no right to, as the server's log has it. */
  violations(): readonly string[];
  /** At once, without a word to its clients. */
  kill(): Promise<void>;
}

const deployed = (name: string) => join(projectRoot, 'deploy/nats', name);

/** For the test alone: sees whatever the server lets through. */
const witness = '\n# operator witness\n{ nkey: UWITNESS, permissions: { subscribe: ">" } }\n]';

/** Starts it; the stage ends it. */
export async function startSecuredBus(stage: Stage): Promise<SecuredBus> {
  const folder = stage.folder();
  const made = spawnSync('sh', [
    deployed('make-certificates.sh'),
    folder,
    'localhost',
    '127.0.0.1',
  ]);
  assert.equal(made.status, 0, made.stderr.toString());
  const seeds = writeUsers(folder);
  const port = await freePort();
  const configuration = readFileSync(deployed('nats-server.conf'), 'utf8')
    .replaceAll('/etc/nats/tls', folder)
    .replace('/var/lib/nats', join(folder, 'jetstream'))
    .replace('0.0.0.0:4222', `127.0.0.1:${port}`);
  writeFileSync(join(folder, 'nats-server.conf'), configuration);
  const log = join(folder, 'nats-server.log');
  const words = ['--config', join(folder, 'nats-server.conf'), '--log', log];
  const child = spawn(tools().natsServer, words, { stdio: 'ignore' });
  const kill = () => end(child);
  stage.undo(kill);
  await until('nats-server listens', () => canConnect(port));
  const seedFile = (name: string) => join(folder, `${name}.seed`);
  const seed = (name: string) => seeds.get(name) ?? assert.fail(`nobody is called ${name}`);
  const caFile = join(folder, 'ca.pem');
  const violations = () =>
    readFileSync(log, 'utf8')
      .split('\n')
      .filter((line) => line.includes('Violation'));
  return { url: `tls://localhost:${port}`, port, caFile, seedFile, seed, violations, kill };
}

/** The example's users under keys of our own; returns their seeds. */
function writeUsers(folder: string): ReadonlyMap<string, string> {
  const seeds = new Map<string, string>();
  const example = readFileSync(deployed('users.conf'), 'utf8').replace(/\]\s*$/, witness);
  const users = example.replace(
    /(# \w+ (\S+)\s*\{\s*nkey: )U\w+/g,
    (_text, before: string, name: string) => {
      const pair = nkeys.createUser();
      const seed = new TextDecoder().decode(pair.getSeed());
      seeds.set(name, seed);
      writeFileSync(join(folder, `${name}.seed`), `${seed}\n`, { mode: 0o600 });
      return `${before}${pair.getPublicKey()}`;
    },
  );
  writeFileSync(join(folder, 'users.conf'), users);
  return seeds;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}
