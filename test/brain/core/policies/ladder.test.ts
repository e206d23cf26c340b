import assert from 'node:assert/strict';
import { ladder } from '../../../../brain/core/policies/ladder.ts';
import type { Move } from '../../../../brain/core/policies/policy.ts';
import type { Migration } from '../../../../brain/core/migration.ts';
import {
  mebibyte,
  migrateOrder,
  movingMigration,
  plainArming,
  readyMigration,
  roundOf,
  vmFacts,
} from '../support.ts';

const endless = Array.from({ length: 6 }, (_, index) =>
  roundOf(index + 1, 64 * mebibyte, 64 * mebibyte),
);

/** On the first rung with the throttle at this level, and on no way to an end. */
function stuckAt(percent: number, change: Partial<Migration> = {}): Migration {
  const { arming, tuning } = ladder.plan(change.order ? readyMigration(change) : readyMigration());
  assert.ok(tuning.autoConverge);
  const autoConverge = { ...tuning.autoConverge, initialPercent: percent, maxPercent: percent };
  return movingMigration({
    rounds: endless,
    attempts: [{ number: 1, arming, startedAtMilliseconds: 1000, transferredBytes: 0 }],
    tuning: { ...tuning, autoConverge },
    ...change,
  });
}

function move(migration: Migration): Move {
  const wanted = ladder.decide(migration);
  assert.ok(wanted);
  return wanted;
}

function levelOf(wanted: Move): number | undefined {
  return wanted.kind === 'command' && wanted.operation.kind === 'tune'
    ? wanted.operation.tuning.autoConverge?.maxPercent
    : undefined;
}

const atTop = (change: Partial<Migration> = {}) => stuckAt(90, change);
const afterRungs = (rung: number) => ({ policyMemory: { rung } });

describe('core/policies/ladder', () => {
  it('begins with auto-converge, armed but not acting yet', () => {
    const { arming, tuning } = ladder.plan(readyMigration());
    assert.equal(arming.family, 'plain');
    assert.equal(arming.autoConverge, true);
    assert.equal(tuning.autoConverge?.maxPercent, 1);
  });

  it('leaves a migration alone whose backlog shrinks', () => {
    const shrinking = [128, 60, 40, 25].map((megabytes, index, all) =>
      roundOf(index + 1, megabytes * mebibyte, (all[index + 1] ?? 12) * mebibyte),
    );
    assert.equal(ladder.decide(stuckAt(1, { rounds: shrinking })), undefined);
  });

  it('raises the throttle step by step, and not beyond the cap', () => {
    const levels = [1, 20, 50, 85].map((percent) => levelOf(move(stuckAt(percent))));
    assert.deepEqual(levels, [20, 30, 60, 90]);
  });

  it('gives each step time to show an effect', () => {
    const stepped = stuckAt(20, { policyMemory: { steppedAtRound: endless.length - 1 } });
    assert.equal(ladder.decide(stepped), undefined);
  });

  it('tries compression after auto-converge, then XBZRLE: each a restart', () => {
    const second = move(atTop());
    assert.equal(second.kind, 'restart');
    assert.equal(second.method, 'compression');
    const third = move(atTop(afterRungs(1)));
    assert.equal(third.kind, 'restart');
    assert.equal(third.plan.arming.family, 'xbzrle');
  });

  it("takes the talk's own `compress` where it still exists", () => {
    const families = ['plain', 'multifd-zstd', 'compress'] as const;
    const both = {
      source: vmFacts('source', { families }),
      destination: vmFacts('destination', { families }),
    };
    const wanted = move(atTop(both));
    assert.equal(wanted.kind === 'restart' && wanted.plan.arming.family, 'compress');
  });

  it('records a rung that is out of reach, with the reason, and passes it over', () => {
    const plain = vmFacts('destination', { families: ['plain'] });
    const illegal = move(atTop({ destination: plain }));
    assert.equal(illegal.kind, 'note');
    assert.equal(illegal.evidence['why'], 'not legal on both sides');
    assert.deepEqual(illegal.memory, { rung: 1 });
    const fixed = vmFacts('destination', { canStartDestination: false });
    const unreachable = move(atTop({ destination: fixed }));
    assert.equal(unreachable.kind, 'note');
    assert.equal(unreachable.evidence['why'], 'no destination command');
  });

  it('starts post-copy when all else was tried and it is armed', () => {
    const order = migrateOrder({ postCopy: 'last-resort' });
    const wanted = move(atTop({ order, ...afterRungs(2) }));
    assert.equal(wanted.kind === 'command' && wanted.operation.kind, 'start-postcopy');
  });

  it('leaves the VM where it is when post-copy is not allowed', () => {
    assert.equal(move(atTop(afterRungs(2))).kind, 'give-up');
  });

  it('keeps the throttle on later rungs: it does not tune it there again', () => {
    const arming = { ...plainArming, family: 'xbzrle', autoConverge: true } as const;
    const attempts = [{ number: 1, arming, startedAtMilliseconds: 1000, transferredBytes: 0 }];
    assert.equal(move(stuckAt(20, { attempts, ...afterRungs(2) })).kind, 'give-up');
  });
});
