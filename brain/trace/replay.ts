/**
 * Runs a recorded migration through the core again. With the policy it was recorded under the
 * decisions must be the same, byte for byte; with another one they show what it would have done, as
 * far as the recorded world still answers it.
 */
import { readFile } from 'node:fs/promises';
import { messageOf } from '../../shared/errors.ts';
import { canonicalJson } from './canonical-json.ts';
import type { Decision } from '../core/decision.ts';
import type { Migration, MigrationResult } from '../core/migration.ts';
import type { Reduce, Start } from '../migrations/runner.ts';
import { TraceError, parseTrace } from './trace.ts';

export interface ReplayOptions {
  readonly reduce: Reduce;
  readonly start: Start;
  /** Absent: the recorded one. */
  readonly policy?: string | undefined;
}

/** The first place at which the replay parts from the record. */
export interface Mismatch {
  /** 1 is the first decision. */
  readonly position: number;
  readonly recorded?: Decision;
  readonly replayed?: Decision;
}

export interface Replay {
  readonly policy: string;
  readonly recordedPolicy: string;
  readonly decisions: readonly Decision[];
  readonly recordedDecisions: readonly Decision[];
  /** What the replay came to; absent when it had not settled at the record's end. */
  readonly result?: MigrationResult;
  readonly recordedResult?: MigrationResult;
  /** Only looked for under the recorded policy. */
  readonly mismatch?: Mismatch;
  readonly migration: Migration;
}

/** Pure. Throws TraceError for lines that are no trace. */
export function replayTrace(
  lines: readonly string[],
  { reduce, start, policy }: ReplayOptions,
): Replay {
  const trace = parseTrace(lines);
  const { id, atMilliseconds, policy: recordedPolicy } = trace.header;
  const chosen = policy ?? recordedPolicy;
  const decisions: Decision[] = [];
  let migration = start({ id, policy: chosen, atMilliseconds });
  for (const input of trace.inputs) {
    const reduced = reduce(migration, input);
    migration = reduced.migration;
    decisions.push(...reduced.decisions);
  }
  const mismatch =
    chosen === recordedPolicy ? firstMismatch(trace.decisions, decisions) : undefined;
  return {
    policy: chosen,
    recordedPolicy,
    decisions,
    recordedDecisions: trace.decisions,
    migration,
    ...(migration.result && { result: migration.result }),
    ...(trace.result && { recordedResult: trace.result }),
    ...(mismatch && { mismatch }),
  };
}

/** The same for a file. Throws TraceError that names it. */
export async function replayFile(path: string, options: ReplayOptions): Promise<Replay> {
  try {
    return replayTrace((await readFile(path, 'utf8')).split('\n'), options);
  } catch (error) {
    const isSystemError = error instanceof Error && 'syscall' in error;
    if (!isSystemError && !(error instanceof TraceError)) throw error;
    const remedy = 'name a file that `ferryman run --record FILE` made';
    throw new TraceError(`${path}: ${messageOf(error)}; ${remedy}`, { cause: error });
  }
}

function firstMismatch(
  recorded: readonly Decision[],
  replayed: readonly Decision[],
): Mismatch | undefined {
  const length = Math.max(recorded.length, replayed.length);
  for (let index = 0; index < length; index += 1) {
    const [was, is] = [recorded[index], replayed[index]];
    if (canonicalJson(was ?? null) === canonicalJson(is ?? null)) continue;
    return { position: index + 1, ...(was && { recorded: was }), ...(is && { replayed: is }) };
  }
  return undefined;
}
