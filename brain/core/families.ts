/**
 * How fast each family of capabilities drains guest RAM, from the probe's figures, the link and the
 * host's idle cores. The family matters more than the throttle: with QEMU's capabilities frozen at
 * the start, this is the choice that has to be made first.
 */
import type { Family, ProbeReport } from '../../shared/sample.ts';
import { compressionThreads, xbzrleCacheLimitBytes } from './budget.ts';
import { currentLink, plausibleBandwidths } from './link.ts';
import type { Migration } from './migration.ts';

/** Guest RAM drained per second: in the first pass, and in the rounds after it. */
export interface DrainRates {
  readonly firstPassBytesPerSecond: number;
  readonly laterRoundsBytesPerSecond: number;
}

/** One migration thread copies about this much [measured 0.3 to 1 GB/s on a small host]. */
const migrationThreadBytesPerSecond = 1e9;
/** XBZRLE encodes in that one thread, and keeps a copy of each page [1.5 to 2.2 GB/s reported]. */
const xbzrleBytesPerSecond = 600e6;
/** zstd level 1 needs about a fifth of zlib level 1's time. */
const zstdSpeedup = 5;
/**
 * What zstd saves beyond zlib, both level 1 and in one stream: 15 % more of what there is to gain
 * [measured 0 to 45 % on text, program code, sources, a JavaScript heap and a mixture].
 */
const zstdGain = 1.15;
/** Header of a page and of an encoded delta, as a share of the page. */
const headerShare = 0.005;

/**
 * Rounds at the first pass's rate: XBZRLE starts with the second pass, which only fills its cache
 * (ram.c: xbzrle_started), so that deltas flow from the third on.
 */
export function firstRateRounds(family: Family): number {
  return family === 'xbzrle' ? 2 : 1;
}

/** The families that both sides can arm, in the order in which the source names them. */
export function legalFamilies(migration: Migration): readonly Family[] {
  const destination = migration.destination?.families ?? [];
  return (migration.source?.families ?? []).filter((family) => destination.includes(family));
}

/**
 * A cache that holds the working set, within a quarter of the free memory. It maps addresses
 * directly, so twice the room, where that is cheap, keeps scattered pages from evicting each other;
 * more than all of RAM is of no use.
 */
export function xbzrleCacheBytes(migration: Migration): number {
  const limitBytes = xbzrleCacheLimitBytes(migration);
  const ramBytes = ceilToPowerOfTwo(migration.source?.ramBytes ?? limitBytes);
  const tight = Math.max(1.2 * (migration.workingSet?.bytes ?? 0), leastCacheBytes);
  const roomy = ceilToPowerOfTwo(2 * tight);
  const wanted = roomy <= limitBytes / 4 ? roomy : ceilToPowerOfTwo(tight);
  return Math.min(wanted, ramBytes, limitBytes);
}

const leastCacheBytes = 16 * 2 ** 20;

function ceilToPowerOfTwo(bytes: number): number {
  return 2 ** Math.ceil(Math.log2(bytes));
}

/** multifd with one channel is plain pre-copy with more to go wrong. */
const fewestConnections = 2;

/** Threads that compress or copy: over a link that nobody knows, no more than the fewest. */
function affordableThreads(migration: Migration): number {
  const threads = compressionThreads(migration);
  const isKnown = plausibleBandwidths(currentLink(migration)).length === 1;
  return isKnown ? threads : Math.min(threads, fewestConnections);
}

/**
 * Connections of a multifd family: no more than it takes to fill the link. The kernel buffers up to
 * 4 MiB for each, which must cross while the guest stands still [measured over 21 MiB/s with two:
 * 574 ms where QEMU says 226].
 */
export function multifdConnections(migration: Migration, family: Family): number {
  const wire = currentLink(migration).bytesPerSecond;
  const rateWith = (threads: number) =>
    drainRates(migration, family, wire, threads).firstPassBytesPerSecond;
  const most = Math.max(fewestConnections, affordableThreads(migration));
  let connections = fewestConnections;
  while (connections < most && rateWith(connections) < rateWith(most)) connections += 1;
  return connections;
}

