import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { Observation } from './assess.ts';

export interface ObserverOptions {
  /** Files in which the QEMUs of source and destination leave their process ids. */
  readonly pidFiles: readonly string[];
  readonly memoryBytes: number;
}

const startLimitMilliseconds = 20_000;
const answerLimitMilliseconds = 10_000;

/** Watches a guest's own counters from outside, on whichever side it runs. */
export interface Observer {
  /** All that was seen since the start. */
  observe(): Promise<Observation>;
  stop(): Promise<void>;
}

/**
 * Starts watching, in a process of its own so that a busy event loop is never mistaken for a
 * stalled guest. It reads every millisecond or two, for two or three percent of a core, and finds
 * a restarted QEMU again by its file. Resolves once it watches.
 */
export async function startObserver(options: ObserverOptions): Promise<Observer> {
  const program = new URL('observer-process.ts', import.meta.url);
  const child = fork(program, [String(options.memoryBytes), ...options.pidFiles], {
    execArgv: ['--import', 'tsx'],
    serialization: 'advanced',
  });
  await once(child, 'message', { signal: AbortSignal.timeout(startLimitMilliseconds) });
  return {
    observe: async () => {
      const answered = once(child, 'message', {
        signal: AbortSignal.timeout(answerLimitMilliseconds),
      });
      child.send('observe');
      const [observation] = (await answered) as [Observation];
      return observation;
    },
    stop: async () => {
      const ended = once(child, 'exit');
      child.disconnect();
      await ended;
    },
  };
}
