/**
 * Bytes to typed messages and back: the only importer of generated code. Every message is validated
 * on both sides, so that a wrong figure is refused where it arises, and again where it would act.
 */
import type { z } from 'zod';
import './codec/plain-numbers.ts';
import { ferryman } from '../proto/generated/ferryman.js';
import * as commandSchemas from './codec/command-schemas.ts';
import { quickCheck } from './codec/quick.ts';
import * as telemetrySchemas from './codec/telemetry-schemas.ts';
import { foldUnions, unfoldUnions } from './codec/unions.ts';
import type { Command, CommandResult } from './command.ts';
import { FerrymanError, messageOf } from './errors.ts';
import type { Beacon, Telemetry } from './telemetry.ts';

/** A message that is not what it should be; says which message and which field. */
export class CodecError extends FerrymanError {
  /** Path of the field, e.g. `body.sample.ram.remainingBytes`; empty for the message as a whole. */
  readonly field: string;

  constructor(messageName: string, field: string, problem: string, options?: ErrorOptions) {
    const place = field === '' ? messageName : `${messageName}.${field}`;
    super('CODEC', `${place}: ${problem}`, options);
    this.field = field;
  }
}

/** Largest payload; a VM's facts take under 1 KiB, a full host sample under 8. */
export const maxPayloadBytes = 64 * 1024;

type Plain = Readonly<Record<string, unknown>>;

/** What we use of a generated message class. */
interface Wire {
  encode(message: object): { finish(): Uint8Array };
  decode(payload: Uint8Array): object;
  toObject(message: never, options: object): Plain;
}

interface Codec<T> {
  encode(message: T): Uint8Array;
  decode(payload: Uint8Array): T;
}

/** `unions`: where the message holds unions, see codec/unions.ts. */
function codec<T>(
  name: string,
  wire: Wire,
  schema: z.ZodType<T>,
  unions: readonly string[] = [],
): Codec<T> {
  const isPlainlyValid = quickCheck(schema);
  const validated = (message: unknown): T =>
    isPlainlyValid(message) ? (message as T) : validate(name, schema, message);
  return {
    encode(message) {
      const folded = foldUnions(validated(message) as Plain, unions);
      const payload = wire.encode(folded).finish();
      checkSize(name, payload);
      return payload;
    },
    decode(payload) {
      checkSize(name, payload);
      return validated(unfoldUnions(toPlain(name, wire, payload), unions));
    },
  };
}

function validate<T>(name: string, schema: z.ZodType<T>, message: unknown): T {
  const parsed = schema.safeParse(message);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new CodecError(name, issue?.path.join('.') ?? '', issue?.message ?? 'invalid');
}

function checkSize(name: string, payload: Uint8Array): void {
  if (payload.byteLength <= maxPayloadBytes) return;
  const size = `${String(payload.byteLength)} bytes`;
  throw new CodecError(name, '', `${size}, more than the ${String(maxPayloadBytes)} allowed`);
}

function toPlain(name: string, wire: Wire, payload: Uint8Array): Plain {
  try {
    const options = { longs: Number, defaults: false, arrays: true, oneofs: true };
    return wire.toObject(wire.decode(payload) as never, options);
  } catch (thrown) {
    throw new CodecError(name, '', messageOf(thrown), { cause: thrown });
  }
}

const messages = ferryman.v1;
const telemetry = codec('Telemetry', messages.Telemetry, telemetrySchemas.telemetry, ['body']);
const beacon = codec('Beacon', messages.Beacon, telemetrySchemas.beacon);
const command = codec('Command', messages.Command, commandSchemas.command, [
  'operation',
  'endpoint',
]);
const result = codec('CommandResult', messages.CommandResult, commandSchemas.commandResult);

/** All eight throw CodecError. */
export const encodeTelemetry = (message: Telemetry): Uint8Array => telemetry.encode(message);
export const decodeTelemetry = (payload: Uint8Array): Telemetry => telemetry.decode(payload);
export const encodeBeacon = (message: Beacon): Uint8Array => beacon.encode(message);
export const decodeBeacon = (payload: Uint8Array): Beacon => beacon.decode(payload);
export const encodeCommand = (message: Command): Uint8Array => command.encode(message);
export const decodeCommand = (payload: Uint8Array): Command => command.decode(payload);
export const encodeCommandResult = (message: CommandResult): Uint8Array => result.encode(message);
export const decodeCommandResult = (payload: Uint8Array): CommandResult => result.decode(payload);
