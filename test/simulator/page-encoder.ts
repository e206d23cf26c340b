/** What a page costs on the wire and on the CPU under each family of capabilities. */
import type { Arming } from '../../shared/command.ts';
import type { Family, XbzrleSample } from '../../shared/sample.ts';
import type { Guest } from './guest.ts';
import { pageBytes } from './workload.ts';

const headerBytes = 8;
/** QEMU sends a zero page as its address, a flag and a fill byte. */
const zeroPageBytes = 9;
/** What one migration thread copies when nothing is compressed. */
const copiedPagesPerSecond = 150_000;
/** CPU time to compress one page on one thread. */
export const zlibSecondsPerPage = 67e-6;
const zstdSecondsPerPage = 15e-6;
const defaultThreads: Partial<Record<Family, number>> = { compress: 8 };
const defaultXbzrleCacheBytes = 64 * 1024 * 1024;
/** QEMU does not evict a cached page that was used within so many syncs. */
const cachedPageLifetimeSyncs = 2;

/** Counts and prices the pages of one migration. */
export class PageEncoder {
  /** Pages that the CPU can encode, per second of wall time. */
  readonly pagesPerSecond: number;
  zeroPages = 0;
  sentPages = 0;
  readonly #guest: Guest;
  readonly #compressed: boolean;
  /** What zstd saves beyond zlib, of what there is to save. */
  readonly #gain: number;
  readonly #cache: XbzrleCache | undefined;

  constructor(guest: Guest, arming: Arming, idleCpuCores: number) {
    this.#guest = guest;
    this.#gain = arming.family === 'multifd-zstd' ? guest.zstdGain : 1;
    this.#compressed = ['compress', 'multifd-zlib', 'multifd-zstd'].includes(arming.family);
    this.#cache =
      arming.family === 'xbzrle'
        ? new XbzrleCache(arming.xbzrleCacheBytes ?? defaultXbzrleCacheBytes)
        : undefined;
    this.pagesPerSecond = encodingRate(arming, idleCpuCores);
  }

  get xbzrle(): XbzrleSample | undefined {
    return this.#cache?.sample();
  }

  /** Wire bytes of one page sent now; `bulk` until every page has been visited once. */
  encode(page: number, bulk: boolean, syncCount: number): number {
    if (this.#guest.zero[page] === 1) {
      this.zeroPages++;
      return zeroPageBytes;
    }
    this.sentPages++;
    if (this.#compressed) return headerBytes + pageBytes * this.#compressedShare(page);
    if (this.#cache === undefined || bulk) return headerBytes + pageBytes;
    const encoded = pageBytes * this.#guest.contentOf(page).deltaShare;
    return headerBytes + this.#cache.send(page, encoded, syncCount);
  }

  #compressedShare(page: number): number {
    const zlibShare = this.#guest.compressedShare[page] as number;
    return 1 / (1 + this.#gain * (1 / zlibShare - 1));
  }
}

function encodingRate(arming: Arming, idleCpuCores: number): number {
  const wanted = arming.multifdChannels ?? arming.compressThreads ?? defaultThreads[arming.family];
  const threads = Math.max(0.5, Math.min(wanted ?? 2, idleCpuCores));
  switch (arming.family) {
    case 'plain':
    case 'xbzrle':
      return copiedPagesPerSecond;
    case 'multifd':
      return copiedPagesPerSecond * Math.max(1, threads);
    case 'multifd-zstd':
      return threads / zstdSecondsPerPage;
    case 'multifd-zlib':
    case 'compress':
      return threads / zlibSecondsPerPage;
  }
}

/** QEMU's page cache: one slot per address modulo its size, a recently used page keeps its slot. */
class XbzrleCache {
  readonly #slots: Int32Array;
  readonly #usedAtSync: Uint32Array;
  #encodedBytes = 0;
  #encodedPages = 0;
  #missPages = 0;
  #overflowPages = 0;

  constructor(cacheBytes: number) {
    const slots = 2 ** Math.floor(Math.log2(cacheBytes / pageBytes));
    this.#slots = new Int32Array(slots).fill(-1);
    this.#usedAtSync = new Uint32Array(slots);
  }

  /** Bytes for the page itself: its delta when it is cached and the delta is smaller than the page. */
  send(page: number, deltaBytes: number, syncCount: number): number {
    const slot = page % this.#slots.length;
    if (this.#slots[slot] !== page) {
      this.#missPages++;
      this.#insert(slot, page, syncCount);
      return pageBytes;
    }
    this.#usedAtSync[slot] = syncCount;
    if (deltaBytes >= pageBytes) {
      this.#overflowPages++;
      return pageBytes;
    }
    this.#encodedPages++;
    this.#encodedBytes += deltaBytes;
    return deltaBytes;
  }

  sample(): XbzrleSample {
    const asked = this.#encodedPages + this.#overflowPages + this.#missPages;
    return {
      cacheBytes: this.#slots.length * pageBytes,
      encodedBytes: Math.round(this.#encodedBytes),
      encodedPages: this.#encodedPages,
      cacheMissPages: this.#missPages,
      cacheMissShare: asked === 0 ? 0 : this.#missPages / asked,
      encodingRatio:
        this.#encodedBytes === 0 ? 0 : (this.#encodedPages * pageBytes) / this.#encodedBytes,
      overflowPages: this.#overflowPages,
    };
  }

  #insert(slot: number, page: number, syncCount: number): void {
    const taken = this.#slots[slot] !== -1;
    const fresh = (this.#usedAtSync[slot] as number) + cachedPageLifetimeSyncs > syncCount;
    if (taken && fresh) return;
    this.#slots[slot] = page;
    this.#usedAtSync[slot] = syncCount;
  }
}
