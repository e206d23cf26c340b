import assert from 'node:assert/strict';
import type { Replay } from '../../../brain/trace/replay.ts';
import { explainCommand, printStory, printStoryJson } from '../../../cli/commands/explain.ts';
import { exitCodeOf } from '../../../cli/exit.ts';
import { storyOf } from '../../../cli/story.ts';
import { completedResult, measuredRecord, migration, throttleDecision } from '../fixture.ts';

const settled = migration({
  phase: 'settled',
  decisions: [measuredRecord],
  result: completedResult,
});
const replay: Replay = {
  policy: 'adaptive',
  recordedPolicy: 'adaptive',
  decisions: [throttleDecision],
  recordedDecisions: [throttleDecision],
  migration: settled,
  result: completedResult,
  recordedResult: completedResult,
};

function printed(print: typeof printStory, told: Replay): string[] {
  const written: string[] = [];
  print(storyOf(told), { columns: 100, write: (text) => written.push(text) });
  return written.join('').split('\n');
}

describe('ferryman explain', () => {
  it('tells each decision with why, what it promised and what came of it', () => {
    const text = printed(printStory, replay).join('\n');
    assert.match(text, /5\.0 s +Hold the guest back by 90 %.*rule nobody phrased/);
    assert.match(text, /expecting 8\.2 s to go/);
    assert.match(text, /predicted 8\.2 s, took 9\.1 s; downtime predicted 210 ms, was 190 ms/);
  });

  it('lists the rounds, and ends with the outcome', () => {
    const lines = printed(printStory, replay);
    const heading = lines.findIndex((line) => line.includes('round  began'));
    assert.match(lines[heading + 1] ?? '', /1 +1\.0 s +1\.0 s +128\.0 MiB +128\.0 MiB +80\.0 MiB/);
    assert.match(lines.join('\n'), /completed . redis-7 moved in 7\.1 s/);
  });

  it('tells what was not applied, and why', () => {
    const decisions = [
      { decision: throttleDecision, outcome: 'refused', reason: 'too hard' } as const,
    ];
    const refused = { ...replay, migration: { ...settled, decisions } };
    assert.match(printed(printStory, refused).join('\n'), /refused: too hard/);
  });

  it('tells the recorded decisions, without effects, when it would decide otherwise itself', () => {
    const recorded = { ...throttleDecision, rule: 'rule-of-old' };
    const other: Replay = {
      ...replay,
      recordedDecisions: [recorded],
      mismatch: { position: 1, recorded, replayed: throttleDecision },
    };
    const text = printed(printStory, other).join('\n');
    assert.match(text, /decides otherwise/);
    assert.match(text, /rule of old/);
    assert.doesNotMatch(text, /took 9\.1 s/);
  });

  it('prints NDJSON in the order of time, the result last', () => {
    const lines = printed(printStoryJson, replay)
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
    const types = lines.map(({ type }) => type);
    assert.deepEqual(types, ['migration', 'round', 'decision', 'result']);
    const { measured, outcome } = lines[2] ?? {};
    assert.deepEqual([measured, outcome], [measuredRecord.measured, 'applied']);
    assert.equal(lines[3]?.['outcome'], 'completed');
  });

  it('ends with 2 for a file that is no trace', async () => {
    const command = explainCommand(() => assert.fail('nothing was explained'));
    await assert.rejects(
      command.parseAsync([import.meta.filename], { from: 'user' }),
      (error) => exitCodeOf(error) === 2,
    );
  });
});
