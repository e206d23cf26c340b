/** The workload probe as the agent would make it: a sample of pages, with a sample's noise. */
import type { ProbeReport } from '../../shared/sample.ts';
import type { Guest } from './guest.ts';
import { zlibSecondsPerPage } from './page-encoder.ts';
import type { Random } from './random.ts';
import { pageBytes } from './workload.ts';

const mostSampledPages = 4000;
const usualMomentsMilliseconds = [0, 100, 250, 500, 1000];
/** Choosing pages and compressing some take the rest of the time. */
const aroundMilliseconds = 90;

/** Begins to look at a guest; what it gives tells what was seen by the end of `tookMilliseconds`. */
export function beginProbe(
  guest: Guest,
  random: Random,
  startMilliseconds: number,
  tookMilliseconds: number,
): () => ProbeReport {
  const sample = samplePages(guest.pages, random);
  const writes = guest.watch(sample);
  return () => {
    guest.watch([]);
    const longest = tookMilliseconds - aroundMilliseconds;
    const moments = [...usualMomentsMilliseconds.filter((each) => each <= 0.8 * longest), longest];
    const wroteBetween = (start: number, end: number): number[] =>
      sample.filter((page) =>
        writes.get(page)?.some((at) => {
          const since = at - startMilliseconds;
          return since > start && since <= end;
        }),
      );
    const curve = pairsOf(moments).map(([start, end]) => ({
      windowMilliseconds: end - start,
      dirtyBytes: (wroteBetween(start, end).length / sample.length) * ramBytesOf(guest),
    }));
    return report(guest, random, {
      sample,
      dirtied: wroteBetween(0, longest),
      curve,
      tookMilliseconds,
    });
  };
}

/** One page of each of equal stretches of RAM. */
function samplePages(pages: number, random: Random): number[] {
  const count = Math.min(pages, mostSampledPages);
  const startOf = (index: number): number => Math.ceil((index * pages) / count);
  return Array.from({ length: count }, (_, index) => {
    const start = startOf(index);
    return start + random.integer(startOf(index + 1) - start);
  });
}

function pairsOf(moments: readonly number[]): (readonly [number, number])[] {
  return moments
    .flatMap((start, index) => moments.slice(index + 1).map((end) => [start, end] as const))
    .toSorted(([start, end], [otherStart, otherEnd]) => end - start - (otherEnd - otherStart));
}

interface Seen {
  readonly sample: readonly number[];
  readonly dirtied: readonly number[];
  readonly curve: ProbeReport['dirtyCurve'];
  readonly tookMilliseconds: number;
}

function report(
  guest: Guest,
  random: Random,
  { sample, dirtied, curve, tookMilliseconds }: Seen,
): ProbeReport {
  const filled = sample.filter((page) => guest.zero[page] === 0);
  return {
    source: 'guest-memory',
    tookMilliseconds,
    ramBytes: guest.workload.ramBytes,
    sampledPages: sample.length,
    zeroShare: 1 - filled.length / sample.length,
    compressionSecondsPerPage: zlibSecondsPerPage * random.between(0.9, 1.1),
    dirtyCurve: curve,
    ...(filled.length > 0 && { compressionRatio: ratioOf(guest, filled) }),
    ...(dirtied.length > 0 && {
      dirtyCompressionRatio: ratioOf(guest, dirtied),
      xbzrleDeltaShare: Math.min(1, meanDelta(guest, dirtied) * random.between(0.9, 1.1)),
    }),
  };
}

function ramBytesOf(guest: Guest): number {
  return guest.pages * pageBytes;
}

function ratioOf(guest: Guest, pages: readonly number[]): number {
  const compressed = pages.reduce((sum, page) => sum + (guest.compressedShare[page] as number), 0);
  return pages.length / compressed;
}

function meanDelta(guest: Guest, pages: readonly number[]): number {
  return pages.reduce((sum, page) => sum + guest.contentOf(page).deltaShare, 0) / pages.length;
}
