import type { Arming, Tuning } from '../../shared/command.ts';
import { Guest } from './guest.ts';
import { Qemu } from './qemu.ts';
import { seededRandom, type Random } from './random.ts';
import type { QemuVersion } from './surroundings.ts';
import type { Workload } from './workload.ts';

/** A guest and the place it is to leave. */
export interface Scenario {
  readonly workload: Workload;
  readonly seed: number;
  readonly version: QemuVersion;
  /** A constant, or a course over time. */
  readonly linkBytesPerSecond: number | ((nowMilliseconds: number) => number);
  /** Idle CPU of the source host, in cores; 2 unless told. */
  readonly idleCpuCores?: number;
}

/** What really happened, whatever anybody was told. */
export interface Truth {
  readonly completed: boolean;
  /** From the first `migrate` to the end, restarts included. */
  readonly totalMilliseconds: number;
  readonly guestWorkLostSeconds: number;
  readonly longestGapMilliseconds: number;
  readonly transferredBytes: number;
  /** Integral of the throttle above QEMU's inert 1 %. */
  readonly throttleSeconds: number;
  readonly maxThrottlePercent: number;
  /** Total seconds + 5 x guest work lost + 10 x seconds of gap above the limit; see `cost`. */
  readonly cost: number;
}

export const stepMilliseconds = 10;
const inertThrottlePercent = 1;
/** QEMU lets a vCPU run for one slice of this length, then sleeps to make up the share. */
const throttleSliceMilliseconds = 10;
/** A cgroup quota with a short period stalls that much shorter at the same share. */
const cgroupStallShare = 0.4;

/** The world's clock: one guest, and the migrations that are tried on it one after the other. */
export class Simulation {
  nowMilliseconds = 0;
  /** As ordered. */
  cgroupThrottlePercent = 0;
  qemu: Qemu | undefined;
  readonly guest: Guest;
  readonly random: Random;
  readonly #scenario: Scenario;
  readonly #switchoverMilliseconds: number;
  #firstStartMilliseconds: number | undefined;
  #earlierWireBytes = 0;
  #longestGapMilliseconds = 0;
  #throttleMilliseconds = 0;
  #maxThrottlePercent = 0;

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
    this.random = seededRandom(scenario.seed);
    this.#switchoverMilliseconds = this.random.between(5, 25);
    this.guest = new Guest(scenario.workload, this.random);
  }

  /** What the guest is denied, by whichever mechanism is the stricter. */
  get throttlePercent(): number {
    return Math.max(this.#cgroupPercentInForce, this.qemu?.throttlePercent ?? 0);
  }

  /** Starts a migration; a failed or cancelled one before it counts towards the totals. */
  migrate(arming: Arming, tuning: Tuning): Qemu {
    this.#earlierWireBytes += this.qemu?.wireBytes ?? 0;
    const { version, linkBytesPerSecond: link, idleCpuCores } = this.#scenario;
    const qemu = new Qemu(this.guest, arming, {
      version,
      linkBytesPerSecond: typeof link === 'number' ? () => link : link,
      idleCpuCores: idleCpuCores ?? 2,
      switchoverMilliseconds: this.#switchoverMilliseconds,
    });
    qemu.tune(tuning);
    qemu.start(this.nowMilliseconds);
    this.qemu = qemu;
    this.#firstStartMilliseconds ??= this.nowMilliseconds;
    return qemu;
  }

  step(): void {
    const cgroupSpeed = 1 - this.#cgroupPercentInForce / 100;
    const speed = (this.qemu?.guestSpeed ?? 1) * cgroupSpeed;
    this.nowMilliseconds += stepMilliseconds;
    this.guest.run(this.nowMilliseconds, stepMilliseconds, speed);
    this.qemu?.step(this.nowMilliseconds, stepMilliseconds);
    this.#account();
  }

  /** The state of affairs now, judged against a downtime limit. */
  truth(downtimeLimitMilliseconds: number): Truth {
    const completed = this.qemu?.status === 'completed';
    const end = completed ? (this.qemu?.endsAtMilliseconds ?? 0) : this.nowMilliseconds;
    const facts = {
      completed,
      totalMilliseconds: end - (this.#firstStartMilliseconds ?? end),
      guestWorkLostSeconds: this.guest.lostMilliseconds / 1000,
      longestGapMilliseconds: this.#longestGapMilliseconds,
      transferredBytes: this.#earlierWireBytes + (this.qemu?.wireBytes ?? 0),
      throttleSeconds: this.#throttleMilliseconds / 1000,
      maxThrottlePercent: this.#maxThrottlePercent,
    };
    return { ...facts, cost: cost(facts, downtimeLimitMilliseconds) };
  }

  /** A quota on the source's threads does not reach a guest that runs on the other side. */
  get #cgroupPercentInForce(): number {
    const status = this.qemu?.status;
    return status === 'completed' || status === 'postcopy-active' ? 0 : this.cgroupThrottlePercent;
  }

  #account(): void {
    const percent = this.throttlePercent;
    if (percent > inertThrottlePercent) {
      this.#throttleMilliseconds += (stepMilliseconds * percent) / 100;
      this.#maxThrottlePercent = Math.max(this.#maxThrottlePercent, percent);
    }
    this.#longestGapMilliseconds = Math.max(
      this.#longestGapMilliseconds,
      this.qemu?.longestGapMilliseconds ?? 0,
      stallMilliseconds(this.qemu?.throttlePercent ?? 0),
      stallMilliseconds(this.#cgroupPercentInForce) * cgroupStallShare,
    );
  }
}

/** design.md 2; infinite for a guest that was not moved. */
export function cost(
  facts: Pick<
    Truth,
    'completed' | 'totalMilliseconds' | 'guestWorkLostSeconds' | 'longestGapMilliseconds'
  >,
  downtimeLimitMilliseconds: number,
): number {
  if (!facts.completed) return Infinity;
  const excess = Math.max(0, facts.longestGapMilliseconds - downtimeLimitMilliseconds);
  return facts.totalMilliseconds / 1000 + 5 * facts.guestWorkLostSeconds + (10 * excess) / 1000;
}

function stallMilliseconds(throttlePercent: number): number {
  return (throttleSliceMilliseconds * throttlePercent) / (100 - throttlePercent);
}
