import assert from 'node:assert/strict';
import type { FollowOrder, Input } from '../../../brain/core/input.ts';
import type { Migration } from '../../../brain/core/migration.ts';
import { reduce, startMigration } from '../../../brain/core/reduce.ts';
import type { Arming, Operation } from '../../../shared/command.ts';
import { defaultObjective } from '../../../shared/objective.ts';
import type { MigrationSample } from '../../../shared/sample.ts';
import { activeSample, mebibyte, plainArming, vmFacts } from './support.ts';

/** A migration that somebody else has started, seen from outside; commands are applied at once. */
class Stranger {
  migration: Migration = startMigration({ id: 'm', policy: 'adaptive', atMilliseconds: 50_000 });
  readonly operations: Operation[] = [];
  #atMilliseconds = 50_000;

  constructor(mode: FollowOrder['mode'], arming: Arming = plainArming) {
    const facts = vmFacts('source', { foreignArming: arming, canProbe: false });
    this.feed({ kind: 'attach', atMilliseconds: 50_000, side: 'source', facts });
    const order = { verb: 'follow', mode, objective: defaultObjective } as const;
    this.feed({ kind: 'order', atMilliseconds: 50_000, order });
  }

  feed(input: Input): void {
    const { migration, decisions } = reduce(this.migration, input);
    this.migration = migration;
    for (const { number, operation } of decisions) {
      this.operations.push(operation);
      const result = { id: `m.${String(number)}`, outcome: 'applied' } as const;
      const atMilliseconds = this.#atMilliseconds;
      this.feed({ kind: 'result', atMilliseconds, decision: number, result });
    }
  }

  see(sample: MigrationSample, passedMilliseconds = 250): void {
    this.#atMilliseconds += passedMilliseconds;
    const atMilliseconds = this.#atMilliseconds;
    this.feed({ kind: 'sample', atMilliseconds, side: 'source', sample });
  }

  /** Rounds of two seconds, each of which finds as much as the one before. */
  diverge(rounds: number, change: Partial<MigrationSample> = {}): void {
    for (let step = 1; step <= rounds * 8; step++) {
      const sent = step * 8 * mebibyte;
      const ram = {
        transferredBytes: sent,
        normalPages: sent / 4096,
        normalBytes: sent,
        remainingBytes: (64 - 8 * (step % 8)) * mebibyte,
        dirtySyncCount: 1 + Math.floor(step / 8),
      };
      this.see(activeSample(ram, { totalMilliseconds: 250 * step, ...change }));
    }
  }
}

describe('core/following', () => {
  it('takes a migration up where it is, since when it runs, and begins nothing', () => {
    const stranger = new Stranger('act');
    assert.equal(stranger.migration.phase, 'observed');
    stranger.see(activeSample({ dirtySyncCount: 4 }, { totalMilliseconds: 9000 }));
    const { phase, attempts } = stranger.migration;
    assert.equal(phase, 'moving');
    assert.equal(attempts[0]?.startedAtMilliseconds, 50_250 - 9000);
    assert.equal(attempts[0].arming.family, 'plain');
    stranger.see(activeSample({ dirtySyncCount: 4 }));
    assert.equal(stranger.migration.openRound?.number, 4);
    const begun = ['arm', 'listen', 'migrate', 'start-destination', 'probe'];
    assert.ok(!stranger.operations.some(({ kind }) => begun.includes(kind)));
  });

  it('tunes in act what does not converge by itself, by what needs no arming', () => {
    const stranger = new Stranger('act');
    stranger.diverge(6);
    const throttle = stranger.operations.find(({ kind }) => kind === 'throttle');
    assert.ok(throttle?.kind === 'throttle' && throttle.percent > 0);
    assert.equal(throttle.mechanism, 'cgroup');
  });

  it("takes QEMU's own auto-converge over before it climbs by itself", () => {
    const stranger = new Stranger('act', { ...plainArming, autoConverge: true });
    stranger.diverge(1);
    const [first] = stranger.operations;
    assert.ok(first?.kind === 'tune');
    assert.equal(first.tuning.autoConverge?.maxPercent, 1);
  });

  it('sends nothing in observe and advise, and says in advise what it would do', () => {
    for (const mode of ['observe', 'advise'] as const) {
      const stranger = new Stranger(mode);
      stranger.diverge(6);
      stranger.see({ status: 'failed', throttlePercent: 0 });
      assert.deepEqual(stranger.operations, [], mode);
      assert.equal(stranger.migration.result?.outcome, 'failed');
      const rules = stranger.migration.notes.map(({ rule }) => rule);
      assert.equal(rules.length > 0, mode === 'advise', mode);
      assert.ok(rules.every((rule, index) => rule !== rules[index + 1]));
    }
  });

  it('never ends what it did not begin: neither its deadline nor a stall is ours', () => {
    const stranger = new Stranger('act');
    stranger.see(activeSample({}, { totalMilliseconds: 1000 }));
    for (let second = 0; second < 700; second += 10) stranger.see(activeSample(), 10_000);
    assert.equal(stranger.migration.phase, 'moving');
    assert.ok(!stranger.operations.some(({ kind }) => kind === 'cancel'));
  });

  it('ends it when the operator says so, and only in act', () => {
    for (const mode of ['observe', 'act'] as const) {
      const stranger = new Stranger(mode);
      stranger.diverge(1);
      const order = { verb: 'abort', reason: 'no' } as const;
      stranger.feed({ kind: 'order', atMilliseconds: 60_000, order });
      const isCancelled = stranger.operations.some(({ kind }) => kind === 'cancel');
      assert.equal(isCancelled, mode === 'act', mode);
    }
  });

  it('puts back what it tuned where the VM stays', () => {
    const stranger = new Stranger('act');
    stranger.diverge(6);
    stranger.see({ status: 'cancelled', throttlePercent: 0 });
    assert.equal(stranger.migration.result?.outcome, 'cancelled');
    assert.equal(stranger.operations.at(-1)?.kind, 'restore');
  });

  it('settles with the story, and leaves what is left to whoever started it', () => {
    const stranger = new Stranger('act');
    stranger.diverge(6);
    stranger.see({ status: 'completed', throttlePercent: 0, downtimeMilliseconds: 250 });
    stranger.see({ status: 'completed', throttlePercent: 0, downtimeMilliseconds: 250 });
    const { result } = stranger.migration;
    assert.equal(result?.outcome, 'completed');
    assert.equal(result.downtimeMilliseconds, 250);
    assert.equal(result.preparationMilliseconds, 0);
    assert.ok(!stranger.operations.some(({ kind }) => kind === 'restore'));
  });

  it('does not meddle with a broken post-copy of others', () => {
    const stranger = new Stranger('act');
    stranger.see(activeSample({}, { totalMilliseconds: 1000 }));
    stranger.see({ ...activeSample(), status: 'postcopy-paused' });
    stranger.see({ ...activeSample(), status: 'postcopy-paused' });
    assert.equal(stranger.migration.phase, 'post-copy');
    assert.deepEqual(stranger.operations, []);
  });

  it('lets a held VM go its way, and does not give it up', () => {
    const stranger = new Stranger('act');
    const order = { verb: 'hold', reason: 'audit' } as const;
    stranger.feed({ kind: 'order', atMilliseconds: 50_000, order });
    stranger.diverge(6);
    assert.equal(stranger.migration.phase, 'moving');
    assert.deepEqual(stranger.operations, []);
  });
});
