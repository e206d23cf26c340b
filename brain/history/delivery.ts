/** Brings lines to where they are kept; what is refused for good costs only itself. */
import { messageOf } from '../../shared/errors.ts';
import type { Log } from '../../shared/log.ts';
import { InfluxError } from './influx.ts';
import type { SendLines } from './influx.ts';

export interface DeliveryOptions {
  readonly send: SendLines;
  readonly log: Log;
  /** Runs before the first write and after each failure, e.g. to make the database. */
  readonly prepare?: () => Promise<void>;
}

/** How many of the lines were refused; undefined when nobody answered and they have to come again. */
export type Deliver = (lines: readonly string[]) => Promise<number | undefined>;

/** Failures are logged when they begin, not each time. */
export function createDelivery({ send, prepare, log }: DeliveryOptions): Deliver {
  let isPrepared = prepare === undefined;
  let isFailing = false;
  const attempt: Deliver = async (lines) => {
    try {
      if (!isPrepared) await prepare?.();
      isPrepared = true;
      if (lines.length > 0) await send(lines);
      if (isFailing) log.info({}, 'history is being written again');
      isFailing = false;
      return 0;
    } catch (error) {
      isPrepared = prepare === undefined;
      const isFinal = isRefusal(error);
      if (isFinal && lines.length > 1) return halves(lines);
      if (!isFailing || isFinal)
        log.warn({ error: messageOf(error), isFinal }, 'history not written');
      isFailing = !isFinal;
      return isFinal ? lines.length : undefined;
    }
  };
  /** A point that is written twice is one point: the good half may come again. */
  const halves: Deliver = async (lines) => {
    const middle = lines.length >> 1;
    const first = await attempt(lines.slice(0, middle));
    const second = first === undefined ? undefined : await attempt(lines.slice(middle));
    return first === undefined || second === undefined ? undefined : first + second;
  };
  return attempt;
}

/** The lines themselves are at fault; sending them again would only block those behind. */
function isRefusal(error: unknown): boolean {
  const status = error instanceof InfluxError ? error.status : undefined;
  return status === 400 || status === 413 || status === 422;
}
