/** A nats-server of our own, for the all-in-one mode: loopback, random port, random credential. */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { maxPayloadBytes } from '../shared/codec.ts';
import { FerrymanError } from '../shared/errors.ts';
import type { NatsCredentials } from '../shared/nats-bus.ts';

export interface NatsServer {
  /** Ready for `natsBus`. */
  readonly url: string;
  readonly credentials: NatsCredentials;
  readonly pid: number;
  /** Ends the server and removes its files. */
  stop(): Promise<void>;
}

const readyMilliseconds = 5000;
const readyPollMilliseconds = 10;
const stopMilliseconds = 2000;
const user = 'ferryman';

/** Where Debian puts servers; not in every user's PATH. */
const administratorFolders = ['/usr/local/sbin', '/usr/sbin'];
const packageRoot = join(import.meta.dirname, '..');

/**
 * The nats-server to use: FERRYMAN_NATS_SERVER, else the one unpacked by the set-up, else the
 * system's. Throws FerrymanError NATS_SERVER_MISSING.
 */
export function findNatsServer(environment: NodeJS.ProcessEnv = process.env): string {
  const asked = environment['FERRYMAN_NATS_SERVER'];
  if (asked !== undefined) {
    if (isExecutable(asked)) return asked;
    throw missing(`FERRYMAN_NATS_SERVER=${asked} is not an executable file`);
  }
  const found = findProgram('nats-server', environment, [
    join(packageRoot, '.tools/nats-server/usr/sbin'),
  ]);
  if (found !== undefined) return found;
  throw missing('nats-server is not installed');
}

/**
 * Starts a server and waits until it takes clients. Throws FerrymanError NATS_SERVER_MISSING or
 * NATS_SERVER_FAILED.
 */
export async function startNatsServer(
  environment: NodeJS.ProcessEnv = process.env,
): Promise<NatsServer> {
  const binary = findNatsServer(environment);
  const folder = await mkdtemp(join(tmpdir(), 'ferryman-nats-'));
  const password = randomBytes(24).toString('hex');
  const configuration = join(folder, 'nats.conf');
  await writeFile(configuration, configurationText(folder, password), { mode: 0o600 });
  const child = launch([binary, '--config', configuration], environment);
  const stop = () => stopServer(child, folder);
  try {
    const url = await readAddress(child, folder);
    const credentials = { kind: 'password', user, password } as const;
    return { url, credentials, pid: child.pid ?? 0, stop };
  } catch (thrown) {
    await stop();
    throw thrown;
  }
}

function configurationText(folder: string, password: string): string {
  return [
    'listen: "127.0.0.1:-1"',
    `ports_file_dir: "${folder}"`,
    `log_file: "${join(folder, 'nats.log')}"`,
    `max_payload: ${String(maxPayloadBytes)}`,
    `authorization { user: ${user}, password: "${password}" }`,
    '',
  ].join('\n');
}

function launch(command: readonly string[], environment: NodeJS.ProcessEnv): ChildProcess {
  // Should we be killed, the kernel ends the server too; setpriv becomes it, so the pid is the same.
  const setpriv = findProgram('setpriv', environment);
  const words = setpriv === undefined ? command : [setpriv, '--pdeathsig', 'TERM', ...command];
  const [program = '', ...programArguments] = words;
  // Detached: Ctrl-C in a terminal is for us alone, who still need the bus to clean up.
  const child = spawn(program, programArguments, { stdio: 'ignore', detached: true });
  child.on('error', () => undefined);
  return child;
}

async function readAddress(child: ChildProcess, folder: string): Promise<string> {
  const file = join(folder, `nats-server_${String(child.pid)}.ports`);
  for (let waited = 0; waited < readyMilliseconds; waited += readyPollMilliseconds) {
    const url = await readFile(file, 'utf8').then(firstAddress, () => undefined);
    if (url !== undefined) return url;
    if (hasEnded(child)) break;
    await sleep(readyPollMilliseconds);
  }
  const log = await readFile(join(folder, 'nats.log'), 'utf8').catch(() => '');
  const ending = hasEnded(child) ? 'ended at once' : `not ready in ${String(readyMilliseconds)} ms`;
  const lastLine = log.trim().split('\n').at(-1) ?? '';
  throw new FerrymanError('NATS_SERVER_FAILED', `nats-server ${ending}: ${lastLine}`);
}

/** Undefined while the file is still being written. */
function firstAddress(portsFile: string): string | undefined {
  return /"nats":\s*\[\s*"(nats:\/\/[^"]+)"/.exec(portsFile)?.[1];
}

async function stopServer(child: ChildProcess, folder: string): Promise<void> {
  if (!hasEnded(child)) {
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    const deadline = setTimeout(() => child.kill('SIGKILL'), stopMilliseconds);
    await ended;
    clearTimeout(deadline);
  }
  await rm(folder, { recursive: true, force: true });
}

function hasEnded(child: ChildProcess): boolean {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
}

function findProgram(
  name: string,
  environment: NodeJS.ProcessEnv,
  firstFolders: readonly string[] = [],
): string | undefined {
  const path = (environment['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  return [...firstFolders, ...path, ...administratorFolders]
    .map((folder) => join(folder, name))
    .find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function missing(problem: string): FerrymanError {
  const remedy = 'install it (apt-get install nats-server) or set FERRYMAN_NATS_SERVER to its path';
  return new FerrymanError('NATS_SERVER_MISSING', `${problem}: ${remedy}`);
}
