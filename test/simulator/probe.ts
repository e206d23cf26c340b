/** The workload probe as the agent would make it: a sample of pages, with a sample's noise. */
import type { ProbeReport } from '../../shared/sample.ts';
import type { Guest } from './guest.ts';
import { zlibSecondsPerPage } from './page-encoder.ts';
import type { Random } from './random.ts';
import { pageBytes } from './workload.ts';

const sampledPages = 2000;
const windowsMilliseconds = [100, 250, 500, 1000, 2000];

/** What a probe that began `tookMilliseconds` ago finds now. */
export function probeReport(
  guest: Guest,
  random: Random,
  nowMilliseconds: number,
  tookMilliseconds: number,
): ProbeReport {
  const sample = Array.from({ length: sampledPages }, () => random.integer(guest.pages));
  const writtenWithin = (window: number): number[] =>
    sample.filter(
      (page) => (guest.writtenAtMilliseconds[page] as number) > nowMilliseconds - window,
    );
  const dirtied = writtenWithin(tookMilliseconds);
  const filled = sample.filter((page) => guest.zero[page] === 0);
  const windows = windowsMilliseconds.filter((window) => window <= tookMilliseconds);
  return {
    source: 'guest-memory',
    tookMilliseconds,
    ramBytes: guest.workload.ramBytes,
    sampledPages,
    zeroShare: 1 - filled.length / sampledPages,
    compressionSecondsPerPage: zlibSecondsPerPage * random.between(0.9, 1.1),
    dirtyCurve: windows.map((windowMilliseconds) => ({
      windowMilliseconds,
      dirtyBytes: (writtenWithin(windowMilliseconds).length / sampledPages) * ramBytesOf(guest),
    })),
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
