/**
 * Probes a guest by reading the same sample of its pages several times and comparing content.
 *
 * QEMU counts a page as dirty even if the same bytes were written again; a comparison cannot see
 * that, so the curve is a lower bound for guests that rewrite what is already there.
 */
import type { Clock } from '../../shared/clock.ts';
import type { ProbeReport } from '../../shared/sample.ts';
import { tryCompression, tryStream } from './compression-trial.ts';
import { type GuestMemory, pageBytes } from './guest-memory.ts';
import {
  type ChangeHistory,
  estimateShare,
  estimateXbzrle,
  isChangedPage,
  isZeroPage,
  pickPages,
  type Snapshot,
  thinOut,
  toDirtyCurve,
} from './page-statistics.ts';
import { findInTurns } from './turns.ts';

/** Time as the probe needs it; tests hold it. */
export interface ProbeTime {
  readonly sleep: (milliseconds: number) => Promise<void>;
  readonly clock: Clock;
}

const defaultBudgetMilliseconds = 1600;
const leastBudgetMilliseconds = 150;
const mostBudgetMilliseconds = 2000;

/** Close together where the curve bends; one more, the longest, fills the budget. */
const usualWindowsMilliseconds = [100, 250, 500, 1000];
const shortestWindowMilliseconds = 50;
/** A guest that changed nothing by then is idle, and need not be watched longer. */
const idleAfterMilliseconds = 500;
/** Kept back for compressing dirtied pages and sizing their deltas. */
const reserveMilliseconds = 40;

/** One page in 64, within bounds: the error falls with the root of the sample, the cost does not. */
const pagesPerSampledPage = 64;
const enoughPages = 4096;
const mostPages = 8000;
/** Read even if reading is slow, and never more than this takes. */
const leastPages = 2000;
const readMilliseconds = 40;
const calibrationPages = 256;
/** Pages whose XBZRLE delta is sized: about 2 ms. */
const deltaPages = 128;

/** Probes RAM that is already open; the caller closes it. Throws GuestMemoryError. */
export async function probeMemory(
  memory: GuestMemory,
  time: ProbeTime,
  budgetMilliseconds = defaultBudgetMilliseconds,
): Promise<ProbeReport> {
  const startedAt = time.clock.monotonicMilliseconds();
  const endsAt = startedAt + clampBudget(budgetMilliseconds);
  const pages = await choosePages(memory, time.clock);
  const before = await takeSnapshot(memory, pages, time.clock);
  const filled = await findInTurns(pages.length, (page) => !isZeroPage(before, page));
  const compression = await tryCompression(before, filled);
  const filledPages = filled.map((index) => pages[index] ?? 0);
  const streamCompressionGain = await tryStream(memory, pageBytes, filledPages);
  const { after, dirtied, history, takenAtMilliseconds } = await watch(
    memory,
    pages,
    before,
    endsAt,
    time,
  );
  const dirtyCompression = await tryCompression(after, dirtied);
  const xbzrle = estimateXbzrle(before, after, thinOut(dirtied, deltaPages));
  const ramBytes = memory.pageCount * pageBytes;
  return {
    source: 'guest-memory',
    tookMilliseconds: time.clock.monotonicMilliseconds() - startedAt,
    ramBytes,
    sampledPages: pages.length,
    zeroShare: estimateShare(pages.length - filled.length, pages.length).share,
    ...(compression && {
      compressionRatio: compression.ratio,
      compressionSecondsPerPage: compression.secondsPerPage,
      streamCompressionGain,
    }),
    ...(dirtyCompression && { dirtyCompressionRatio: dirtyCompression.ratio }),
    dirtyCurve: toDirtyCurve(history, takenAtMilliseconds, ramBytes),
    ...(xbzrle && { xbzrleDeltaShare: xbzrle.deltaShare }),
  };
}

