import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { isExecutable, tools, type QemuVersion } from '../../scripts/tools.mjs';

/** One side of a pair: where it lies in the pair's folder. */
export interface QemuPlace {
  readonly qmpPath: string;
  readonly pidFile: string;
  readonly logFile: string;
  readonly consoleFile: string;
}

/** What is the same on both sides. */
export interface Machine {
  /** What the guest starts with, `-kernel` and the like. */
  readonly bootArguments: readonly string[];
  readonly memoryMebibytes: number;
  readonly vcpus: number;
  /** A raw image that both sides write to; default none. */
  readonly diskPath?: string;
  /** A serial line, of which a file is kept; default none. */
  readonly hasConsole?: boolean;
}

export interface QemuOptions extends Machine {
  readonly version: QemuVersion;
  readonly place: QemuPlace;
  /** The same on both sides. */
  readonly uuid: string;
  /** What the VM is called; default guest. */
  readonly name?: string;
  /** Where the guest comes from instead of booting, as QEMU's `-incoming` has it. */
  readonly incoming?: string;
}

export function placeIn(folder: string, side: 'source' | 'destination'): QemuPlace {
  return {
    qmpPath: join(folder, `${side}.qmp`),
    pidFile: join(folder, `${side}.pid`),
    logFile: join(folder, `${side}.log`),
    consoleFile: join(folder, `${side}.console`),
  };
}

/**
 * The command line of a QEMU that goes into the background once its monitor listens. Both versions
 * have this machine type, so a guest can move between them.
 */
export function qemuCommand(options: QemuOptions): string[] {
  const { binary, args } = tools().qemu[options.version];
  if (!isExecutable(binary))
    throw new Error(
      `no QEMU ${options.version} at ${binary}; run: node scripts/ensure.mjs --for=test`,
    );
  const { qmpPath, pidFile, logFile, consoleFile } = options.place;
  const disk = `if=ide,format=raw,file.locking=off,file=${options.diskPath ?? ''}`;
  return [
    binary,
    ...args,
    ...['-machine', 'pc-i440fx-7.2', '-accel', 'tcg', '-m', String(options.memoryMebibytes)],
    ...['-smp', String(options.vcpus)],
    ...(options.diskPath === undefined ? [] : ['-drive', disk]),
    ...[
      '-nodefaults',
      '-display',
      'none',
      '-name',
      `guest=${quoted(options.name ?? 'guest')},debug-threads=on`,
    ],
    ...(options.hasConsole === true ? ['-serial', `file:${consoleFile}`] : []),
    ...['-uuid', options.uuid, ...options.bootArguments],
    ...['-qmp', `unix:${qmpPath},server=on,wait=off`],
    ...['-daemonize', '-pidfile', pidFile, '-D', logFile, '-d', 'guest_errors'],
    ...(options.incoming === undefined ? [] : ['-incoming', options.incoming]),
  ];
}

/** As QEMU wants a comma in an option. */
const quoted = (text: string) => text.replaceAll(',', ',,');

/** Runs a command to its end; QEMU's own words are in the error. */
export async function runCommand([program = '', ...args]: readonly string[]): Promise<void> {
  await promisify(execFile)(program, args);
}

/** The process id of a QEMU of ours; undefined once it has ended. */
export function livingPid({ pidFile }: QemuPlace): number | undefined {
  if (!existsSync(pidFile)) return undefined;
  const pid = Number(readFileSync(pidFile, 'utf8'));
  try {
    // The kernel gives process ids away again: only one that has our file in its hands is ours.
    return readFileSync(`/proc/${String(pid)}/cmdline`, 'utf8').includes(pidFile) ? pid : undefined;
  } catch {
    return undefined;
  }
}

/** Ends it at once, without a word to the guest. */
export function killQemu(place: QemuPlace): void {
  const pid = livingPid(place);
  if (pid !== undefined) process.kill(pid, 'SIGKILL');
}

/** Polls until `condition` holds. Throws with `what` when it has not after `limitMilliseconds`. */
export async function waitUntil(
  what: string,
  condition: () => boolean,
  limitMilliseconds = 20_000,
): Promise<void> {
  const giveUpAt = performance.now() + limitMilliseconds;
  while (!condition()) {
    if (performance.now() > giveUpAt)
      throw new Error(`${what}: not within ${String(limitMilliseconds)} ms`);
    await sleep(5);
  }
}
