/** Lines on their way through the stream: many of them in one message, none of them twice. */
import { createHash } from 'node:crypto';
import { maxPayloadBytes } from '../../shared/codec.ts';
import type { DurableStream } from '../../shared/durable-stream.ts';
import { InfluxError } from './influx.ts';
import type { SendLines } from './influx.ts';

/** Room for the message's headers is left. */
const parcelBytes = maxPayloadBytes - 1024;

/** Sends lines into the stream. Rejects when it is away: then all of them have to be sent again. */
export function appender(stream: Pick<DurableStream, 'append'>, subject: string): SendLines {
  return async (lines) => {
    for (const parcel of parcelsOf(lines)) {
      await stream.append(subject, new TextEncoder().encode(parcel), idOf(parcel));
    }
  };
}

/** The lines of one message. */
export function linesIn(payload: Uint8Array): readonly string[] {
  return new TextDecoder().decode(payload).split('\n');
}

/** As few as they fit into. Throws what stands for a refusal when one line is too long. */
function parcelsOf(lines: readonly string[]): readonly string[] {
  const parcels: string[] = [];
  let bytes = Infinity;
  for (const line of lines) {
    const lineBytes = Buffer.byteLength(line) + 1;
    if (lineBytes > parcelBytes) throw new InfluxError('a line is too long for the bus', 413);
    if (bytes + lineBytes > parcelBytes) [bytes] = [0, parcels.push('')];
    bytes += lineBytes;
    const parcel = parcels.at(-1) ?? '';
    parcels[parcels.length - 1] = parcel === '' ? line : `${parcel}\n${line}`;
  }
  return parcels;
}

/** The same lines have the same id, so that the server takes a repetition for what it is. */
function idOf(parcel: string): string {
  return createHash('sha256').update(parcel).digest('base64url');
}
