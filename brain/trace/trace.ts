/**
 * A recorded migration as lines of JSON: a header, then every input and decision in order, and the
 * result last. The inputs alone are enough to replay it (P19).
 */
import * as z from 'zod';
import { FerrymanError, messageOf } from '../../shared/errors.ts';
import type { Decision } from '../core/decision.ts';
import type { Input } from '../core/input.ts';
import type { Migration, MigrationResult } from '../core/migration.ts';

/** Grows when a reader of the older format could misread the newer one. */
export const traceFormat = 1;

export interface TraceHeader {
  readonly type: 'trace';
  readonly format: typeof traceFormat;
  readonly id: string;
  readonly policy: string;
  /** When the migration was begun; the core's first moment. */
  readonly atMilliseconds: number;
}

export type TraceLine =
  | TraceHeader
  | { readonly type: 'input'; readonly input: Input }
  | { readonly type: 'decision'; readonly decision: Decision }
  | ({ readonly type: 'result' } & MigrationResult);

/** A trace in memory. */
export interface Trace {
  readonly header: TraceHeader;
  readonly inputs: readonly Input[];
  readonly decisions: readonly Decision[];
  readonly result?: MigrationResult;
}

/** A file that is no trace, or a line of it that is broken; the message names the line. */
export class TraceError extends FerrymanError {
  constructor(message: string, options?: ErrorOptions) {
    super('TRACE', message, options);
  }
}

/** The first line of a migration's trace. */
export function traceHeader({ id, policy }: Migration, atMilliseconds: number): TraceHeader {
  return { type: 'trace', format: traceFormat, id, policy, atMilliseconds };
}

const header = z.object({
  type: z.literal('trace'),
  format: z.literal(traceFormat, { error: `this ferryman reads format ${String(traceFormat)}` }),
  id: z.string(),
  policy: z.string(),
  atMilliseconds: z.number(),
});

// What these hold was written by a recorder and is judged by the core; only their frame is checked.
const timed = z.looseObject({ kind: z.string(), atMilliseconds: z.number() });
const line = z.discriminatedUnion('type', [
  z.object({ type: z.literal('input'), input: timed }),
  z.object({ type: z.literal('decision'), decision: z.looseObject({ number: z.int() }) }),
  z.looseObject({ type: z.literal('result'), outcome: z.string() }),
]);

/** Reads the lines of a trace; empty ones do not count. Throws TraceError. */
export function parseTrace(lines: readonly string[]): Trace {
  const filled = lines
    .map((text, index) => ({ text, number: index + 1 }))
    .filter(({ text }) => text.trim() !== '');
  const [first, ...rest] = filled;
  if (first === undefined) throw new TraceError('not a trace: it is empty');
  const parsed = rest.map(({ text, number }) => check(line, text, `line ${String(number)}`));
  const result = parsed.findLast((each) => each.type === 'result');
  return {
    header: check(header, first.text, 'not a trace: its first line'),
    inputs: parsed.flatMap((each) => (each.type === 'input' ? (each.input as Input) : [])),
    decisions: parsed.flatMap((each) =>
      each.type === 'decision' ? (each.decision as unknown as Decision) : [],
    ),
    ...(result && { result: withoutType(result) }),
  };
}

function check<T>(schema: z.ZodType<T>, text: string, place: string): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new TraceError(`${place}: ${messageOf(error)}`, { cause: error });
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new TraceError(`${place}: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'invalid'}`);
}

function withoutType({ type: _, ...result }: Record<string, unknown>): MigrationResult {
  return result as unknown as MigrationResult;
}
