import type { Listener } from '../../brain/listeners.ts';

/** Where a reporter writes; `process.stdout` fits. */
export interface Output {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
}

/** One way to tell the operator what happens: NDJSON, plain lines, or a view redrawn in place. */
export interface Reporter extends Listener {
  /** Says something that no input of the core stands for, e.g. what an interrupt does. */
  say(message: string): void;
  /** Leaves the output tidy; nothing is reported afterwards. */
  close(): void;
}
