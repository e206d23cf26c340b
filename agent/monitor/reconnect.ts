import { messageOf } from '../../shared/errors.ts';
import type { Monitor } from './monitor.ts';

/** Delays double up to this: below one connect per second, and back within 2 s of the cure. */
const firstDelayMilliseconds = 200;
const longestDelayMilliseconds = 1300;
/** A connection that ended sooner than this counts as one more failure, so that none can spin. */
const steadyMilliseconds = 5000;

export interface ReconnectOptions {
  readonly open: () => Promise<Monitor>;
  /** A working monitor; ask it for `onClose` to learn of its end. */
  readonly onOpen: (monitor: Monitor) => void;
  /** Called for each attempt that failed. */
  readonly onFailure?: (reason: Error) => void;
  /** 0 to 1; for tests. */
  readonly random?: () => number;
}

/** How long to wait after `failures` failures in a row: doubling, spread by ±15 % so that a fleet never marches in step. */
export function retryDelayMilliseconds(failures: number, random: () => number): number {
  const doubled = firstDelayMilliseconds * 2 ** Math.min(failures - 1, 10);
  return Math.min(doubled, longestDelayMilliseconds) * (0.85 + 0.3 * random());
}

/** Keeps one monitor open for ever: opens it, and again whenever it is lost, until `stop`. */
export function keepOpen(options: ReconnectOptions): { stop: () => void } {
  const random = options.random ?? Math.random;
  let stopped = false;
  let failures = 0;
  let timer: NodeJS.Timeout | undefined;
  let current: Monitor | undefined;

  const again = (): void => {
    current = undefined;
    failures++;
    if (!stopped) timer = setTimeout(attempt, retryDelayMilliseconds(failures, random));
  };

  const opened = (monitor: Monitor): void => {
    if (stopped) {
      monitor.close();
      return;
    }
    current = monitor;
    const openedAtMilliseconds = performance.now();
    options.onOpen(monitor);
    monitor.onClose(() => {
      if (performance.now() - openedAtMilliseconds >= steadyMilliseconds) failures = 0;
      again();
    });
  };

  const attempt = (): void => {
    options.open().then(opened, (reason: unknown) => {
      if (!stopped)
        options.onFailure?.(reason instanceof Error ? reason : new Error(messageOf(reason)));
      again();
    });
  };

  attempt();
  return {
    stop: () => {
      stopped = true;
      clearTimeout(timer);
      current?.close();
    },
  };
}
