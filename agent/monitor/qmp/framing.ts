/** QMP frames: one JSON text per line. Holds at most one unfinished line, of bounded length. */

/** The largest single answer is query-qmp-schema, 207 kB on 7.2; nothing honest comes near this. */
export const defaultMaxLineBytes = 1024 * 1024;

const newline = 0x0a;

/** Cuts a byte stream into lines, however it was chunked. */
export class LineDecoder {
  readonly #maxLineBytes: number;
  #unfinished: Uint8Array[] = [];
  #unfinishedBytes = 0;

  constructor(maxLineBytes: number = defaultMaxLineBytes) {
    this.#maxLineBytes = maxLineBytes;
  }

  /**
   * Yields the lines that `chunk` completes, without line ends and without empty lines.
   * Throws RangeError when a line exceeds the limit; the stream is unusable after that.
   */
  *push(chunk: Uint8Array): Generator<string> {
    let start = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      this.#keep(chunk.subarray(start, end));
      start = end + 1;
      const line = this.#take();
      if (line !== '') yield line;
    }
    this.#keep(chunk.subarray(start));
  }

  #keep(part: Uint8Array): void {
    this.#unfinishedBytes += part.length;
    if (this.#unfinishedBytes > this.#maxLineBytes) {
      this.#unfinished = [];
      throw new RangeError(`a line is longer than ${String(this.#maxLineBytes)} bytes`);
    }
    if (part.length > 0) this.#unfinished.push(part);
  }

  #take(): string {
    const line = Buffer.concat(this.#unfinished).toString('utf8');
    this.#unfinished = [];
    this.#unfinishedBytes = 0;
    return line.trim();
  }
}
