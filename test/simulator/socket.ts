/** The largest send buffer that Linux gives a connection by itself (`tcp_wmem`). */
const bufferBytes = 4 * 1024 * 1024;
/** A writer that found the buffer full sleeps until this share of it is free. */
const wakingShare = 1 / 3;

/**
 * What QEMU writes into, with the link behind it: it swallows the first megabytes at once, then lets
 * the writer go on in gulps. A writer that sleeps looks at nothing, neither threshold nor clock.
 */
export class Socket {
  /** Written and not yet across. */
  bufferedBytes = 0;
  asleep = false;
  readonly #leastBytes: number;
  #sizeBytes: number;

  constructor(connections: number) {
    this.#leastBytes = bufferBytes * connections;
    this.#sizeBytes = this.#leastBytes;
  }

  get full(): boolean {
    return this.bufferedBytes >= this.#sizeBytes;
  }

  /** What can be written at once. */
  get freeBytes(): number {
    return Math.max(0, this.#sizeBytes - this.bufferedBytes);
  }

  write(bytes: number): void {
    this.bufferedBytes += bytes;
    this.asleep = this.full;
  }

  /** The link carries off up to `bytes` in one step; no buffer is so small that a step empties it. */
  drain(bytes: number): void {
    this.#sizeBytes = Math.max(this.#leastBytes, 2 * bytes);
    this.bufferedBytes = Math.max(0, this.bufferedBytes - bytes);
    if (this.freeBytes >= wakingShare * this.#sizeBytes) this.asleep = false;
  }
}