/**
 * Whether QEMU counts a family's bytes before they are compressed, and so takes for bandwidth what is
 * drained: multifd's on 7.2. The setting that would mend its switchover test came later (8.2).
 */
export function countsBeforeCompression({ source }: Migration, family: Family): boolean {
  const isNew = source?.liveSettings.includes('avail-switchover-bandwidth') === true;
  return !isNew && (family === 'multifd-zlib' || family === 'multifd-zstd');
}

/** How fast guest RAM leaves the source in `family` over a wire of this bandwidth, as bytes of RAM. */
export function drainRates(
  migration: Migration,
  family: Family,
  wireBytesPerSecond: number,
  threads = affordableThreads(migration),
): DrainRates {
  const wire = wireBytesPerSecond;
  switch (family) {
    case 'plain':
      return both(Math.min(wire, migrationThreadBytesPerSecond));
    case 'multifd':
      return both(Math.min(wire, migrationThreadBytesPerSecond * threads));
    case 'xbzrle':
      return {
        firstPassBytesPerSecond: Math.min(wire, xbzrleBytesPerSecond),
        laterRoundsBytesPerSecond: Math.min(wire / xbzrleShare(migration), xbzrleBytesPerSecond),
      };
    case 'multifd-zlib':
      return compressed(migration, wire, { threads, speedup: 1, ratioOf: inStream });
    case 'multifd-zstd':
      return compressed(migration, wire, {
        threads,
        speedup: zstdSpeedup,
        ratioOf: (pageRatio, probe) => 1 + zstdGain * (inStream(pageRatio, probe) - 1),
      });
    case 'compress':
      return compressed(
        migration,
        wire,
        { threads: compressionThreads(migration), speedup: 1, ratioOf: (pageRatio) => pageRatio },
        wire,
      );
  }
}

function both(bytesPerSecond: number): DrainRates {
  return { firstPassBytesPerSecond: bytesPerSecond, laterRoundsBytesPerSecond: bytesPerSecond };
}

/** Mean wire size of a page of a later round, as a share of the page. */
function xbzrleShare(migration: Migration): number {
  const encoded = migration.probe?.xbzrleDeltaShare ?? 1;
  const workingSetBytes = Math.max(1, migration.workingSet?.bytes ?? 1);
  const hitShare = Math.min(1, xbzrleCacheBytes(migration) / workingSetBytes);
  return Math.min(1, hitShare * encoded + (1 - hitShare) + headerShare);
}

interface Codec {
  readonly threads: number;
  /** Over zlib level 1. */
  readonly speedup: number;
  /** What becomes of zlib's ratio page by page. */
  readonly ratioOf: (pageRatio: number, probe: ProbeReport | undefined) => number;
}

/** multifd compresses neighbouring pages together. */
function inStream(pageRatio: number, probe: ProbeReport | undefined): number {
  return pageRatio <= 1 ? 1 : pageRatio * (probe?.streamCompressionGain ?? 1);
}

/** R = min(B rho, k c): bound by the link times the ratio, or by k threads at c bytes per second each. */
function compressed(
  migration: Migration,
  wire: number,
  { threads, speedup, ratioOf }: Codec,
  floorBytesPerSecond = 0,
): DrainRates {
  const probe = migration.probe;
  const allPages = probe?.compressionRatio ?? 1;
  const all = ratioOf(allPages, probe);
  const dirty = ratioOf(probe?.dirtyCompressionRatio ?? allPages, probe);
  const secondsPerPage = (probe?.compressionSecondsPerPage ?? Infinity) / speedup;
  const pageBytes = migration.source?.pageBytes ?? 4096;
  const workers = (threads * pageBytes) / secondsPerPage;
  const rate = (ratio: number) => Math.max(floorBytesPerSecond, Math.min(wire * ratio, workers));
  return { firstPassBytesPerSecond: rate(all), laterRoundsBytesPerSecond: rate(dirty) };
}
