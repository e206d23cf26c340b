import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { QemuVersion } from '../../scripts/tools.mjs';
import type { Guest } from '../guests/guest.ts';
import type { LinuxGuest } from '../guests/linux/image.ts';
import { startObserver, type Observer } from '../guests/observer.ts';
import { guestReady, originOf } from './machine.ts';
import { canShape, createShapedNetwork, machineNetwork, type Network } from './network.ts';
import { killQemu, livingPid, placeIn, qemuCommand, type QemuPlace } from './qemu.ts';
import { runCommand } from './qemu.ts';

export interface PairOptions {
  readonly qemu: QemuVersion;
  /** Default: that of the source. */
  readonly destinationQemu?: QemuVersion;
  readonly guest: Guest | LinuxGuest;
  /** What the VM is called; default guest. */
  readonly name?: string;
  /** Default: as little as the guest needs. */
  readonly memoryMebibytes?: number;
  /** The speed of the link between the two, in bytes of payload per second; default unlimited. */
  readonly linkBytesPerSecond?: number;
}

/** A guest running on a source, and a destination that waits for it. */
export interface Pair {
  readonly sourceQmp: string;
  readonly destinationQmp: string;
  readonly uri: string;
  /** A shell command that starts a fresh destination at the same sockets, when the old has ended. */
  readonly destinationCommand: string;
  /** False when a link was asked for and not made, for want of root: cap it by max-bandwidth. */
  readonly isShaped: boolean;
  readonly memoryBytes: number;
  readonly observer: Observer;
  /** Changes the speed of a shaped link under way; of another it does nothing. */
  setLinkBytesPerSecond(bytesPerSecond: number): void;
  sourcePid(): number | undefined;
  destinationPid(): number | undefined;
  /** Ends both, and leaves nothing behind. */
  stop(): Promise<void>;
}

/** A QEMU that goes on from a saved state translates the guest's code anew: two seconds of less work. */
const warmUpMilliseconds = 4000;

/** What an interrupted run must not leave behind. */
const unfinished = new Set<() => void>();
process.on('exit', () => {
  for (const cleanUp of unfinished) cleanUp();
});
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    for (const cleanUp of unfinished) cleanUp();
    process.kill(process.pid, signal);
  });

/** Starts both sides and waits until the guest has filled its memory. */
export async function startPair(options: PairOptions): Promise<Pair> {
  const folder = mkdtempSync(join(tmpdir(), 'ferryman-pair-'));
  const places = [placeIn(folder, 'source'), placeIn(folder, 'destination')] as const;
  let network = machineNetwork;
  const cleanUp = (): void => {
    for (const place of places) killQemu(place);
    network.remove();
    rmSync(folder, { recursive: true, force: true });
    unfinished.delete(cleanUp);
  };
  unfinished.add(cleanUp);
  try {
    network = createNetwork(options.linkBytesPerSecond);
    return await startBoth(options, folder, places, network, cleanUp);
  } catch (error) {
    cleanUp();
    throw error;
  }
}

function createNetwork(linkBytesPerSecond: number | undefined): Network {
  if (linkBytesPerSecond === undefined || !canShape()) return machineNetwork;
  return createShapedNetwork(linkBytesPerSecond);
}

async function startBoth(
  options: PairOptions,
  folder: string,
  [source, destination]: readonly [QemuPlace, QemuPlace],
  network: Network,
  cleanUp: () => void,
): Promise<Pair> {
  const { qemu, guest, memoryMebibytes, destinationQemu = qemu } = options;
  const { machine, incoming } = await originOf({
    ...{ guest, qemu, folder, place: source },
    ...(memoryMebibytes !== undefined && { memoryMebibytes }),
  });
  const named = { uuid: randomUUID(), ...(options.name !== undefined && { name: options.name }) };
  const command = (place: QemuPlace, version: QemuVersion, from?: string): string[] => [
    ...network.commandPrefix,
    ...qemuCommand({ ...machine, ...named, place, version, ...(from && { incoming: from }) }),
  ];
  const startDestination = command(destination, destinationQemu, 'defer');
  await runCommand(command(source, qemu, incoming));
  await runCommand(startDestination);
  await guestReady(source, machine.memoryMebibytes);
  if (incoming !== undefined) await sleep(warmUpMilliseconds);
  const memoryBytes = machine.memoryMebibytes * 2 ** 20;
  const pidFiles = [source.pidFile, destination.pidFile];
  const observer = await startObserver({ pidFiles, memoryBytes });
  return {
    sourceQmp: source.qmpPath,
    destinationQmp: destination.qmpPath,
    uri: `tcp:127.0.0.1:${String(await freePort(network))}`,
    destinationCommand: writeScript(join(folder, 'start-destination'), startDestination),
    isShaped: network.isShaped,
    memoryBytes,
    observer,
    setLinkBytesPerSecond: network.setBytesPerSecond,
    sourcePid: () => livingPid(source),
    destinationPid: () => livingPid(destination),
    stop: async () => {
      await observer.stop();
      cleanUp();
    },
  };
}

/** In a network of our own every port is free. */
async function freePort(network: Network): Promise<number> {
  if (network.isShaped) return 4444;
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  server.close();
  if (address === null || typeof address === 'string') throw new Error('no port was assigned');
  return address.port;
}

function writeScript(path: string, command: readonly string[]): string {
  const quoted = command.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
  writeFileSync(path, `#!/bin/sh\nexec ${quoted}\n`, { mode: 0o755 });
  return path;
}