function clampBudget(budgetMilliseconds: number): number {
  return Math.min(mostBudgetMilliseconds, Math.max(leastBudgetMilliseconds, budgetMilliseconds));
}

/** As many pages as the RAM deserves and one read of 40 ms can take, measured on a few. */
async function choosePages(memory: GuestMemory, clock: Clock): Promise<number[]> {
  const trial = pickPages(memory.pageCount, calibrationPages, Math.random);
  const cold = await takeSnapshot(memory, trial, clock);
  const warm = await takeSnapshot(memory, trial, clock);
  const tookMilliseconds = Math.min(cold.tookMilliseconds, warm.tookMilliseconds);
  const affordable = Math.max(leastPages, (readMilliseconds * trial.length) / tookMilliseconds);
  const deserved = Math.max(enoughPages, memory.pageCount / pagesPerSampledPage);
  const count = Math.floor(Math.min(mostPages, affordable, deserved));
  return pickPages(memory.pageCount, count, Math.random);
}

/** A snapshot with the moment its first page was read, and how long the last one took to come. */
interface TimedSnapshot extends Snapshot {
  readonly atMilliseconds: number;
  readonly tookMilliseconds: number;
}

async function takeSnapshot(
  memory: GuestMemory,
  pages: readonly number[],
  clock: Clock,
  bytes: Buffer = Buffer.alloc(pages.length * pageBytes),
): Promise<TimedSnapshot> {
  const atMilliseconds = clock.monotonicMilliseconds();
  await memory.readPages(pages, bytes);
  const tookMilliseconds = clock.monotonicMilliseconds() - atMilliseconds;
  return { bytes, pageBytes, atMilliseconds, tookMilliseconds };
}

interface Watched {
  /** The last snapshot, and the pages that differ in it from the first. */
  readonly after: Snapshot;
  readonly dirtied: readonly number[];
  readonly history: ChangeHistory;
  /** Of each snapshot, the first included. */
  readonly takenAtMilliseconds: readonly number[];
}

/** Reads the pages again at the end of each window; ends early when the guest is idle. */
async function watch(
  memory: GuestMemory,
  pages: readonly number[],
  before: TimedSnapshot,
  endsAtMilliseconds: number,
  { sleep, clock }: ProbeTime,
): Promise<Watched> {
  const longest =
    endsAtMilliseconds - before.atMilliseconds - before.tookMilliseconds - reserveMilliseconds;
  const history = new Uint32Array(pages.length);
  const takenAtMilliseconds = [before.atMilliseconds];
  // The first snapshot stays as it was; two more buffers take turns.
  let last: Snapshot = before;
  let spare: Buffer = Buffer.alloc(before.bytes.length);
  for (const [span, window] of planWindows(longest).entries()) {
    await sleep(Math.max(0, before.atMilliseconds + window - clock.monotonicMilliseconds()));
    const now = await takeSnapshot(memory, pages, clock, spare);
    await noteChanges(history, span, last, now);
    takenAtMilliseconds.push(now.atMilliseconds);
    spare = last === before ? Buffer.alloc(before.bytes.length) : last.bytes;
    last = now;
    if (window >= idleAfterMilliseconds && history.every((page) => page === 0)) break;
  }
  const dirtied = await findInTurns(pages.length, (page) => isChangedPage(before, last, page));
  return { after: last, dirtied, history, takenAtMilliseconds };
}

async function noteChanges(
  history: ChangeHistory,
  span: number,
  last: Snapshot,
  now: Snapshot,
): Promise<void> {
  for (const page of await findInTurns(history.length, (each) => isChangedPage(last, now, each))) {
    history[page] = (history[page] ?? 0) | (1 << span);
  }
}

/** The usual windows that leave some room before the longest one, then the longest. */
export function planWindows(longestMilliseconds: number): number[] {
  const longest = Math.max(shortestWindowMilliseconds, longestMilliseconds);
  return [...usualWindowsMilliseconds.filter((window) => window <= 0.8 * longest), longest];
}
