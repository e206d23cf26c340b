/** Tries zlib on a few sampled pages: what it would gain, and what it costs on this host. */
import type { GuestMemory } from './guest-memory.ts';
import { compressedBytes, isZeroPage, pageAt, type Snapshot, thinOut } from './page-statistics.ts';
import { forEachInTurns } from './turns.ts';

export interface CompressionTrial {
  /** Uncompressed over compressed size, all tried pages together. */
  readonly ratio: number;
  readonly secondsPerPage: number;
}

/** Enough for a ratio within a few percent: about 7 ms. */
const triedPages = 100;
/** zlib looks back over 32 KiB: what lies further apart it does not see. */
const runPages = 8;
/** About 17 ms: each page is compressed by itself and in its run. */
const triedRuns = 16;

/**
 * Compresses some of these pages one by one, as QEMU's `compress` does; undefined when there is
 * none. The cost is processor time: on a busy host the time on the clock would be that of the
 * others' work. It includes what Node adds to a call, so compression is not oversold.
 */
export async function tryCompression(
  snapshot: Snapshot,
  pages: readonly number[],
): Promise<CompressionTrial | undefined> {
  const tried = thinOut(pages, triedPages);
  if (tried.length === 0) return undefined;
  let sumBytes = 0;
  let sumMicroseconds = 0;
  await forEachInTurns(tried, (page) => {
    const before = process.cpuUsage();
    sumBytes += compressedBytes(pageAt(snapshot, page));
    const { user, system } = process.cpuUsage(before);
    sumMicroseconds += user + system;
  });
  return {
    ratio: (tried.length * snapshot.pageBytes) / sumBytes,
    secondsPerPage: sumMicroseconds / 1e6 / tried.length,
  };
}

/**
 * How many times smaller pages become beside their neighbours than by themselves: multifd compresses
 * its pages as one stream. Reads a few runs of RAM around these pages; 1 when nothing is gained.
 */
export async function tryStream(
  memory: GuestMemory,
  pageBytes: number,
  pages: readonly number[],
): Promise<number> {
  const starts = thinOut(pages, triedRuns).map((page) => page - (page % runPages));
  const neighbours = starts
    .flatMap((start) => Array.from({ length: runPages }, (_, index) => start + index))
    .filter((page) => page < memory.pageCount);
  const bytes = Buffer.alloc(neighbours.length * pageBytes);
  await memory.readPages(neighbours, bytes);
  const runs = starts.map((_, index) => filledPages({ bytes, pageBytes }, index * runPages));
  let apart = 0;
  let together = 0;
  await forEachInTurns(runs, (run) => {
    apart += run.reduce((sum, page) => sum + compressedBytes(page), 0);
    together += compressedBytes(Buffer.concat(run));
  });
  return Math.max(1, apart / Math.max(1, together));
}

/** Those pages of a run that are not empty: the others never get to the compressor. */
function filledPages(snapshot: Snapshot, first: number): readonly Buffer[] {
  const end = Math.min(first + runPages, snapshot.bytes.length / snapshot.pageBytes);
  const indices = Array.from({ length: Math.max(0, end - first) }, (_, index) => first + index);
  return indices
    .filter((index) => !isZeroPage(snapshot, index))
    .map((index) => pageAt(snapshot, index));
}
