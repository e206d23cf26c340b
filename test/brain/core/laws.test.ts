/** What holds whatever comes in: sequences of plausible inputs, in whatever order. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Operation } from '../../../shared/command.ts';
import { throttleCapPercent } from '../../../brain/core/budget.ts';
import type { Migration } from '../../../brain/core/migration.ts';
import { reduce } from '../../../brain/core/reduce.ts';
import { perform, performances, type Performance } from './performances.ts';

const always = (law: (performance: Performance) => void, numRuns = 80) =>
  fc.assert(
    fc.property(performances, (each) => law(perform(each))),
    { numRuns },
  );

function highestThrottle(operation: Operation): number {
  if (operation.kind === 'throttle') return operation.percent;
  const tuning = operation.kind === 'tune' || operation.kind === 'arm' ? operation.tuning : {};
  return Math.max(tuning.autoConverge?.initialPercent ?? 0, tuning.autoConverge?.maxPercent ?? 0);
}

describe('core laws', () => {
  it('one command is under way at a time, numbered in order', () => {
    always(({ states }) => {
      states.slice(1).forEach((after, index) => {
        const before = states[index] as Migration;
        const issued = after.decisions.slice(before.decisions.length);
        assert.ok(issued.length <= 1);
        if (issued.length === 1) assert.equal(after.pending?.decision, issued[0]?.decision);
        const isStill = before.pending && after.pending === before.pending;
        if (isStill) assert.equal(issued.length, 0);
      });
      states.at(-1)?.decisions.forEach(({ decision }, index) => {
        assert.equal(decision.number, index + 1);
      });
    });
  });

  it('post-copy is never cancelled', () => {
    always(({ last }) => {
      const start = last.decisions.findIndex(
        ({ decision, outcome }) =>
          decision.operation.kind === 'start-postcopy' && outcome === 'applied',
      );
      const later = start < 0 ? [] : last.decisions.slice(start + 1);
      assert.ok(later.every(({ decision }) => decision.operation.kind !== 'cancel'));
    });
  });

  it('post-copy is not started unless the objective allows it', () => {
    always(({ last }) => {
      if (last.order?.objective.postCopy === 'last-resort') return;
      const kinds = last.decisions.map(({ decision }) => decision.operation);
      assert.ok(kinds.every((each) => each.kind !== 'start-postcopy'));
      assert.ok(kinds.every((each) => each.kind !== 'arm' || !each.arming.postCopy));
    });
  });

  it('no throttle exceeds what the objective allows', () => {
    always(({ last }) => {
      const cap = last.order ? throttleCapPercent(last.order.objective) : 0;
      for (const { decision } of last.decisions) {
        assert.ok(highestThrottle(decision.operation) <= cap);
      }
    });
  });

  it('nothing is armed while an attempt may be under way', () => {
    always(({ last }) => {
      let isUnderWay = false;
      for (const { decision, outcome } of last.decisions) {
        const { kind } = decision.operation;
        if (kind === 'arm') assert.ok(!isUnderWay);
        if (kind === 'migrate') isUnderWay = outcome === 'applied' || outcome === 'indeterminate';
        if (kind === 'cancel' && outcome === 'applied') isUnderWay = false;
      }
    });
  });

  it('a result is final', () => {
    always(({ states, last }) => {
      const first = states.find(({ result }) => result !== undefined);
      if (!first) return;
      assert.equal(last.result, first.result);
      assert.equal(last.decisions.length, first.decisions.length);
    });
  });

  it('the same inputs give the same states, and so the same decisions', () => {
    always(({ inputs, states, last }) => {
      let migration = states[0] as Migration;
      for (const input of inputs) migration = reduce(migration, input).migration;
      assert.deepEqual(migration, last);
    }, 40);
  });
});
