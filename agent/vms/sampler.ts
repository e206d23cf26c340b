/** Looks at a VM again and again, as often as the look says, and at once when asked. */
export interface SamplerOptions {
  /** Looks once; returns how many milliseconds after its begin the next may begin. Must not reject. */
  readonly look: () => Promise<number>;
}

export interface Sampler {
  /** Looks now, or right after the look that is under way. */
  soon(): void;
  stop(): void;
}

/**
 * Looks that are this far apart fall on whole seconds, for all VMs together: what all of them say
 * then wakes the processor, and goes over the network, once.
 */
const sharedMilliseconds = 1000;
/** A timer may be early, and a look late: neither makes for two looks at one second. */
const slackMilliseconds = 50;

/** When the look after the one that began at `startedAtMilliseconds` begins. */
export function nextLookMilliseconds(startedAtMilliseconds: number, period: number): number {
  const due = startedAtMilliseconds + period;
  if (period !== sharedMilliseconds) return due;
  return Math.floor((due + slackMilliseconds) / sharedMilliseconds) * sharedMilliseconds;
}

/** Starts looking. Looks never overlap: a slow QEMU is asked less often, not more at once. */
export function startSampler({ look }: SamplerOptions): Sampler {
  let timer: NodeJS.Timeout | undefined;
  let isLooking = false;
  let asked = 0;
  const stopped = new AbortController();

  const run = async (): Promise<void> => {
    clearTimeout(timer);
    isLooking = true;
    const askedBefore = asked;
    const startedAtMilliseconds = performance.now();
    const periodMilliseconds = await look();
    isLooking = false;
    if (stopped.signal.aborted) return;
    const next = nextLookMilliseconds(startedAtMilliseconds, periodMilliseconds);
    const pause = asked > askedBefore ? 0 : next - performance.now();
    timer = setTimeout(() => void run(), Math.max(0, pause));
  };
  void run();
  return {
    soon() {
      asked += 1;
      if (!isLooking && !stopped.signal.aborted) void run();
    },
    stop() {
      stopped.abort();
      clearTimeout(timer);
    },
  };
}
