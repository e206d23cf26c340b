/** Tries zlib on a few sampled pages: what it would gain, and what it costs on this host. */
import { compressedBytes, pageAt, type Snapshot, thinOut } from './page-statistics.ts';
import { forEachInTurns } from './turns.ts';

export interface CompressionTrial {
  /** Uncompressed over compressed size, all tried pages together. */
  readonly ratio: number;
  readonly secondsPerPage: number;
}

/** Enough for a ratio within a few percent: about 7 ms. */
const triedPages = 100;

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
