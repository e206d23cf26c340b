/** Recorded migrations with the decisions that are expected of them, gzip-compressed. */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { reduce, startMigration } from '../../brain/core/reduce.ts';
import { replayTrace, type Replay } from '../../brain/trace/replay.ts';
import { parseTrace } from '../../brain/trace/trace.ts';

const folder = import.meta.dirname;
const suffix = '.jsonl.gz';

/** The names of all golden traces, `<kind>-<version of QEMU>`. */
export function goldenNames(): readonly string[] {
  const files = readdirSync(folder).filter((file) => file.endsWith(suffix));
  return files.map((file) => file.slice(0, -suffix.length)).sort();
}

/** The lines of one. */
export function readGolden(name: string): readonly string[] {
  const text = gunzipSync(readFileSync(join(folder, name + suffix))).toString();
  return text.split('\n').filter((line) => line !== '');
}

/** Keeps these lines under `name`; equal lines make equal files. */
export function writeGolden(name: string, lines: readonly string[]): void {
  writeFileSync(join(folder, name + suffix), gzipSync(`${lines.join('\n')}\n`, { level: 9 }));
}

/** Runs the lines through the core as it is now. */
export function replayGolden(lines: readonly string[]): Replay {
  return replayTrace(lines, { reduce, start: startMigration });
}

/** The same inputs, with the decisions and the result that the core comes to now. */
export function expectAnew(lines: readonly string[]): readonly string[] {
  const { header, inputs } = parseTrace(lines);
  const { id, policy, atMilliseconds } = header;
  let migration = startMigration({ id, policy, atMilliseconds });
  const anew: object[] = [header];
  for (const input of inputs) {
    const reduced = reduce(migration, input);
    migration = reduced.migration;
    const decisions = reduced.decisions.map((decision) => ({ type: 'decision', decision }));
    anew.push({ type: 'input', input }, ...decisions);
  }
  if (migration.result) anew.push({ type: 'result', ...migration.result });
  return anew.map((line) => JSON.stringify(line));
}
