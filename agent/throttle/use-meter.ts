/** How much CPU each vCPU uses while nothing throttles it: what a quota is a share of. */

/** Remembers each thread's use of CPU; 1 is a whole CPU. */
export interface UseMeter {
  sample(nowMilliseconds: number): void;
  /** The last measured use; 1 before the first measurement, which errs on the gentle side. */
  use(threadId: number): number;
  /** Forgets the open window (the time since was throttled), keeps what was measured. */
  restart(): void;
}

/** Shorter windows than this measure scheduling noise. */
const windowMilliseconds = 900;

/** A vCPU that happened to sleep while it was measured must still be able to answer interrupts. */
const smallestUse = 0.05;

/** A meter over the threads, which may change; `cpuSeconds` reads CPU time since the thread began. */
export function createUseMeter(
  threadIds: () => readonly number[],
  cpuSeconds: (threadId: number) => number | undefined,
): UseMeter {
  const uses = new Map<number, number>();
  let opened:
    { readonly atMilliseconds: number; readonly seconds: Map<number, number> } | undefined;

  const readAll = (): Map<number, number> => {
    const entries = threadIds().map((threadId) => [threadId, cpuSeconds(threadId)] as const);
    return new Map(entries.filter((entry): entry is [number, number] => entry[1] !== undefined));
  };
  return {
    sample(nowMilliseconds) {
      if (opened !== undefined && nowMilliseconds - opened.atMilliseconds < windowMilliseconds) {
        return;
      }
      const seconds = readAll();
      if (opened !== undefined) {
        const elapsedSeconds = (nowMilliseconds - opened.atMilliseconds) / 1000;
        for (const [threadId, now] of seconds) {
          const before = opened.seconds.get(threadId) ?? now;
          uses.set(threadId, Math.min(1, Math.max(smallestUse, (now - before) / elapsedSeconds)));
        }
      }
      opened = { atMilliseconds: nowMilliseconds, seconds };
    },
    use: (threadId) => uses.get(threadId) ?? 1,
    restart() {
      opened = undefined;
    },
  };
}
