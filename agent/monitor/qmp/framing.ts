/** QMP frames: one JSON text per line. Holds at most one unfinished line, of bounded length. */

/** The largest single answer is query-qmp-schema, 207 kB on 7.2; nothing honest comes near this. */
export const defaultMaxLineBytes = 1024 * 1024;

const newline = 0x0a;

/** Cuts a byte stream into lines, however it was chunked. */
export class LineDecoder {
  readonly #maxLineBytes: number;
  #unfinished: Buffer[] = [];
  #unfinishedBytes = 0;

  constructor(maxLineBytes: number = defaultMaxLineBytes) {
    this.#maxLineBytes = maxLineBytes;
  }

  /**
   * Yields the lines that `chunk` completes, without line ends and without empty lines.
   * Throws RangeError when a line exceeds the limit; the stream is unusable after that.
   */
  *push(chunk: Buffer): Generator<string> {
    let start = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      const line = this.#take(chunk.subarray(start, end));
      start = end + 1;
      if (line !== '') yield line;
    }
    this.#keep(chunk.subarray(start));
  }

  /** Whoever handed in the chunk may use its memory again. */
  #keep(part: Buffer): void {
    this.#count(part);
    if (part.length > 0) this.#unfinished.push(Buffer.from(part));
  }

  #take(end: Buffer): string {
    this.#count(end);
    const whole = this.#unfinished.length === 0 ? end : Buffer.concat([...this.#unfinished, end]);
    this.#unfinished = [];
    this.#unfinishedBytes = 0;
    return whole.toString('utf8').trim();
  }

  #count({ length }: Buffer): void {
    this.#unfinishedBytes += length;
    if (this.#unfinishedBytes <= this.#maxLineBytes) return;
    this.#unfinished = [];
    throw new RangeError(`a line is longer than ${String(this.#maxLineBytes)} bytes`);
  }
}
