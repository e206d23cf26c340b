import type { Arming, Tuning } from '../../shared/command.ts';
import { AutoConverge } from './auto-converge.ts';
import { BandwidthMeter } from './bandwidth-meter.ts';
import { DirtyBitmap } from './dirty-bitmap.ts';
import type { Guest } from './guest.ts';
import { PageEncoder } from './page-encoder.ts';
import { Socket } from './socket.ts';
import { defaultTuning, type MigrationStatus, type QemuSurroundings } from './surroundings.ts';
import { pageBytes } from './workload.ts';

/** One bitmap sync as it happened. */
export interface SyncRecord {
  readonly atMilliseconds: number;
  readonly remainingBytes: number;
  readonly newlyDirtyBytes: number;
  readonly throttlePercent: number;
  readonly byTimer: boolean;
}

/** QEMU looks at the known remainder after sending for so long, or when it has nothing to send. */
const iterationMilliseconds = 50;
const timerSyncMilliseconds = 5000;
/** Devices' state and the last handshake [measured 5 to 13 ms]. */
const deviceStateMilliseconds = 5;
/** Post-copy: share of its work that a guest gets while it waits for pages, and its longest wait. */
const postCopySpeed = 0.3;
const postCopyGapShare = 0.6;

/** One migration of one guest: what `migrate` starts and `query-migrate` shows. */
export class Qemu {
  status: MigrationStatus = 'none';
  tuning: Required<Tuning> = defaultTuning;
  startedAtMilliseconds = 0;
  endsAtMilliseconds = 0;
  /** What has really been sent, and what QEMU says of it: 7.2 counts multifd's pages uncompressed. */
  wireBytes = 0;
  transferredBytes = 0;
  /** As QEMU reports it: the transfer of the remainder without the destination's start. */
  downtimeMilliseconds = 0;
  /** Longest time for which the guest stood still, the switchover or the waits of post-copy. */
  longestGapMilliseconds = 0;
  readonly syncs: SyncRecord[] = [];
  readonly bitmap: DirtyBitmap;
  readonly encoder: PageEncoder;
  readonly arming: Arming;
  readonly #guest: Guest;
  readonly #surroundings: QemuSurroundings;
  readonly #socket: Socket;
  readonly #countsRaw: boolean;
  #autoConverge: AutoConverge;
  #arrived = false;
  #resumesAtMilliseconds = 0;
  #capBudget = 0;
  #pageBudget = 0;
  #iterationStart = 0;
  #meter = new BandwidthMeter(0);
  #timer = { dueMilliseconds: 0, syncs: -1 };

  constructor(guest: Guest, arming: Arming, surroundings: QemuSurroundings) {
    this.#guest = guest;
    this.#surroundings = surroundings;
    this.arming = arming;
    this.bitmap = new DirtyBitmap(guest.pages);
    this.#autoConverge = new AutoConverge(arming.autoConverge, 0);
    this.encoder = new PageEncoder(guest, arming, surroundings.idleCpuCores);
    const isMultifd = arming.family.startsWith('multifd');
    this.#countsRaw = isMultifd && surroundings.version === '7.2';
    this.#socket = new Socket(isMultifd ? (arming.multifdChannels ?? 2) : 1);
  }

  get version(): QemuSurroundings['version'] {
    return this.#surroundings.version;
  }

  get ramBytes(): number {
    return this.#guest.pages * pageBytes;
  }

  get remainingBytes(): number {
    return this.bitmap.dirtyPages * pageBytes;
  }

  /** 0 when QEMU's throttle is not in force. */
  get throttlePercent(): number {
    return this.status === 'active' ? this.#autoConverge.throttlePercent : 0;
  }

  get measuredBytesPerSecond(): number {
    return this.#meter.bytesPerSecond;
  }

  get dirtyPagesPerSecond(): number {
    return this.#autoConverge.dirtyPagesPerSecond;
  }

  /** Until the guest runs on the other side, a moment after the source calls it completed. */
  get running(): boolean {
    return !this.#arrived && this.status !== 'none' && this.status !== 'cancelled';
  }

