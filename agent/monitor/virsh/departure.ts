/**
 * A source whose guest has moved away. libvirt ends what is left of its QEMU: soon no question is
 * answered, and each that is asked keeps all others waiting. So QEMU is asked for a last word at
 * once, and libvirt for how long the guest stood still: QEMU's own figure knows nothing of when the
 * destination let the guest go on, and counts until it holds its global lock once more [7.2: 442 ms
 * where libvirt says 348; 234 by its events where libvirt says 322].
 */

/** QEMU's reply to query-migrate, as far as it matters here. */
export interface LastWord {
  readonly status?: string;
  readonly downtime?: number;
}

export interface DepartureOptions {
  readonly lastWord: Promise<LastWord>;
  /** There is news for who asks again. */
  readonly onNews: () => void;
  /** Nobody wants to know anything any more. */
  readonly onOver: () => void;
}

/** libvirt is done 1.6 to 2.1 s after QEMU [measured]. */
const libvirtMilliseconds = 3000;
/** Until whoever wants to know has read it. */
const readingMilliseconds = 700;

/** Lives until it is over, or left. */
export class Departure {
  readonly #options: DepartureOptions;
  #libvirtsDowntime: number | undefined;
  #isConcluded = false;
  #timer: NodeJS.Timeout;

  constructor(options: DepartureOptions) {
    this.#options = options;
    this.#timer = setTimeout(() => {
      this.conclude(undefined);
    }, libvirtMilliseconds);
  }

  /** libvirt's word on the downtime in milliseconds; undefined when it has none. */
  conclude(downtimeMilliseconds: number | undefined): void {
    if (this.#isConcluded) return;
    this.#isConcluded = true;
    this.#libvirtsDowntime = downtimeMilliseconds;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#options.onOver, readingMilliseconds);
    this.#options.onNews();
  }

  /** The last word, without a downtime as long as there may be a better one. */
  async migration(): Promise<LastWord> {
    const { downtime: qemusDowntime, ...word } = await this.#options.lastWord;
    const downtime = this.#isConcluded ? (this.#libvirtsDowntime ?? qemusDowntime) : undefined;
    return downtime === undefined ? word : { ...word, downtime };
  }

  leave(): void {
    clearTimeout(this.#timer);
  }
}
