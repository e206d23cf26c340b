import assert from 'node:assert/strict';
import { verdictOf } from '../../../brain/words/verdict.ts';
import { completedResult, migration, round } from '../../cli/fixture.ts';

describe('verdict', () => {
  const word = (changes: Parameters<typeof migration>[0]) => verdictOf(migration(changes)).word;

  it('waits through the first pass', () => {
    const { openRound } = migration();
    assert.ok(openRound);
    assert.equal(word({ rounds: [], openRound: { ...openRound, number: 1 } }), 'first pass');
    assert.equal(word({}), 'waiting');
  });

  it('is converging while a round leaves less than it found', () => {
    assert.equal(word({ rounds: [round(1, 128, 80), round(2, 80, 40)] }), 'converging');
  });

  it('is diverging when a round leaves as much as it found', () => {
    assert.equal(word({ rounds: [round(1, 128, 80), round(2, 80, 79.5)] }), 'diverging');
  });

  it('is endless once a second round says the same', () => {
    const rounds = [round(1, 128, 80), round(2, 80, 79.5), round(3, 79.5, 79.4)];
    assert.equal(word({ rounds }), 'endless');
  });

  it('does not judge a new attempt by the rounds of the one before', () => {
    const attempts = [
      ...migration().attempts,
      ...migration().attempts.map((attempt) => ({ ...attempt, number: 2 })),
    ];
    assert.equal(word({ attempts, rounds: [round(2, 80, 80)] }), 'waiting');
  });

  it('names the outcome at the end', () => {
    assert.equal(word({ result: completedResult }), 'completed');
  });

  it('calls for the operator when it must', () => {
    assert.equal(word({ phase: 'needs-human' }), 'needs you');
  });
});
