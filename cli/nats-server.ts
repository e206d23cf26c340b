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
  /** Of the server that runs now: one that died is started again at the same address. */
  readonly pid: number;
  /** Ends the server and removes its files. */
  stop(): Promise<void>;
}

const readyMilliseconds = 5000;
const readyPollMilliseconds = 10;
const stopMilliseconds = 2000;
const restartMilliseconds = 200;
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
  const configure = (address: string) =>
    writeFile(configuration, configurationText(address, folder, password), { mode: 0o600 });
  await configure('127.0.0.1:-1');
  const start = () => launch([binary, '--config', configuration], environment);
  const first = start();
  try {
    const url = await readAddress(first, folder);
    await configure(new URL(url).host);
    const kept = keepRunning(first, start);
    const stop = () => kept.end().then(() => rm(folder, { recursive: true, force: true }));
    const credentials = { kind: 'password', user, password } as const;
    return {
      url,
      credentials,
      stop,
      get pid() {
        return kept.pid();
      },
    };
  } catch (thrown) {
    await endServer(first);
    await rm(folder, { recursive: true, force: true });
    throw thrown;
  }
}

interface Kept {
  pid(): number;
  end(): Promise<void>;
}

/** Starts the server again whenever it ends, until told to end it: a migration needs its bus. */
function keepRunning(first: ChildProcess, start: () => ChildProcess): Kept {
  let child = first;
  let isEnding = false;
  const watch = () => {
    child.once('exit', () => {
      setTimeout(() => {
        if (isEnding) return;
        child = start();
        watch();
      }, restartMilliseconds);
    });
  };
  watch();
  return {
    pid: () => child.pid ?? 0,
    end: () => {
      isEnding = true;
      return endServer(child);
    },
  };
}

function configurationText(address: string, folder: string, password: string): string {
  return [
    `listen: "${address}"`,
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

async function endServer(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const deadline = setTimeout(() => child.kill('SIGKILL'), stopMilliseconds);
  await ended;
  clearTimeout(deadline);
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
