import type { Gap, Observation } from './assess.ts';
import type { Report } from './report-page.ts';

/** Shorter spans come from the host's scheduler, also when nothing migrates. */
const leastGapMilliseconds = 5;
/** Work is kept this often: 10 minutes are 60 000 samples. */
const keepEveryMilliseconds = 10;

/**
 * Turns readings of both sides, taken every millisecond or two, into an observation. The guest
 * runs on one side only and its counters go with it, so the larger reading is the guest's; the
 * other is a copy that the migration has brought.
 */
export class HeartbeatWatch {
  readonly #times: number[] = [];
  readonly #work: number[] = [];
  readonly #pages: number[] = [];
  readonly #gaps: Gap[] = [];
  #heartbeat = -1;
  #done = 0;
  #dirtied = 0;
  #firstSeen = 0;
  #lastSeen = 0;

  /** `nowMilliseconds` is Unix time. */
  add(nowMilliseconds: number, reports: readonly Report[]): void {
    if (reports.length === 0) return;
    const heartbeat = Math.max(...reports.map((report) => report.heartbeat));
    this.#done = Math.max(this.#done, ...reports.map((report) => report.work));
    this.#dirtied = Math.max(this.#dirtied, ...reports.map((report) => report.pages));
    if (heartbeat > this.#heartbeat) this.#beat(heartbeat, nowMilliseconds);
    this.#lastSeen = nowMilliseconds;
    if (nowMilliseconds - (this.#times.at(-1) ?? 0) >= keepEveryMilliseconds)
      this.#keep(nowMilliseconds);
  }

  /** Up to the last reading; a gap still open is in it, as long as it has lasted. */
  observation(): Observation {
    if (this.#lastSeen > (this.#times.at(-1) ?? Infinity)) this.#keep(this.#lastSeen);
    return {
      timesMilliseconds: this.#times,
      work: this.#work,
      pages: this.#pages,
      gaps: [...this.#gaps, ...this.#openGap()],
    };
  }

  #beat(heartbeat: number, nowMilliseconds: number): void {
    this.#gaps.push(...this.#openGap());
    this.#heartbeat = heartbeat;
    this.#firstSeen = nowMilliseconds;
  }

  /**
   * From the first to the last reading of the same heartbeat: what is proven. A reading that
   * itself came late proves nothing about the guest.
   */
  #openGap(): Gap[] {
    const durationMilliseconds = this.#lastSeen - this.#firstSeen;
    if (durationMilliseconds < leastGapMilliseconds) return [];
    return [{ startMilliseconds: this.#firstSeen, durationMilliseconds }];
  }

  #keep(nowMilliseconds: number): void {
    this.#times.push(nowMilliseconds);
    this.#work.push(this.#done);
    this.#pages.push(this.#dirtied);
  }
}
