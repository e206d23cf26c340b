import assert from 'node:assert/strict';
import { chooseReporter } from '../../../cli/reporters/choose.ts';
import { createLiveReporter } from '../../../cli/reporters/live.ts';
import { createNdjsonReporter } from '../../../cli/reporters/ndjson.ts';
import { createPlainReporter } from '../../../cli/reporters/plain.ts';
import type { Style } from '../../../cli/terminal/style.ts';
import {
  completedResult,
  measuredRecord,
  migration,
  round,
  sample,
  throttleDecision,
} from '../fixture.ts';

const style: Style = { colour: false, unicode: true, columns: 80, rows: 40 };
const sampleInput = { kind: 'sample', atMilliseconds: 7000, side: 'source', sample } as const;
const note = { atMilliseconds: 1, method: 'xbzrle', rule: 'does-not-pay', evidence: {} } as const;

function paper() {
  const written: string[] = [];
  return { written, output: { write: (text: string) => written.push(text) } };
}

describe('NDJSON reporter', () => {
  it('prints one object per event, the result last, and nothing else', () => {
    const { written, output } = paper();
    const messages = paper();
    const reporter = createNdjsonReporter(output, messages.output);
    const settled = migration({ phase: 'settled', result: completedResult });
    reporter.onInput?.(migration(), sampleInput);
    reporter.onInput?.(migration(), { kind: 'tick', atMilliseconds: 7001 });
    reporter.onRound?.(migration(), round(1, 128, 80));
    reporter.onNote?.(migration(), note);
    reporter.onDecision?.(migration(), throttleDecision);
    reporter.say('a word');
    reporter.onSettled?.(settled, completedResult);
    const lines = written.map((line) => JSON.parse(line) as Record<string, unknown>);
    const types = lines.map((line) => line['type']);
    assert.deepEqual(types, ['sample', 'round', 'note', 'decision', 'result']);
    assert.deepEqual(lines.at(-1), { type: 'result', ...completedResult });
    for (const key of ['method', 'rule', 'evidence', 'prediction', 'explanation']) {
      assert.ok(key in (lines[3] ?? {}), key);
    }
    assert.deepEqual(messages.written, ['ferryman: a word\n']);
  });
});

describe('NDJSON reporter, at the end', () => {
  it('prints what each prediction came to, just before the result', () => {
    const { written, output } = paper();
    const decisions = [measuredRecord, { decision: throttleDecision, outcome: 'refused' as const }];
    const settled = migration({ phase: 'settled', result: completedResult, decisions });
    createNdjsonReporter(output, output).onSettled?.(settled, completedResult);
    const [effect, result, ...more] = written.map((line) => JSON.parse(line) as object);
    assert.deepEqual(effect, {
      type: 'effect',
      decision: 6,
      side: 'source',
      method: 'auto-converge',
      rule: 'rule-nobody-phrased',
      predicted: throttleDecision.prediction,
      measured: measuredRecord.measured,
    });
    assert.deepEqual(result, { type: 'result', ...completedResult });
    assert.equal(more.length, 0);
  });
});

describe('plain reporter', () => {
  it('tells rounds and decisions as they fall, then the summary', () => {
    const { written, output } = paper();
    const reporter = createPlainReporter(output, style);
    reporter.onRound?.(migration(), round(2, 80, 79));
    reporter.onDecision?.(migration(), throttleDecision);
    reporter.onSettled?.(migration({ result: completedResult }), completedResult);
    assert.equal(written[0], '   3.0 s  round 2: 80.0 MiB in 1.0 s left 79.0 MiB\n');
    assert.match(written[1] ?? '', /^ +5\.0 s {2}Hold the guest back by 90 %/);
    assert.match(written[2] ?? '', /completed · redis-7 moved in 7\.1 s/);
  });
});

describe('live reporter', () => {
  it('redraws at most ten times a second, over its own picture only', async () => {
    const { written, output } = paper();
    const reporter = createLiveReporter(output, () => style);
    for (let n = 0; n < 50; n += 1) reporter.onInput?.(migration(), sampleInput);
    await new Promise((resolve) => setTimeout(resolve, 130));
    assert.equal(written.length, 1);
    const height = (written[0] ?? '').split('\n').length - 1;
    reporter.onInput?.(migration(), sampleInput);
    await new Promise((resolve) => setTimeout(resolve, 130));
    assert.ok(written[1]?.startsWith(`\u001b[${String(height)}A`));
    reporter.close();
  });

  it('leaves the summary and the cursor behind, and draws no more', async () => {
    const { written, output } = paper();
    const reporter = createLiveReporter(output, () => style);
    reporter.onInput?.(migration(), sampleInput);
    reporter.onSettled?.(migration({ result: completedResult }), completedResult);
    reporter.close();
    const shown = written.join('');
    assert.match(shown, /redis-7 moved in 7\.1 s/);
    assert.ok(shown.endsWith('\u001b[?25h'));
    await new Promise((resolve) => setTimeout(resolve, 130));
    assert.equal(written.join(''), shown);
  });
});

describe('choice of reporter', () => {
  const choose = (surroundings: object, environment = {}) => {
    const { written, output } = paper();
    const reporter = chooseReporter({
      json: false,
      output: { ...output, ...surroundings },
      messages: paper().output,
      environment,
    });
    reporter.onRound?.(migration(), round(1, 128, 80));
    return written.length;
  };

  it('writes plain lines into a pipe and a dumb or tiny terminal', () => {
    assert.equal(choose({}), 1);
    assert.equal(choose({ isTTY: true, rows: 40 }, { TERM: 'dumb' }), 1);
    assert.equal(choose({ isTTY: true, rows: 8 }), 1);
  });

  it('draws on a terminal', () => {
    assert.equal(choose({ isTTY: true, rows: 40, columns: 80 }), 0);
  });
});
