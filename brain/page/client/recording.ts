/**
 * A recorded migration in the page: its inputs go through the core once more, here in the browser,
 * and every moment can be looked at. Nothing of the file leaves the machine. No document needed.
 */
import type { Input } from '../../core/input.ts';
import type { Migration } from '../../core/migration.ts';
import { reduce, startMigration } from '../../core/reduce.ts';
import type { traceFormat, TraceHeader, TraceLine } from '../../trace/trace.ts';
import { createChronicle } from '../view/chronicle.ts';
import { detailOf } from '../view/detail.ts';
import type { Detail, Point } from '../view/view.ts';

/** A moment at which something was seen or decided. */
export interface Moment {
  readonly atMilliseconds: number;
  /** Whether a decision was made at it. */
  readonly isDecision: boolean;
}

export interface Recording {
  /** In order of time; at least one. */
  readonly moments: readonly Moment[];
  /** The migration as it stood after the moment with this index. */
  at(index: number): { readonly detail: Detail; readonly points: readonly Point[] };
}

const readableFormat: typeof traceFormat = 1;

/** Plays a trace through the core. Throws with the number of the line that cannot be read. */
export function openRecording(text: string): Recording {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const parsed = lines.map((line, index) => parseLine(line, index + 1));
  const [header, ...rest] = parsed;
  if (!isHeader(header)) throw new Error('line 1 is not the beginning of a trace');
  const inputs = rest.flatMap((line) => (line.type === 'input' ? [line.input] : []));
  if (inputs.length === 0) throw new Error('nothing was recorded in it');
  return play(header, inputs);
}

function play({ id, policy, atMilliseconds }: TraceHeader, inputs: readonly Input[]): Recording {
  const chronicle = createChronicle(atMilliseconds);
  const states: { readonly migration: Migration; readonly points: number }[] = [];
  const moments: Moment[] = [];
  let migration = startMigration({ id, policy, atMilliseconds });
  for (const input of inputs) {
    const { decisions, migration: next } = reduce(migration, input);
    migration = next;
    chronicle.observe(migration, input);
    if (input.kind !== 'sample' && decisions.length === 0 && !migration.result) continue;
    states.push({ migration, points: chronicle.points.length });
    moments.push({
      atMilliseconds: input.atMilliseconds - atMilliseconds,
      isDecision: decisions.length > 0,
    });
  }
  const last = { migration, points: chronicle.points.length };
  if (moments.length === 0) moments.push({ atMilliseconds: 0, isDecision: false });
  return {
    moments,
    at: (index) => {
      const state = states[index] ?? last;
      const until = state.migration.nowMilliseconds - atMilliseconds;
      return {
        detail: detailOf(state.migration, chronicle),
        points: chronicle.points.filter(([at]) => at <= until),
      };
    },
  };
}

function parseLine(line: string, number: number): TraceLine {
  try {
    return JSON.parse(line) as TraceLine;
  } catch {
    throw new Error(`line ${number} is no JSON`);
  }
}

function isHeader(line: TraceLine | undefined): line is TraceHeader {
  if (line?.type !== 'trace') return false;
  const format: number = line.format;
  if (format === readableFormat) return true;
  throw new Error(`this page reads traces of format ${readableFormat}`);
}
