import assert from 'node:assert/strict';
import type { Input } from '../../../brain/core/input.ts';
import type { Migration } from '../../../brain/core/migration.ts';
import { reduce, startMigration } from '../../../brain/core/reduce.ts';
import { rehearse } from './rehearsal.ts';
import { activeSample } from './support.ts';

describe('core: after a while in which nobody listened', () => {
  const underWay = (policy = 'none') => {
    const rehearsal = rehearse({ policy });
    rehearsal.see(activeSample());
    const rejoin = (afterMilliseconds: number): void => {
      const atMilliseconds = rehearsal.migration.nowMilliseconds + afterMilliseconds;
      rehearsal.feed({ kind: 'rejoin', atMilliseconds, silentMilliseconds: afterMilliseconds });
    };
    return { rehearsal, rejoin };
  };

  it('takes nobody for silent, and nothing for stuck', () => {
    const { rehearsal, rejoin } = underWay();
    rejoin(60_000);
    rehearsal.wait(10_000);
    assert.equal(rehearsal.migration.phase, 'moving');
    rehearsal.see(activeSample());
    assert.equal(rehearsal.migration.phase, 'moving');
    rehearsal.wait(20_000);
    assert.equal(rehearsal.migration.result?.outcome, 'cancelled');
  });

  it('makes sure that the guest is let go of, as its agent has done by then', () => {
    const { rehearsal, rejoin } = underWay('auto-converge');
    rejoin(20_000);
    const last = rehearsal.migration.decisions.at(-1)?.decision;
    assert.deepEqual(last?.operation, { kind: 'throttle', percent: 0, mechanism: 'qemu' });
    assert.equal(last.rule, 'nobody-listened');
    rehearsal.see(activeSample());
    assert.deepEqual(rehearsal.migration.tuning.autoConverge?.maxPercent, 90);
  });

  it('leaves a throttle that agents still have in force', () => {
    const { rehearsal, rejoin } = underWay('auto-converge');
    const before = rehearsal.decisions.length;
    rejoin(2_000);
    assert.equal(rehearsal.decisions.length, before);
  });
});

describe('core: another brain goes on', () => {
  /** What the first brain knew when it died over the command that `isLast` tells. */
  const leftAt = (isLast: string): Migration => {
    const rehearsal = rehearse({
      policy: 'adaptive',
      answers: ({ side, operation }) => (`${side} ${operation.kind}` === isLast ? 'silence' : {}),
    });
    assert.equal(rehearsal.operations.at(-1), isLast);
    return rehearsal.migration;
  };
  const goOn = (known: Migration) => {
    const started = startMigration({ id: known.id, policy: known.policy, atMilliseconds: 50 });
    const input: Input = {
      kind: 'rejoin',
      atMilliseconds: 3_000,
      silentMilliseconds: 2_500,
      known: JSON.parse(JSON.stringify(known)) as Migration,
    };
    return reduce(started, input);
  };

  it('asks again for what can be asked for twice, under a number of its own', () => {
    for (const command of ['source probe', 'destination arm', 'destination listen', 'source arm']) {
      const known = leftAt(command);
      const { migration, decisions } = goOn(known);
      const [again] = decisions;
      assert.equal(`${again?.side} ${again?.operation.kind}`, command);
      assert.equal(again?.number, known.decisions.length + 1);
      assert.equal(migration.decisions.at(-2)?.outcome, 'indeterminate');
    }
  });

  it('never starts a migration twice, but looks whether it runs', () => {
    const { migration, decisions } = goOn(leftAt('source migrate'));
    assert.deepEqual(decisions, []);
    assert.equal(migration.phase, 'moving');
    assert.equal(migration.pending, undefined);
  });

  it('knows all that the first knew', () => {
    const rehearsal = rehearse({ policy: 'adaptive' });
    rehearsal.see(activeSample());
    rehearsal.see(activeSample({ transferredBytes: 2 ** 27 }), 500);
    const known = rehearsal.migration;
    const { migration } = goOn(known);
    const { nowMilliseconds, listeningSinceMilliseconds, ...rest } = migration;
    const { nowMilliseconds: _, ...before } = known;
    assert.deepEqual([nowMilliseconds, listeningSinceMilliseconds], [3_000, 3_000]);
    assert.deepEqual(rest, JSON.parse(JSON.stringify(before)));
  });
});
