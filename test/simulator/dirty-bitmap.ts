/** The pages still to be sent, visited in order of address, round and round. */
export class DirtyBitmap {
  dirtyPages = 0;
  /** True once the search has gone through the whole memory. */
  wrapped = false;
  readonly #bits: Uint8Array;
  #cursor = 0;

  constructor(pages: number) {
    this.#bits = new Uint8Array(pages).fill(1);
    this.dirtyPages = pages;
  }

  /** Returns true when the page was clean. */
  mark(page: number): boolean {
    if (this.#bits[page] === 1) return false;
    this.#bits[page] = 1;
    this.dirtyPages++;
    return true;
  }

  /** The next dirty page, cleared; undefined when there is none. */
  take(): number | undefined {
    if (this.dirtyPages === 0) return undefined;
    let page = this.#bits.indexOf(1, this.#cursor);
    if (page === -1) {
      this.wrapped = true;
      page = this.#bits.indexOf(1);
    }
    this.#bits[page] = 0;
    this.#cursor = page + 1;
    this.dirtyPages--;
    return page;
  }
}
