import assert from 'node:assert/strict';
import { printJson, printLines, replayExitCode } from '../../../cli/commands/replay.ts';
import type { Replay } from '../../../brain/trace/replay.ts';
import { completedResult, migration, throttleDecision } from '../fixture.ts';

describe('replay command', () => {
  const equal: Replay = {
    policy: 'adaptive',
    recordedPolicy: 'adaptive',
    decisions: [throttleDecision],
    recordedDecisions: [throttleDecision],
    migration: migration({ phase: 'settled', result: completedResult }),
    result: completedResult,
  };
  const different: Replay = { ...equal, mismatch: { position: 1, replayed: throttleDecision } };
  const printed = (print: typeof printJson, replay: Replay) => {
    const written: string[] = [];
    print(replay, { write: (text) => written.push(text) });
    return written;
  };

  it('ends with 0 when the decisions are the recorded ones, with 4 when not', () => {
    assert.equal(replayExitCode(equal), 0);
    assert.equal(replayExitCode(different), 4);
  });

  it('says that they are equal', () => {
    assert.match(printed(printLines, equal).at(-1) ?? '', /^1 decision, equal to the recorded/);
  });

  it('shows the first difference', () => {
    const last = printed(printLines, different).at(-1) ?? '';
    assert.match(last, /^Decision 1 differs/);
    assert.match(last, /recorded: none\n {2}replayed: Hold the guest back by 90 %/);
  });

  it('does not compare under another policy', () => {
    const other = { ...equal, policy: 'ladder' };
    assert.match(printed(printLines, other).at(-1) ?? '', /under ladder.*under adaptive/);
    const summary = JSON.parse(printed(printJson, other).at(-1) ?? '') as object;
    assert.ok(!('equal' in summary));
  });

  it('ends its NDJSON with the comparison', () => {
    const lines = printed(printJson, different).map((line) => JSON.parse(line) as object);
    assert.deepEqual(Object.values(lines[0] ?? {})[0], 'decision');
    assert.deepEqual(lines.at(-1), {
      type: 'replay',
      policy: 'adaptive',
      recordedPolicy: 'adaptive',
      decisions: 1,
      equal: false,
      mismatch: { position: 1, replayed: throttleDecision },
      result: completedResult,
    });
  });
});
