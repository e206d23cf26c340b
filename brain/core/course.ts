/** What the model of pre-copy is asked (a course), and what it answers (a forecast). */
import type { WorkingSet } from './working-set.ts';

export interface Course {
  readonly workingSet: WorkingSet;
  /** Guest RAM drained per second in the first `firstRounds` rounds from now, and after them. */
  readonly drainBytesPerSecond: number;
  readonly firstRounds: number;
  readonly laterDrainBytesPerSecond: number;
  /**
   * The later rate holds for pages of which the other side's copy is known: those sent since the last
   * of the first rounds, which fills XBZRLE's cache. All others still go at the first rate.
   */
  readonly needsCopies?: boolean;
  /** Backlog of the running round that is not sent yet. */
  readonly remainingBytes: number;
  /** Guest run time since the sync that began the running round. */
  readonly roundRunSeconds: number;
  /** What of the running round's pages is no zero page: QEMU counts those as backlog like any other. */
  readonly filledShare?: number;
  /** V_L: backlog at which QEMU switches over. */
  readonly switchoverBytes: number;
  /** At the start the sockets take this much guest RAM at once, as fast as QEMU can fill them. */
  readonly gulp?: {
    readonly bytes: number;
    readonly bytesPerSecond: number;
    /** What later on is free of it, on average: a writer that met full sockets sleeps for a while. */
    readonly freeBytes: number;
  };
  /** For so long the switchover is held back to a share of V_L. */
  readonly held?: { readonly seconds: number; readonly share: number };
  /** Another V_L for the first rounds from now: the test is corrected only once a ratio is measured. */
  readonly uncorrected?: { readonly rounds: number; readonly switchoverBytes: number };
  /** Throttle (0 to 1) for the rest of the running round, for each one after it; the last for good. */
  readonly throttles: readonly number[];
  readonly horizonSeconds: number;
}

export interface Forecast {
  readonly finishes: boolean;
  readonly totalSeconds: number;
  readonly downtimeSeconds: number;
  /** Guest work lost to the throttle and to the switchover, in seconds of full running. */
  readonly guestWorkLostSeconds: number;
  readonly rounds: number;
  readonly sentBytes: number;
  /** Of that, what was sent at the rate of the first rounds. */
  readonly firstRateBytes: number;
  /** Backlog that the sync ending the running round will find. */
  readonly nextRoundBytes: number;
}

/** What a coming sync is expected to find. */
export interface ForeseenSync {
  /** From now on. */
  readonly seconds: number;
  readonly backlogBytes: number;
}
