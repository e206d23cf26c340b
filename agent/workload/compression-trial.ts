/** Tries zlib on a few sampled pages: what it would gain, and what it costs on this host. */
import type { Clock } from '../../shared/clock.ts';
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
 * none. The cost includes what Node adds to a call, so compression is not oversold.
 */
export async function tryCompression(
  snapshot: Snapshot,
  pages: readonly number[],
  clock: Clock,
): Promise<CompressionTrial | undefined> {
  const tried = thinOut(pages, triedPages);
  if (tried.length === 0) return undefined;
  let sumBytes = 0;
  let sumMilliseconds = 0;
  await forEachInTurns(tried, (page) => {
    const startedAt = clock.monotonicMilliseconds();
    sumBytes += compressedBytes(pageAt(snapshot, page));
    sumMilliseconds += clock.monotonicMilliseconds() - startedAt;
  });
  return {
    ratio: (tried.length * snapshot.pageBytes) / sumBytes,
    secondsPerPage: sumMilliseconds / 1000 / tried.length,
  };
}
