/**
 * History: everything the brain sees and decides, written to InfluxDB beside control, never before.
 * With JetStream, telemetry goes from the agents into a stream and what the brain adds follows it
 * there, so that neither an outage of the bus nor one of the database loses anything that fits the
 * stream. Without it, a queue in memory stands between the brain and the database.
 */
import { decodeTelemetry } from '../../shared/codec.ts';
import { openDurableStream } from '../../shared/durable-stream.ts';
import type { DurableStream, StoredMessage, StreamOptions } from '../../shared/durable-stream.ts';
import { messageOf } from '../../shared/errors.ts';
import type { Log } from '../../shared/log.ts';
import type { NatsBusOptions } from '../../shared/nats-bus.ts';
import { buildSubject, everyHost, parseSubject } from '../../shared/subjects.ts';
import { createDelivery } from './delivery.ts';
import type { Deliver } from './delivery.ts';
import { startDrain } from './drain.ts';
import { ensureDatabase, lineSender } from './influx.ts';
import type { InfluxSettings } from './influx.ts';
import { lineOf } from './line.ts';
import type { PointParts } from './line.ts';
import { appender, linesIn } from './parcels.ts';
import { createPointSource } from './point-source.ts';
import type { PointSource } from './point-source.ts';
import { createWriter } from './writer.ts';
import type { Listener } from '../listeners.ts';

export interface HistoryCounts {
  /** Of the brain's own lines, in memory. */
  readonly waitingLines: number;
  readonly writtenLines: number;
  /** Gone because no room was left for them, in memory (lines) or in the stream (messages). */
  readonly dropped: number;
  /** Gone because the database will never take them. */
  readonly refusedLines: number;
}

export interface History {
  /** Give this to the service. */
  readonly listener: Listener;
  counts(): HistoryCounts;
  /** Keeps a point that is nobody's input, such as the brain's own health. */
  keep(parts: PointParts): void;
  /** Writes what is left, for some seconds; what the stream has is written by the next brain. */
  close(): Promise<void>;
}

/** How much waits for the database at most. */
type StreamLimits = Pick<StreamOptions, 'maxBytes' | 'maxAgeMilliseconds'>;

export interface HistoryOptions {
  readonly influx: InfluxSettings;
  /** The brain's id. */
  readonly brain: string;
  /** While it does not, another brain reads the stream; always, unless given. */
  readonly leads?: () => boolean;
  readonly log: Log;
}

/** Half a gigabyte on the server's disk, or a day. */
const defaultLimits = { maxBytes: 2 ** 29, maxAgeMilliseconds: 86_400_000 };
const patienceMilliseconds = 3_000;

/**
 * Begins to write, through the stream when the server has JetStream; `limits` are those of a stream
 * that is not there yet. Throws BusError.
 */
export async function openHistory(
  options: HistoryOptions,
  nats: NatsBusOptions,
  limits: StreamLimits = defaultLimits,
): Promise<History> {
  const stream = await openDurableStream(nats, {
    stream: 'FERRYMAN_HISTORY',
    reader: 'influxdb',
    subjects: [everyHost('tel'), everyHost('hist')],
    ...limits,
  });
  if (stream === undefined) {
    const loss = 'an outage of the bus or a restart of the brain will leave gaps in the history';
    options.log.warn({}, `nats-server runs without JetStream: ${loss}`);
  }
  return stream === undefined ? createHistory(options) : createStreamedHistory(options, stream);
}

/** A queue in memory and nothing else. A missing 1.x database is made. */
export function createHistory(options: HistoryOptions): History {
  const writer = createWriter({ deliver: deliveryTo(options) });
  const keep = keeping(writer.add);
  const points = createPointSource(keep);
  return {
    listener: {
      ...points.listener,
      onTelemetry: (telemetry) => {
        points.telemetry(telemetry).forEach(keep);
      },
    },
    keep,
    counts: () => {
      const { droppedLines: dropped, ...counts } = writer.counts();
      return { ...counts, dropped };
    },
    close: () => writer.close(patienceMilliseconds),
  };
}

/** The same by way of a stream, which it closes in the end. */
export function createStreamedHistory(options: HistoryOptions, stream: DurableStream): History {
  const { brain, log } = options;
  const subject = buildSubject({ channel: 'hist', host: brain });
  const send = appender(stream, subject);
  const writer = createWriter({ deliver: createDelivery({ send, log }) });
  const keep = keeping(writer.add);
  const points = createPointSource(keep);
  const drain = startDrain({
    stream,
    linesOf: (message) => linesOf(message, points, log),
    deliver: deliveryTo(options),
    log,
    ...(options.leads && { isOn: options.leads }),
  });
  return {
    listener: points.listener,
    keep,
    counts: () => {
      const { writtenLines, refusedLines, droppedMessages } = drain.counts();
      const { waitingLines, droppedLines, refusedLines: unsent } = writer.counts();
      const dropped = droppedMessages + droppedLines;
      return { waitingLines, writtenLines, dropped, refusedLines: refusedLines + unsent };
    },
    close: async () => {
      await writer.close(patienceMilliseconds);
      await drain.finish(patienceMilliseconds);
      await stream.close();
    },
  };
}

function deliveryTo({ influx, log }: HistoryOptions): Deliver {
  return createDelivery({
    log,
    send: lineSender(influx),
    prepare: () => ensureDatabase(influx),
  });
}

function keeping(add: (line: string) => void): (parts: PointParts) => void {
  return (parts) => {
    const line = lineOf(parts);
    if (line !== undefined) add(line);
  };
}

/** Of telemetry its points, of a brain's parcel what is in it; of anything else nothing. */
function linesOf(
  { subject, payload }: StoredMessage,
  points: PointSource,
  log: Log,
): readonly string[] {
  const spoken = parseSubject(subject);
  try {
    if (spoken?.channel === 'hist') return linesIn(payload);
    const telemetry = decodeTelemetry(payload);
    // A host may speak only for itself (P16), here as in the service.
    if (telemetry.header.host !== spoken?.host) return [];
    return points.telemetry(telemetry).flatMap((parts) => lineOf(parts) ?? []);
  } catch (error) {
    log.warn({ subject, error: messageOf(error) }, 'a message of history cannot be read');
    return [];
  }
}
