import type { Monitor } from '../monitor/monitor.ts';
import { BadReplyError } from '../monitor/qmp/errors.ts';
import { isObject } from '../monitor/qmp/types.ts';

/** A reply, or a part of one, that knows whom to blame. */
export interface Reply {
  readonly value: unknown;
  readonly blame: (what: string) => BadReplyError;
}

interface FieldTypes {
  readonly string: string;
  readonly number: number;
  readonly boolean: boolean;
}

/** Asks without arguments. Throws what `Monitor.execute` throws. */
export async function ask(monitor: Monitor, command: string): Promise<Reply> {
  const value = await monitor.execute(command);
  return { value, blame: (what) => new BadReplyError(monitor.address, `${command} ${what}`) };
}

/** Throws BadReplyError when it is no object. */
export function objectOf({ value, blame }: Reply): Readonly<Record<string, unknown>> {
  if (isObject(value)) return value;
  throw blame('is no object');
}

/** Throws BadReplyError when it is no list. */
export function listOf({ value, blame }: Reply): Reply[] {
  if (!Array.isArray(value)) throw blame('is no list');
  return value.map((entry: unknown) => ({ value: entry, blame }));
}

/** A field; undefined when it is absent. Throws BadReplyError when it has another type. */
export function optional<T extends keyof FieldTypes>(
  reply: Reply,
  field: string,
  type: T,
): FieldTypes[T] | undefined {
  const value = objectOf(reply)[field];
  if (value === undefined) return undefined;
  if (typeof value !== type) throw reply.blame(`has a ${field} that is no ${type}`);
  return value as FieldTypes[T];
}

/** A field. Throws BadReplyError when it is absent or has another type. */
export function required<T extends keyof FieldTypes>(
  reply: Reply,
  field: string,
  type: T,
): FieldTypes[T] {
  const value = optional(reply, field, type);
  if (value === undefined) throw reply.blame(`has no ${field}`);
  return value;
}
