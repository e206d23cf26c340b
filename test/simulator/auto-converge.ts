import type { AutoConvergeSettings } from '../../shared/command.ts';
import { pageBytes } from './workload.ts';

/** QEMU's defaults. */
export const defaultAutoConverge: AutoConvergeSettings = {
  initialPercent: 20,
  incrementPercent: 10,
  maxPercent: 99,
  triggerThresholdPercent: 50,
};

/** Triggers needed for one move of the throttle. */
const triggersPerMove = 2;
/** A period ends with the first sync after so long. */
const periodMilliseconds = 1000;

/**
 * What QEMU does at the syncs that end a period: it works out the dirty rate, and when armed moves
 * its throttle at every second period that dirtied too much. `maxPercent` is a ceiling and, since it
 * also binds when it was lowered, a way down.
 */
export class AutoConverge {
  /** 0 until it first engages. */
  throttlePercent = 0;
  dirtyPagesPerSecond = 0;
  readonly #armed: boolean;
  #periodStartMilliseconds: number;
  #periodStartTransferredBytes = 0;
  #dirtiedPages = 0;
  #triggers = 0;

  constructor(armed: boolean, nowMilliseconds: number) {
    this.#armed = armed;
    this.#periodStartMilliseconds = nowMilliseconds;
  }

  /** A sync has found `newPages` that were clean before it. */
  sync(
    nowMilliseconds: number,
    newPages: number,
    transferredBytes: number,
    settings: AutoConvergeSettings,
  ): void {
    this.#dirtiedPages += newPages;
    const milliseconds = nowMilliseconds - this.#periodStartMilliseconds;
    if (milliseconds <= periodMilliseconds) return;
    this.dirtyPagesPerSecond = Math.round((this.#dirtiedPages * 1000) / milliseconds);
    if (this.#armed) this.#judge(transferredBytes - this.#periodStartTransferredBytes, settings);
    this.#periodStartMilliseconds = nowMilliseconds;
    this.#periodStartTransferredBytes = transferredBytes;
    this.#dirtiedPages = 0;
  }

  #judge(sentBytes: number, settings: AutoConvergeSettings): void {
    const dirtiedBytes = this.#dirtiedPages * pageBytes;
    if (dirtiedBytes <= (sentBytes * settings.triggerThresholdPercent) / 100) return;
    if (++this.#triggers < triggersPerMove) return;
    this.#triggers = 0;
    this.throttlePercent =
      this.throttlePercent === 0
        ? settings.initialPercent
        : Math.min(this.throttlePercent + settings.incrementPercent, settings.maxPercent);
  }
}
