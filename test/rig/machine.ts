/** What a guest needs of a QEMU, and what it is started from. */
import { existsSync, readFileSync, renameSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openQmp } from '../../agent/monitor/qmp-socket.ts';
import type { QemuVersion } from '../../scripts/tools.mjs';
import { buildGuest, diskBytes, neededMemoryBytes, type Guest } from '../guests/guest.ts';
import { buildLinux, type LinuxGuest } from '../guests/linux/image.ts';
import { openReportPage } from '../guests/report-page.ts';
import { killQemu, livingPid, qemuCommand, runCommand, waitUntil } from './qemu.ts';
import type { Machine, QemuPlace } from './qemu.ts';

/** What a source starts with: `incoming` is a saved state; without, it boots. */
export interface Origin {
  readonly machine: Machine;
  readonly incoming?: string;
}

export interface OriginOptions {
  readonly guest: Guest | LinuxGuest;
  readonly memoryMebibytes?: number;
  readonly qemu: QemuVersion;
  /** For what is needed only meanwhile. */
  readonly folder: string;
  /** Where a guest is booted whose state is not there yet. */
  readonly place: QemuPlace;
}

const readyLimitMilliseconds = 20_000;
/** Linux boots in less than a minute where nothing else runs. */
const bootLimitMilliseconds = 900_000;
/** Until what only follows the boot is over. */
const settleMilliseconds = 5000;
const statePollMilliseconds = 100;
/** The state is saved while the guest runs, which then runs on from it without a word. */
const saveSettings = { 'max-bandwidth': 10 ** 11, 'downtime-limit': 5000 };
const consoleTailBytes = 400;

/** Makes a guest ready to start. A Linux guest is booted the first time, which takes a minute. */
export async function originOf(options: OriginOptions): Promise<Origin> {
  const { guest, folder, qemu, place } = options;
  if ('keys' in guest) {
    const { bootArguments, cacheFolder } = buildLinux(guest);
    const memoryMebibytes = options.memoryMebibytes ?? guest.memoryMebibytes;
    const machine = { bootArguments, memoryMebibytes, vcpus: 1, hasConsole: true };
    const statePath = join(cacheFolder, `${memoryMebibytes}-MiB-by-${qemu}.state`);
    if (!existsSync(statePath)) await bootAndSave(machine, place, qemu, statePath);
    return { machine, incoming: `exec:cat '${statePath}'` };
  }
  const imagePath = join(folder, 'guest.bin');
  buildGuest(guest, imagePath);
  const needed = Math.ceil(neededMemoryBytes(guest) / 2 ** 20);
  const machine = {
    bootArguments: ['-kernel', imagePath],
    memoryMebibytes: options.memoryMebibytes ?? needed,
    vcpus: guest.secondVcpu === true ? 2 : 1,
    ...(guest.diskBytesPerSecond && { diskPath: makeDisk(folder) }),
  };
  return { machine };
}

/** Waits until the guest has filled its memory and runs. */
export async function guestReady(
  place: QemuPlace,
  memoryMebibytes: number,
  limitMilliseconds = readyLimitMilliseconds,
): Promise<void> {
  const pid = livingPid(place);
  if (pid === undefined) throw new Error(`the QEMU of ${place.pidFile} has ended`);
  const page = openReportPage(pid, memoryMebibytes * 2 ** 20);
  let first: number | undefined;
  const isReady = (): boolean => {
    const report = page.read();
    if (report?.isReady !== true) return false;
    first ??= report.heartbeat;
    // A saved state brings the page before the guest runs.
    return report.heartbeat > first;
  };
  try {
    await waitUntil('guest ready', isReady, limitMilliseconds);
  } finally {
    page.close();
  }
}

function makeDisk(folder: string): string {
  const path = join(folder, 'disk.raw');
  writeFileSync(path, '');
  truncateSync(path, diskBytes);
  return path;
}

async function bootAndSave(
  machine: Machine,
  place: QemuPlace,
  version: QemuVersion,
  statePath: string,
): Promise<void> {
  process.stderr.write(`booting Linux on QEMU ${version}, this once …\n`);
  await runCommand(qemuCommand({ ...machine, place, version, uuid: savedUuid }));
  try {
    await guestReady(place, machine.memoryMebibytes, bootLimitMilliseconds);
  } catch (error) {
    const console = readFileSync(place.consoleFile, 'utf8').slice(-consoleTailBytes);
    throw new Error(`Linux did not boot; its last words: ${console}`, { cause: error });
  }
  await sleep(settleMilliseconds);
  // Another bench may be at it too: each has a file of its own until it is complete.
  const path = `${statePath}.${process.pid}`;
  await saveState(place, path);
  killQemu(place);
  await waitUntil('QEMU ended', () => livingPid(place) === undefined);
  renameSync(path, statePath);
}

/** Of no VM that migrates: those have one of their own. */
const savedUuid = '00000000-0000-0000-0000-000000000000';

async function saveState(place: QemuPlace, path: string): Promise<void> {
  const monitor = await openQmp(place.qmpPath);
  try {
    await monitor.execute('migrate-set-parameters', saveSettings);
    await monitor.execute('migrate', { uri: `exec:cat > '${path}'` });
    let status = '';
    while (status !== 'completed') {
      if (status === 'failed') throw new Error(`${place.qmpPath}: the state could not be saved`);
      await sleep(statePollMilliseconds);
      ({ status } = (await monitor.execute('query-migrate')) as { readonly status: string });
    }
  } finally {
    monitor.close();
  }
}
