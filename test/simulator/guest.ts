import type { Random } from './random.ts';
import { pageBytes, type Content, type Load, type Workload } from './workload.ts';

/** Memory is dealt out in pieces of this size: 256 KiB. */
const blockPages = 64;

/**
 * A guest that really writes pages. It keeps the log of dirtied pages that the engine collects at a
 * sync, and counts the time it could not run: the truth against which policies are judged.
 */
export class Guest {
  readonly workload: Workload;
  readonly pages: number;
  /** Compressed size over page size. */
  readonly compressedShare: Float32Array;
  /** What zstd saves of its content over what zlib does [measured 1 to 1.45 on several kinds]. */
  readonly zstdGain: number;
  /** 1 for a page that is still all zero. */
  readonly zero: Uint8Array;
  /** When each page was last written, in world time; -1 for never. */
  readonly writtenAtMilliseconds: Float64Array;
  /** How long it ran at full speed, how long it existed. */
  runMilliseconds = 0;
  lostMilliseconds = 0;
  readonly #writtenPages: number;
  readonly #random: Random;
  /** Page in RAM of each page of the program, and back. */
  readonly #place: Uint32Array;
  readonly #programPage: Uint32Array;
  readonly #logged: Uint8Array;
  readonly #log: Uint32Array;
  #logLength = 0;
  /** Moments at which watched pages were written. */
  #watched: ReadonlyMap<number, number[]> | undefined;
  /** Per load: writes owed since the last whole one, and the place of a sequential writer. */
  readonly #owed: number[] = [];
  readonly #position: number[] = [];

  constructor(workload: Workload, random: Random) {
    this.workload = workload;
    this.pages = Math.floor(workload.ramBytes / pageBytes);
    this.#writtenPages = Math.ceil(workload.writtenBytes / pageBytes);
    this.compressedShare = new Float32Array(this.pages);
    this.zero = new Uint8Array(this.pages);
    this.writtenAtMilliseconds = new Float64Array(this.pages).fill(-1);
    this.#logged = new Uint8Array(this.pages);
    this.#log = new Uint32Array(this.pages);
    this.#random = random;
    this.zstdGain = random.between(1, 1.3);
    this.#place = placement(this.pages, workload.scattered ? random : undefined);
    this.#programPage = new Uint32Array(this.pages);
    for (let each = 0; each < this.pages; each++)
      this.#programPage[this.#place[each] as number] = each;
    this.#fill();
  }

  contentOf(page: number): Content {
    const programPage = this.#programPage[page] as number;
    const { writtenContents, restContent } = this.workload;
    if (programPage >= this.#writtenPages) return restContent;
    return writtenContents[programPage % writtenContents.length] ?? restContent;
  }

  /**
   * Lets time pass. `speed` is the share of its work that it may do: 1 free, 0 stopped. The throttle
   * scales its running time, so that it dirties as much as it would have in the shorter time.
   */
  run(nowMilliseconds: number, stepMilliseconds: number, speed: number): void {
    const ranMilliseconds = stepMilliseconds * speed;
    this.lostMilliseconds += stepMilliseconds - ranMilliseconds;
    if (ranMilliseconds === 0) return;
    const loads = this.workload.loads(this.runMilliseconds);
    for (const [index, load] of loads.entries())
      this.#write(index, load, nowMilliseconds, ranMilliseconds);
    this.runMilliseconds += ranMilliseconds;
  }

  /** Notes from now on when these pages are written, until others are to be watched, or none. */
  watch(pages: readonly number[]): ReadonlyMap<number, readonly number[]> {
    const watched = new Map(pages.map((page): [number, number[]] => [page, []]));
    this.#watched = watched.size > 0 ? watched : undefined;
    return watched;
  }

  /** Hands over every page dirtied since the last call, and forgets them. */
  drainLog(take: (page: number) => void): void {
    for (let entry = 0; entry < this.#logLength; entry++) {
      const page = this.#log[entry] as number;
      this.#logged[page] = 0;
      take(page);
    }
    this.#logLength = 0;
  }

  #write(index: number, load: Load, nowMilliseconds: number, ranMilliseconds: number): void {
    const owed = (this.#owed[index] ?? 0) + (load.pagesPerSecond * ranMilliseconds) / 1000;
    const writes = Math.floor(owed);
    this.#owed[index] = owed - writes;
    let position = this.#position[index] ?? 0;
    for (let write = 0; write < writes; write++) {
      position =
        load.order === 'random' ? this.#random.integer(load.pages) : (position + 1) % load.pages;
      this.#touch(this.#place[load.firstPage + position] as number, nowMilliseconds);
    }
    this.#position[index] = position;
  }

  #touch(page: number, nowMilliseconds: number): void {
    this.zero[page] = 0;
    this.writtenAtMilliseconds[page] = nowMilliseconds;
    this.#watched?.get(page)?.push(nowMilliseconds);
    if (this.#logged[page] === 1) return;
    this.#logged[page] = 1;
    this.#log[this.#logLength++] = page;
  }

  /** Pages of one kind differ by a tenth, so that a sample of them has noise. */
  #fill(): void {
    for (let page = 0; page < this.pages; page++) {
      const { zeroShare, compressionRatio } = this.contentOf(page);
      this.zero[page] = this.#random.next() < zeroShare ? 1 : 0;
      const share = (0.9 + 0.2 * this.#random.next()) / compressionRatio;
      this.compressedShare[page] = Math.min(1, share);
    }
  }
}

/** Shuffles blocks of pages; leaves them in order without a source of chance. */
function placement(pages: number, random: Random | undefined): Uint32Array {
  const place = new Uint32Array(pages);
  for (let page = 0; page < pages; page++) place[page] = page;
  if (random === undefined) return place;
  const blocks = Math.floor(pages / blockPages);
  for (let block = blocks - 1; block > 0; block--) {
    const here = place.subarray(block * blockPages, (block + 1) * blockPages);
    const there = random.integer(block + 1) * blockPages;
    const moved = here.slice();
    here.set(place.subarray(there, there + blockPages));
    place.set(moved, there);
  }
  return place;
}
