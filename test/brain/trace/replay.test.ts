import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { silentLog } from '../../../shared/log.ts';
import { canonicalJson } from '../../../brain/trace/canonical-json.ts';
import type { Input } from '../../../brain/core/input.ts';
import { createTell } from '../../../brain/listeners.ts';
import { createRecorder, recordLines } from '../../../brain/trace/recorder.ts';
import { replayFile, replayTrace } from '../../../brain/trace/replay.ts';
import { createRunner } from '../../../brain/migrations/runner.ts';
import { TraceError } from '../../../brain/trace/trace.ts';
import { sampleOf, startStub, stubCore } from '../fixtures.ts';
import type { Decide } from '../fixtures.ts';

/** Cancels on every tick: a decision without meaning, but a visible one. */
const decide: Decide = (input) =>
  input.kind === 'tick' ? [{ side: 'source', operation: { kind: 'cancel' } }] : [];

const inputs: readonly Input[] = [
  { kind: 'tick', atMilliseconds: 10.125 },
  { kind: 'sample', atMilliseconds: 20, side: 'source', sample: sampleOf('active') },
  { kind: 'tick', atMilliseconds: 30 },
  { kind: 'sample', atMilliseconds: 40, side: 'source', sample: sampleOf('completed') },
];

const rethrow = (error: unknown): never => {
  throw error;
};

function record(listen = recordLines, id = 'm1'): string[] {
  const lines: string[] = [];
  const listener = listen((line) => lines.push(JSON.stringify(line)));
  const runner = createRunner({
    keep: () => undefined,
    aheadMilliseconds: 0,
    migration: startStub({ id, policy: 'stub', atMilliseconds: 10.125 }),
    reduce: stubCore(decide).reduce,
    tell: createTell([listener], rethrow),
    execute: () => new Promise(() => undefined),
    now: () => 0,
    onError: rethrow,
  });
  inputs.forEach(runner.feed);
  return lines;
}

const replay = (lines: readonly string[], policy?: string) =>
  replayTrace(lines, { reduce: stubCore(decide).reduce, start: startStub, policy });

describe('brain/trace/recorder and brain/trace/replay', () => {
  it('records inputs and decisions in order, the result last', () => {
    const types = record().map((line) => (JSON.parse(line) as { type: string }).type);
    assert.deepEqual(types, [
      'trace',
      'input',
      'decision',
      'input',
      'input',
      'decision',
      'input',
      'result',
    ]);
  });

  it('replays to the same decisions and result', () => {
    const replayed = replay(record());
    assert.equal(replayed.mismatch, undefined);
    assert.equal(replayed.decisions.length, 2);
    assert.deepEqual(replayed.result, replayed.recordedResult);
    assert.equal(replayed.result?.outcome, 'completed');
  });

  it('finds a decision that differs in one figure, is missing, or is one too many', () => {
    const lines = record();
    const changed = lines.map((line) => line.replace('"number":2', '"number":9'));
    assert.equal(replay(changed).mismatch?.position, 2);
    const missing = lines.filter((line) => !line.includes('"number":2'));
    const added = replay(missing).mismatch;
    assert.deepEqual([added?.position, added?.recorded], [2, undefined]);
    const doubled = lines.flatMap((line) => (line.includes('"number":2') ? [line, line] : [line]));
    assert.equal(replay(doubled).mismatch?.position, 3);
  });

  it('does not compare decisions of another policy', () => {
    const replayed = replay(record(), 'other');
    assert.equal(replayed.mismatch, undefined);
    assert.equal(replayed.decisions[0]?.rule, 'policy-other');
    assert.equal(replayed.recordedPolicy, 'stub');
  });

  it('records one migration only', () => {
    const lines: string[] = [];
    const one = recordLines((line) => lines.push(JSON.stringify(line)));
    record(() => one, 'm1');
    const before = lines.length;
    record(() => one, 'm2');
    assert.equal(lines.length, before);
  });

  it('names the line that is broken', () => {
    const lines = record();
    const refused = (broken: readonly string[], message: RegExp) => {
      assert.throws(
        () => replay(broken),
        (error) => {
          assert.ok(error instanceof TraceError);
          assert.match(error.message, message);
          return true;
        },
      );
    };
    refused([], /empty/);
    refused(['hello'], /not a trace/);
    refused(['{"type":"sample"}'], /not a trace/);
    refused([lines[0]?.replace('"format":1', '"format":2') ?? ''], /format 1/);
    refused([...lines.slice(0, 3), lines[3]?.slice(0, 20) ?? ''], /line 4/);
    refused([...lines.slice(0, 2), '{"type":"surprise"}'], /line 3/);
  });

  it('is the same through a file, and says which file cannot be read', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'ferryman-replay-'));
    const path = join(folder, 'trace.jsonl');
    const recorder = createRecorder(path, silentLog);
    record(() => recorder.listener);
    await recorder.close();
    const options = { reduce: stubCore(decide).reduce, start: startStub };
    assert.equal((await readFile(path, 'utf8')).trim().split('\n').length, 8);
    assert.equal((await replayFile(path, options)).mismatch, undefined);
    await writeFile(path, '{}');
    await assert.rejects(replayFile(path, options), /trace\.jsonl: not a trace/);
    await assert.rejects(replayFile(join(folder, 'none'), options), TraceError);
    assert.throws(() => createRecorder(join(folder, 'no', 'where'), silentLog), TraceError);
    await rm(folder, { recursive: true });
  });

  it('writes equal values as equal bytes', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const reversed = Object.fromEntries(Object.entries(value).reverse());
        assert.equal(canonicalJson(reversed), canonicalJson(value));
        assert.deepEqual(JSON.parse(canonicalJson(value)), JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});
