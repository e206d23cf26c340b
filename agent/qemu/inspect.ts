import { readFile } from 'node:fs/promises';
import type { Monitor } from '../monitor/monitor.ts';
import { BadReplyError } from '../monitor/qmp/errors.ts';
import { isObject } from '../monitor/qmp/types.ts';
import type { QemuTraits } from './facts.ts';
import type { QemuSettings } from './options.ts';
import { readSchema, type SchemaFacts } from './schema.ts';
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
}

/** TARGET_PAGE_SIZE of every target that has live migration under KVM; query-migrate may correct it. */
const usualPageBytes = 4096;

/**
 * Asks a QEMU who it is and what it can do; read-only, and answered by waiting destinations too.
 * Throws what `Monitor.execute` throws, and BadReplyError naming the field that makes no sense.
 */
export async function inspectVm(monitor: Monitor, procDirectory = '/proc'): Promise<Inspection> {
  const ask = (command: string): Promise<Reply> => askFor(monitor, command);
  const version = versionIn(await ask('query-version'));
  const name = (await ask('query-name')).optional('name', 'string');
  const migration = await ask('query-migrate');
  const vcpuThreadIds = threadIdsIn(await ask('query-cpus-fast'));
  const memory = await ask('query-memory-size-summary');
  const qemuPid = await processOf(vcpuThreadIds[0], procDirectory);
  return {
    version,
    ...readSchema((await ask('query-qmp-schema')).value),
    uuid: (await ask('query-uuid')).required('UUID', 'string'),
    ...(name === undefined ? {} : { name }),
    runState: (await ask('query-status')).required('status', 'string'),
    migrationStatus: migration.optional('status', 'string') ?? 'none',
    settings: await readSettings(monitor),
    ...(qemuPid === undefined ? {} : { qemuPid }),
    vcpuThreadIds,
    ramBytes:
      memory.required('base-memory', 'number') + (memory.optional('plugged-memory', 'number') ?? 0),
    pageBytes: pageBytesIn(migration),
    kvm: (await ask('query-kvm')).required('enabled', 'boolean'),
  };
}

/** Capabilities and parameters as they are now. Throws as `inspectVm`. */
export async function readSettings(monitor: Monitor): Promise<QemuSettings> {
  const capabilities = await askFor(monitor, 'query-migrate-capabilities');
  const parameters = await askFor(monitor, 'query-migrate-parameters');
  const states = capabilities.list().map((entry): [string, boolean] => {
    return [entry.required('capability', 'string'), entry.required('state', 'boolean')];
  });
  return { capabilities: Object.fromEntries(states), parameters: parameters.object() };
}

interface FieldTypes {
  readonly string: string;
  readonly number: number;
  readonly boolean: boolean;
}

/** A reply, or a part of one, with checked access; complaints name monitor, command and field. */
class Reply {
  readonly value: unknown;
  readonly #complain: (what: string) => BadReplyError;

  constructor(value: unknown, complain: (what: string) => BadReplyError) {
    this.value = value;
    this.#complain = complain;
  }

  object(): Readonly<Record<string, unknown>> {
    if (isObject(this.value)) return this.value;
    throw this.#complain('is no object');
  }

  list(): Reply[] {
    if (!Array.isArray(this.value)) throw this.#complain('is no list');
    return this.value.map((entry) => new Reply(entry, this.#complain));
  }

  part(field: string): Reply {
    return new Reply(this.object()[field], this.#complain);
  }

  optional<T extends keyof FieldTypes>(field: string, type: T): FieldTypes[T] | undefined {
    const value = this.object()[field];
    if (value === undefined) return undefined;
    if (typeof value !== type) throw this.#complain(`has a ${field} that is no ${type}`);
    return value as FieldTypes[T];
  }

  required<T extends keyof FieldTypes>(field: string, type: T): FieldTypes[T] {
    const value = this.optional(field, type);
    if (value === undefined) throw this.#complain(`has no ${field}`);
    return value;
  }
}

async function askFor(monitor: Monitor, command: string): Promise<Reply> {
  const value = await monitor.execute(command);
  return new Reply(value, (what) => new BadReplyError(monitor.address, `${command} ${what}`));
}

function versionIn(reply: Reply): QemuVersion {
  const qemu = reply.part('qemu');
  return {
    major: qemu.required('major', 'number'),
    minor: qemu.required('minor', 'number'),
    micro: qemu.required('micro', 'number'),
  };
}

function threadIdsIn(reply: Reply): number[] {
  const cpus = reply.list().map((cpu) => ({
    index: cpu.required('cpu-index', 'number'),
    threadId: cpu.required('thread-id', 'number'),
  }));
  return cpus.sort((left, right) => left.index - right.index).map(({ threadId }) => threadId);
}

function pageBytesIn(migration: Reply): number {
  const ram = migration.part('ram');
  return (isObject(ram.value) ? ram.optional('page-size', 'number') : undefined) ?? usualPageBytes;
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
