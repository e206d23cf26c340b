import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { tools } from '../../scripts/tools.mjs';

/**
 * What a written page holds: `random` cannot be compressed, `text` shrinks to a third by zlib
 * level 1, `sparse` is random content of which each write changes a few bytes (so that XBZRLE
 * sends almost nothing), `mixed` is a quarter random, a quarter sparse and half text.
 */
export type Content = 'random' | 'text' | 'sparse' | 'mixed';

/** How the guest dirties its memory. */
export interface Phase {
  readonly workingSetBytes: number;
  /** The pace while it is on; 0 is idle. What the guest cannot do in time it leaves undone. */
  readonly dirtyBytesPerSecond: number;
  readonly content: Content;
  /** `sequential` sweeps through the working set; default `random`. */
  readonly order?: 'random' | 'sequential';
  /** A part of the working set that takes `writeShare` (0 to 1) of the writes. */
  readonly hotSet?: { readonly bytes: number; readonly writeShare: number };
  /** Bytes that a write to sparse content changes, in multiples of 4; default 16. */
  readonly sparseBytes?: number;
  /** Dirties for a while, then rests for a while; default always on. */
  readonly burst?: { readonly onMilliseconds: number; readonly offMilliseconds: number };
}

export interface Guest extends Phase {
  /** Filled at boot with the phase's content, beside the working set; default none. */
  readonly idleBytes?: number;
  /** Between ticks: `spin` keeps the vCPU busy, `halt` (the default) gives it up. */
  readonly wait?: 'spin' | 'halt';
  /** Writes are made in ticks of this length; default 10. */
  readonly tickMilliseconds?: number;
  /** Has a second vCPU, which computes for a part of each tick and writes nothing. */
  readonly secondVcpu?: boolean;
  /** Written to a disk, in requests of 8 KiB, one or more of them in each tick; default none. */
  readonly diskBytesPerSecond?: number;
  /** Behaves differently from this time after it was ready. */
  readonly later?: Phase & { readonly afterMilliseconds: number };
}

const pageBytes = 4096;
const unitsPerTick = 1_000_000;
const memoryBaseBytes = 2 << 20;
const diskRequestBytes = 8192;
/** What a guest that writes to a disk needs one to hold. */
export const diskBytes = 32_768 * 512;
const never = 0xffff_ffff;
const contents: readonly Content[] = ['random', 'text', 'sparse', 'mixed'];

/** Memory that a guest needs, in bytes, with room for firmware above it. */
export function neededMemoryBytes(guest: Guest): number {
  return memoryBaseBytes + filledPages(guest) * pageBytes + (4 << 20);
}

/**
 * Assembles the guest into `imagePath`, for QEMU's `-kernel`. Throws when nasm is missing, and
 * RangeError when the guest's numbers contradict each other.
 */
export function buildGuest(guest: Guest, imagePath: string): void {
  const tick = guest.tickMilliseconds ?? 10;
  const settings = [
    tick * 1000,
    guest.later?.afterMilliseconds ?? never,
    filledPages(guest),
    guest.wait === 'spin' ? 0 : 1,
    guest.secondVcpu === true ? 1 : 0,
    Math.round(((guest.diskBytesPerSecond ?? 0) * tick) / 1000 / diskRequestBytes),
  ];
  const definitions = {
    SETTINGS: settings,
    FIRST_PHASE: phaseFields(guest, tick),
    SECOND_PHASE: phaseFields(guest.later ?? guest, tick),
  };
  const folder = fileURLToPath(new URL('.', import.meta.url));
  const defines = Object.entries(definitions).map(([name, values]) => `-D${name}=${values.join()}`);
  execFileSync(tools().nasm, [
    '-f',
    'bin',
    '-I',
    folder,
    ...defines,
    '-o',
    imagePath,
    `${folder}guest.asm`,
  ]);
}

function filledPages(guest: Guest): number {
  const workingSet = Math.max(guest.workingSetBytes, guest.later?.workingSetBytes ?? 0);
  return pages(workingSet + (guest.idleBytes ?? 0));
}

/** The fields of `phase` in guest.asm, in its order. */
function phaseFields(phase: Phase, tickMilliseconds: number): number[] {
  const pagesPerTick = pages((phase.dirtyBytesPerSecond * tickMilliseconds) / 1000);
  const hot = phase.hotSet ?? { bytes: 0, writeShare: 0 };
  const sparseBytes = phase.sparseBytes ?? 16;
  requireRange('workingSetBytes', phase.workingSetBytes, pageBytes, 3 * 2 ** 30);
  requireRange('hotSet.bytes', hot.bytes, 0, phase.workingSetBytes - pageBytes);
  requireRange('hotSet.writeShare', hot.writeShare, 0, 1);
  requireRange('sparseBytes', sparseBytes, 4, pageBytes);
  return [
    pagesPerTick,
    Math.round(unitsPerTick / Math.max(1, pagesPerTick)),
    pages(phase.workingSetBytes),
    pages(hot.bytes),
    Math.min(Math.round(hot.writeShare * 2 ** 32), never),
    phase.order === 'sequential' ? 1 : 0,
    contents.indexOf(phase.content),
    sparseBytes / 4,
    phase.burst?.onMilliseconds ?? 0,
    phase.burst?.offMilliseconds ?? 0,
  ];
}

function pages(bytes: number): number {
  return Math.round(bytes / pageBytes);
}

function requireRange(name: string, value: number, least: number, most: number): void {
  if (!(value >= least && value <= most))
    throw new RangeError(`guest: ${name} is ${value}, must be ${least} to ${most}`);
}
