import { readFile } from 'node:fs/promises';
import type { StorageFacts } from '../../shared/storage.ts';
import type { Monitor } from '../monitor/monitor.ts';
import type { QemuTraits } from './facts.ts';
import type { QemuSettings } from './options.ts';
import { ask, listOf, objectOf, optional, type Reply, required } from './reply.ts';
import { readSchema, type SchemaFacts } from './schema.ts';
import { storageIn } from './storage.ts';
import type { QemuVersion } from './version.ts';

/** What an agent learns about a VM when it attaches; `settings` are also what it restores later. */
export interface Inspection extends QemuTraits, SchemaFacts {
  readonly uuid: string;
  /** QEMU's -name; absent when it was given none. */
  readonly name?: string;
  /** `status` of query-status, e.g. `running`, `inmigrate`. */
  readonly runState: string;
  /** QEMU's process; absent when it cannot be told (another PID namespace, no vCPU threads). */
  readonly qemuPid?: number;
  /** One thread per vCPU, by CPU index. */
  readonly vcpuThreadIds: readonly number[];
  /** Base memory and plugged memory. */
  readonly ramBytes: number;
  readonly pageBytes: number;
  readonly kvm: boolean;
  /** e.g. `pc-i440fx-7.2`; absent when QEMU does not tell. */
  readonly machineType?: string;
  /** The TCP port on which it waits for a migration; absent of a source, and until migrate-incoming. */
  readonly listeningPort?: number;
  readonly storage?: StorageFacts;
}

/** TARGET_PAGE_SIZE of every target that has live migration under KVM; query-migrate may correct it. */
const usualPageBytes = 4096;

/**
 * Asks a QEMU who it is and what it can do; read-only, and answered by waiting destinations too.
 * Throws what `Monitor.execute` throws, and BadReplyError naming the field that makes no sense.
 */
export async function inspectVm(monitor: Monitor, procDirectory = '/proc'): Promise<Inspection> {
  const migration = await ask(monitor, 'query-migrate');
  const name = optional(await ask(monitor, 'query-name'), 'name', 'string');
  const listeningPort = listeningPortIn(migration);
  const vcpuThreadIds = await readVcpuThreadIds(monitor);
  const qemuPid = await processOf(vcpuThreadIds[0], procDirectory);
  return {
    version: versionIn(await ask(monitor, 'query-version')),
    ...readSchema((await ask(monitor, 'query-qmp-schema')).value),
    uuid: required(await ask(monitor, 'query-uuid'), 'UUID', 'string'),
    ...(name === undefined ? {} : { name }),
    runState: required(await ask(monitor, 'query-status'), 'status', 'string'),
    migrationStatus: optional(migration, 'status', 'string') ?? 'none',
    ...(listeningPort === undefined ? {} : { listeningPort }),
    settings: await readSettings(monitor),
    ...(qemuPid === undefined ? {} : { qemuPid }),
    vcpuThreadIds,
    ramBytes: ramBytesIn(await ask(monitor, 'query-memory-size-summary')),
    pageBytes: pageBytesIn(migration),
    kvm: required(await ask(monitor, 'query-kvm'), 'enabled', 'boolean'),
    ...(await readMachine(monitor)),
  };
}

/** What a migration should know beforehand and can be tried without: nothing here is an error. */
async function readMachine(monitor: Monitor): Promise<Pick<Inspection, 'machineType' | 'storage'>> {
  const type = await monitor
    .execute('qom-get', { path: '/machine', property: 'type' })
    .catch(() => undefined);
  const blocks = await monitor.execute('query-block').catch(() => undefined);
  return {
    ...(typeof type === 'string' && { machineType: type.replace(/-machine$/, '') }),
    ...(blocks !== undefined && { storage: storageIn(blocks) }),
  };
}

/** Capabilities and parameters as they are now. Throws as `inspectVm`. */
export async function readSettings(monitor: Monitor): Promise<QemuSettings> {
  const capabilities = await ask(monitor, 'query-migrate-capabilities');
  const parameters = await ask(monitor, 'query-migrate-parameters');
  const states = listOf(capabilities).map((entry): [string, boolean] => [
    required(entry, 'capability', 'string'),
    required(entry, 'state', 'boolean'),
  ]);
  return { capabilities: Object.fromEntries(states), parameters: objectOf(parameters) };
}

/** The threads of the vCPUs as they are now, by CPU index. Throws as `inspectVm`. */
export async function readVcpuThreadIds(monitor: Monitor): Promise<readonly number[]> {
  return threadIdsIn(await ask(monitor, 'query-cpus-fast'));
}

/** `status` of query-status as it is now. Throws as `inspectVm`. */
export async function readRunState(monitor: Monitor): Promise<string> {
  return optional(await ask(monitor, 'query-status'), 'status', 'string') ?? 'unknown';
}

function versionIn(reply: Reply): QemuVersion {
  const qemu = { ...reply, value: objectOf(reply)['qemu'] };
  return {
    major: required(qemu, 'major', 'number'),
    minor: required(qemu, 'minor', 'number'),
    micro: required(qemu, 'micro', 'number'),
  };
}

function threadIdsIn(reply: Reply): number[] {
  const cpus = listOf(reply).map((cpu) => ({
    index: required(cpu, 'cpu-index', 'number'),
    threadId: required(cpu, 'thread-id', 'number'),
  }));
  return cpus.sort((left, right) => left.index - right.index).map(({ threadId }) => threadId);
}

function ramBytesIn(memory: Reply): number {
  const plugged = optional(memory, 'plugged-memory', 'number') ?? 0;
  return required(memory, 'base-memory', 'number') + plugged;
}

/** The first of QEMU's `socket-address` that is one of TCP; where that cannot be read, none. */
function listeningPortIn(migration: Reply): number | undefined {
  const addresses = objectOf(migration)['socket-address'];
  if (!Array.isArray(addresses)) return undefined;
  const [address] = addresses.map((value) => objectOf({ ...migration, value }));
  return address?.['type'] === 'inet' ? Number(address['port']) : undefined;
}

function pageBytesIn(migration: Reply): number {
  const ram = objectOf(migration)['ram'];
  if (ram === undefined) return usualPageBytes;
  return optional({ ...migration, value: ram }, 'page-size', 'number') ?? usualPageBytes;
}

/** Under TCG with one thread for all vCPUs, and under KVM, any vCPU thread leads to its process. */
async function processOf(
  threadId: number | undefined,
  procDirectory: string,
): Promise<number | undefined> {
  if (threadId === undefined) return undefined;
  const path = `${procDirectory}/${String(threadId)}/status`;
  const status = await readFile(path, 'utf8').catch(() => '');
  const pid = /^Tgid:\s*(\d+)$/m.exec(status)?.[1];
  return pid === undefined ? undefined : Number(pid);
}
