/**
 * Starts a destination QEMU with the command of the host policy. Nothing of it comes over the wire:
 * the command finds the VM's UUID in FERRYMAN_VM and the family in FERRYMAN_FAMILY.
 *
 * What is started outlives ferryman: it has a session of its own and writes to a file, because a
 * pipe would break under it when ferryman ends.
 */
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FerrymanError, messageOf } from '../../shared/errors.ts';

/** No destination came up; the message says what to look at. */
export class DestinationError extends FerrymanError {
  constructor(message: string) {
    super('DESTINATION', message);
  }
}

/** The QEMU that a fresh destination replaces. */
export interface PreviousDestination {
  readonly pid: number;
  /** Only what ferryman started may be ended by it. */
  readonly isOurs: boolean;
  /** Asks it; undefined when it does not answer. */
  readonly runState: () => Promise<string | undefined>;
}

export interface DestinationOptions<T> {
  readonly command: string;
  readonly vm: string;
  readonly family: string;
  readonly logDirectory: string;
  readonly previous?: PreviousDestination;
  /** How long the previous one may take to leave by itself. */
  readonly selfExitMilliseconds?: number;
  /** Settles when the new QEMU's monitor answers; rejects after its own time limit. */
  readonly attached: (limitMilliseconds: number, aborted: AbortSignal) => Promise<T>;
}

const defaultSelfExitMilliseconds = 3_000;
const terminationMilliseconds = 5_000;
const attachMilliseconds = 20_000;
const pollMilliseconds = 20;

/**
 * Waits until the previous destination is gone, runs the command and waits until its QEMU answers.
 * Throws DestinationError.
 */
export async function startDestination<T>(options: DestinationOptions<T>): Promise<T> {
  const { selfExitMilliseconds = defaultSelfExitMilliseconds } = options;
  if (options.previous) await clearAway(options.previous, selfExitMilliseconds);
  const logPath = join(options.logDirectory, `destination-${fileName(options.vm)}.log`);
  mkdirSync(options.logDirectory, { recursive: true });
  const abort = new AbortController();
  const failed = run(options, logPath);
  try {
    return await Promise.race([options.attached(attachMilliseconds, abort.signal), failed]);
  } catch (error) {
    throw new DestinationError(`${messageOf(error)}${lastWords(logPath)}`);
  } finally {
    abort.abort();
  }
}

/** QEMU leaves by itself when the migration into it has failed; one that never started one waits. */
async function clearAway(
  previous: PreviousDestination,
  selfExitMilliseconds: number,
): Promise<void> {
  const { pid, isOurs, runState } = previous;
  if (await isGoneWithin(pid, selfExitMilliseconds)) return;
  if (isOurs && (await runState()) === 'inmigrate') {
    process.kill(pid, 'SIGTERM');
    if (await isGoneWithin(pid, terminationMilliseconds)) return;
  }
  throw new DestinationError(
    `the previous destination (pid ${String(pid)}) is still there and not ours to end: ` +
      'end it, if its guest does not run, and try again',
  );
}

/** Rejects when the command cannot be run or fails; never resolves. */
function run(
  { command, vm, family }: Pick<DestinationOptions<unknown>, 'command' | 'vm' | 'family'>,
  logPath: string,
): Promise<never> {
  const log = openSync(logPath, 'w', 0o600);
  const child = spawn('/bin/sh', ['-c', command], {
    detached: true,
    stdio: ['ignore', log, log],
    env: { ...process.env, FERRYMAN_VM: vm, FERRYMAN_FAMILY: family },
  });
  closeSync(log);
  child.unref();
  const failure = new Promise<never>((_resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      // 0 is fine: the command may have put QEMU into the background.
      if (code !== 0) reject(new Error(`the destination command ended with ${code ?? signal}`));
    });
  });
  // It may end long after the race for the monitor is decided.
  failure.catch(() => undefined);
  return failure;
}

async function isGoneWithin(pid: number, limitMilliseconds: number): Promise<boolean> {
  const endsAt = performance.now() + limitMilliseconds;
  while (isAlive(pid)) {
    if (performance.now() >= endsAt) return false;
    await sleep(pollMilliseconds);
  }
  return true;
}

/** A zombie holds no socket and runs no guest: it counts as gone. */
function isAlive(pid: number): boolean {
  try {
    const text = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2, text.lastIndexOf(')') + 3) !== 'Z';
  } catch {
    return false;
  }
}

function lastWords(logPath: string): string {
  try {
    const lines = readFileSync(logPath, 'utf8').trim().split('\n').slice(-3);
    return lines.join('') === '' ? '' : `; it said: ${lines.join(' | ')} (${logPath})`;
  } catch {
    return '';
  }
}

function fileName(vm: string): string {
  return vm.replaceAll(/[^A-Za-z0-9-]/g, '_');
}
