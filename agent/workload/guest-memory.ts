/**
 * Reads pages of a guest's RAM from outside, through /proc/PID/mem. Only this room sees content;
 * nothing but figures leaves it.
 *
 * Reading is passive: an untouched private page costs the host a reference to the zero page, an
 * untouched page of a shared backend is allocated (at most one per sampled page). Not for a
 * destination in post-copy, where reading a missing page waits for the network.
 */
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { FerrymanError } from '../../shared/errors.ts';
import { findGuestRam, type Mapping, parseMappings } from './ram-mapping.ts';
import { forEachInTurns } from './turns.ts';

/** The page of x86 and of QEMU's dirty bitmap there. */
export const pageBytes = 4096;

/** A process that owns no RAM of this size, that ended, or that we may not read. */
export class GuestMemoryError extends FerrymanError {
  constructor(message: string, cause?: unknown) {
    super('GUEST_MEMORY', message, { cause });
  }
}

/** The RAM of one guest, as pages counted from 0. */
export interface GuestMemory {
  readonly pageCount: number;
  /**
   * Reads these pages one after the other into `target`, giving way to the event loop every few
   * milliseconds. Throws GuestMemoryError when the process has ended.
   */
  readPages(pages: readonly number[], target: Buffer): Promise<void>;
  close(): void;
}

/** Whether this process may read the memory of that one (ptrace access, CAP_SYS_PTRACE). */
export function canReadGuestMemory(qemuPid: number): boolean {
  try {
    closeSync(openSync(memoryPath(qemuPid), 'r'));
    return true;
  } catch {
    return false;
  }
}

/** Opens the RAM of a QEMU process; `ramBytes` is its exact size. Throws GuestMemoryError. */
export function openGuestMemory(qemuPid: number, ramBytes: number): GuestMemory {
  const ram = findGuestRam(readMappings(qemuPid), ramBytes);
  if (ram.length === 0) {
    throw new GuestMemoryError(
      `process ${String(qemuPid)} has no memory that adds up to ${String(ramBytes)} bytes of RAM; ` +
        'is this the QEMU process of the VM, and the sum of all its memory backends?',
    );
  }
  const file = openMemory(qemuPid);
  return {
    pageCount: ramBytes / pageBytes,
    readPages: (pages, target) => readPages(file, ram, pages, target, qemuPid),
    close: () => {
      closeSync(file);
    },
  };
}

function memoryPath(qemuPid: number): string {
  return `/proc/${String(qemuPid)}/mem`;
}

function readMappings(qemuPid: number): Mapping[] {
  try {
    return parseMappings(readFileSync(`/proc/${String(qemuPid)}/maps`, 'utf8'));
  } catch (cause) {
    throw refused(qemuPid, cause);
  }
}

function openMemory(qemuPid: number): number {
  try {
    return openSync(memoryPath(qemuPid), 'r');
  } catch (cause) {
    throw refused(qemuPid, cause);
  }
}

function refused(qemuPid: number, cause: unknown): GuestMemoryError {
  return new GuestMemoryError(
    `cannot read the memory of process ${String(qemuPid)}; ` +
      'the agent needs root or CAP_SYS_PTRACE, and the process must be alive',
    cause,
  );
}

function readPages(
  file: number,
  ram: readonly Mapping[],
  pages: readonly number[],
  target: Buffer,
  qemuPid: number,
): Promise<void> {
  return forEachInTurns(pages, (page, index) => {
    try {
      const length = readSync(file, target, index * pageBytes, pageBytes, addressOf(ram, page));
      // The kernel answers zero bytes once the process has given its memory back.
      if (length !== pageBytes) throw new Error(`read ${String(length)} bytes of a page`);
    } catch (cause) {
      throw refused(qemuPid, cause);
    }
  });
}

function addressOf(ram: readonly Mapping[], page: number): number {
  let offset = page * pageBytes;
  for (const { startAddress, lengthBytes } of ram) {
    if (offset < lengthBytes) return startAddress + offset;
    offset -= lengthBytes;
  }
  throw new RangeError(`page ${String(page)} is beyond the end of the guest's RAM`);
}
