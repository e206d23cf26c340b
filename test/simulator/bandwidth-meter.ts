const windowMilliseconds = 100;

/** QEMU's idea of the bandwidth: bytes as it counts them, over windows that end when it looks. */
export class BandwidthMeter {
  /** 0 until the first window has passed. */
  bytesPerSecond = 0;
  #startMilliseconds: number;
  #startBytes = 0;

  constructor(nowMilliseconds: number) {
    this.#startMilliseconds = nowMilliseconds;
  }

  look(nowMilliseconds: number, transferredBytes: number): void {
    const milliseconds = nowMilliseconds - this.#startMilliseconds;
    if (milliseconds < windowMilliseconds) return;
    this.bytesPerSecond = ((transferredBytes - this.#startBytes) * 1000) / milliseconds;
    this.#startMilliseconds = nowMilliseconds;
    this.#startBytes = transferredBytes;
  }
}