  /** Share of its work that the engine leaves to a guest which wants `vcpuBusyShare` of its CPU. */
  get guestSpeed(): number {
    if (this.status === 'device' || this.status === 'completed') return this.running ? 0 : 1;
    if (this.status === 'postcopy-active') return postCopySpeed;
    return Math.min(1, (1 - this.throttlePercent / 100) / this.#guest.workload.vcpuBusyShare);
  }

  tune(tuning: Tuning): void {
    this.tuning = { ...this.tuning, ...tuning };
  }

  start(nowMilliseconds: number): void {
    this.status = 'active';
    this.startedAtMilliseconds = nowMilliseconds;
    this.#iterationStart = nowMilliseconds;
    this.#meter = new BandwidthMeter(nowMilliseconds);
    this.#autoConverge = new AutoConverge(this.arming.autoConverge, nowMilliseconds);
    this.#timer = { dueMilliseconds: nowMilliseconds + timerSyncMilliseconds, syncs: -1 };
    this.#sync(nowMilliseconds, false);
  }

  cancel(nowMilliseconds: number): void {
    this.status = 'cancelled';
    this.endsAtMilliseconds = nowMilliseconds;
  }

  /** Moves the guest at once; its missing pages follow at link speed. */
  startPostCopy(nowMilliseconds: number): void {
    this.#sync(nowMilliseconds, false);
    const cap = this.tuning.maxPostcopyBandwidthBytesPerSecond || Infinity;
    const link = this.#surroundings.linkBytesPerSecond(nowMilliseconds);
    const milliseconds = (this.#sendAll() / Math.min(link, cap)) * 1000;
    this.status = 'postcopy-active';
    this.endsAtMilliseconds = nowMilliseconds + milliseconds;
    this.#resumesAtMilliseconds = this.endsAtMilliseconds;
    this.longestGapMilliseconds = milliseconds * postCopyGapShare;
  }

  /** Works through one step; the guest has already run in it. */
  step(nowMilliseconds: number, stepMilliseconds: number): void {
    if (!this.running) return;
    if (this.status === 'active') this.#iterate(nowMilliseconds, stepMilliseconds);
    else if (nowMilliseconds >= this.endsAtMilliseconds) this.status = 'completed';
    this.#arrived = this.status === 'completed' && nowMilliseconds >= this.#resumesAtMilliseconds;
  }

  #iterate(nowMilliseconds: number, stepMilliseconds: number): void {
    const link = this.#surroundings.linkBytesPerSecond(nowMilliseconds);
    this.#socket.drain((link * stepMilliseconds) / 1000);
    if (this.#socket.asleep) return;
    this.#meter.look(nowMilliseconds, this.transferredBytes);
    this.#syncByTimer(nowMilliseconds);
    this.#judgeRemainder(nowMilliseconds);
    if (this.status === 'active') this.#send(stepMilliseconds);
  }

  /** QEMU's loop: sync when little is known to be left, switch over when it is still little then. */
  #judgeRemainder(nowMilliseconds: number): void {
    const iterated = nowMilliseconds - this.#iterationStart >= iterationMilliseconds;
    if (!iterated && this.bitmap.dirtyPages > 0) return;
    this.#iterationStart = nowMilliseconds;
    if (this.remainingBytes >= this.#threshold()) return;
    this.#sync(nowMilliseconds, false);
    if (this.remainingBytes < this.#threshold()) this.#switchOver(nowMilliseconds);
  }

  /** Raw bytes that QEMU believes it can send within the downtime limit; 0 until it has measured. */
  #threshold(): number {
    const told = this.tuning.availSwitchoverBandwidthBytesPerSecond;
    const believed = told > 0 ? told : this.measuredBytesPerSecond;
    return (believed * this.tuning.downtimeLimitMilliseconds) / 1000;
  }

  /**
   * The last burst is not held back by max-bandwidth. The source is done once it has written it; the
   * guest goes on once all of it, and what the socket still held, has come across.
   */
  #switchOver(nowMilliseconds: number): void {
    const pages = this.bitmap.dirtyPages;
    const link = this.#surroundings.linkBytesPerSecond(nowMilliseconds);
    const { bufferedBytes, freeBytes } = this.#socket;
    const bytes = this.#sendAll();
    const encodeSeconds = pages / this.encoder.pagesPerSecond;
    const writeSeconds = Math.max((bytes - freeBytes) / link, encodeSeconds);
    const arriveSeconds = Math.max((bufferedBytes + bytes) / link, encodeSeconds);
    this.status = 'device';
    this.downtimeMilliseconds = Math.round(writeSeconds * 1000 + deviceStateMilliseconds);
    this.endsAtMilliseconds = nowMilliseconds + this.downtimeMilliseconds;
    this.longestGapMilliseconds = arriveSeconds * 1000 + this.#surroundings.switchoverMilliseconds;
    this.#resumesAtMilliseconds = nowMilliseconds + this.longestGapMilliseconds;
  }

  #sendAll(): number {
    const before = this.wireBytes;
    while (this.bitmap.dirtyPages > 0) this.#sendPage();
    return this.wireBytes - before;
  }

  #send(stepMilliseconds: number): void {
    const cap = this.tuning.maxBandwidthBytesPerSecond || Infinity;
    const capStep = (cap * stepMilliseconds) / 1000;
    const pageStep = (this.encoder.pagesPerSecond * stepMilliseconds) / 1000;
    this.#capBudget = Math.min(this.#capBudget, capStep) + capStep;
    this.#pageBudget = Math.min(this.#pageBudget, pageStep) + pageStep;
    while (!this.#socket.full && this.#capBudget > 0 && this.#pageBudget > 0) {
      if (this.bitmap.dirtyPages === 0) return;
      const bytes = this.#sendPage();
      this.#socket.write(bytes);
      this.#capBudget -= bytes;
      this.#pageBudget -= 1;
    }
  }

  #sendPage(): number {
    const page = this.bitmap.take();
    if (page === undefined) return 0;
    const bytes = this.encoder.encode(page, !this.bitmap.wrapped, this.syncs.length);
    this.wireBytes += bytes;
    this.transferredBytes += this.#countsRaw ? Math.max(bytes, pageBytes) : bytes;
    return bytes;
  }

  /** QEMU 10.0: a pass after the first that outlasts the timer is synced in its midst. */
  #syncByTimer(nowMilliseconds: number): void {
    if (nowMilliseconds < this.#timer.dueMilliseconds) return;
    const quiet = this.syncs.length === this.#timer.syncs && this.syncs.length > 1;
    if (this.#surroundings.version === '10.0' && this.arming.autoConverge && quiet)
      this.#sync(nowMilliseconds, true);
    this.#timer = {
      dueMilliseconds: nowMilliseconds + timerSyncMilliseconds,
      syncs: this.syncs.length,
    };
  }

  #sync(nowMilliseconds: number, byTimer: boolean): void {
    let newPages = 0;
    this.#guest.drainLog((page) => {
      if (this.bitmap.mark(page)) newPages++;
    });
    const settings = this.tuning.autoConverge;
    this.#autoConverge.sync(nowMilliseconds, newPages, this.transferredBytes, settings);
    this.syncs.push({
      atMilliseconds: nowMilliseconds,
      remainingBytes: this.remainingBytes,
      newlyDirtyBytes: newPages * pageBytes,
      throttlePercent: this.#autoConverge.throttlePercent,
      byTimer,
    });
  }
}
