import assert from 'node:assert/strict';
import type { Decision } from '../../brain/core/decision.ts';
import type { Replay } from '../../brain/trace/replay.ts';
import {
  compareDecisions,
  printCompared,
  printComparedJson,
  type Compared,
} from '../../cli/comparison.ts';
import { migration, throttleDecision } from './fixture.ts';

const arm: Decision = {
  ...throttleDecision,
  number: 1,
  atMilliseconds: 1000,
  operation: { kind: 'cancel' },
};

function replayUnder(policy: string, decisions: readonly Decision[]): Replay {
  return {
    policy,
    recordedPolicy: 'adaptive',
    decisions,
    recordedDecisions: [],
    migration: migration({ policy }),
  };
}

const both: Compared = [
  replayUnder('adaptive', [arm, throttleDecision]),
  replayUnder('ladder', [
    { ...arm, rule: 'another-reason' },
    { ...arm, number: 2, atMilliseconds: 3000 },
  ]),
];

function printed(print: typeof printCompared): string[] {
  const written: string[] = [];
  print(both, { columns: 100, write: (text) => written.push(text) });
  return written.join('').trimEnd().split('\n');
}

describe('two policies over one run', () => {
  it('are merged by time; the same deed for another reason is the same', () => {
    const steps = compareDecisions(both);
    assert.deepEqual(
      steps.map(({ atMilliseconds, same }) => [atMilliseconds, same]),
      [
        [1000, true],
        [3000, false],
        [5000, false],
      ],
    );
    const sides = steps.map(({ decisions }) => decisions.map((each) => each?.number));
    assert.deepEqual(sides, [
      [1, 1],
      [undefined, 2],
      [6, undefined],
    ]);
  });

  it('stand side by side, and it is said what the inputs are', () => {
    const lines = printed(printCompared);
    assert.match(lines[0] ?? '', /^ +adaptive +ladder$/);
    assert.match(lines[1] ?? '', /1\.0 s +cancel this attempt.*the same$/);
    const text = lines.join(' ');
    assert.match(text, /2 decisions under adaptive, 2 decisions under ladder, 1 the same/);
    assert.match(text, /inputs of the run recorded under adaptive/);
  });

  it('end their NDJSON with the count', () => {
    const lines = printed(printComparedJson).map((line) => JSON.parse(line) as object);
    assert.equal(lines.length, 4);
    assert.deepEqual(lines.at(-1), {
      type: 'comparison',
      policies: ['adaptive', 'ladder'],
      decisions: [2, 2],
      same: 1,
      inputsRecordedUnder: 'adaptive',
    });
  });
});
