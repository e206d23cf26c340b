import assert from 'node:assert/strict';
import type { CommandOutcome } from '../../../shared/command.ts';
import type { MigrationSample } from '../../../shared/sample.ts';
import type { Input } from '../../../brain/core/input.ts';
import { reduce, startMigration } from '../../../brain/core/reduce.ts';
import { rehearse, type Answers, type Rehearsal } from './rehearsal.ts';
import { activeSample, mebibyte, probeReport } from './support.ts';

const completed: MigrationSample = { ...activeSample(), status: 'completed' };
const arrived: MigrationSample = { ...completed, downtimeMilliseconds: 42 };

const untilMoving = [
  'destination arm',
  'destination listen',
  'source arm',
  'source migrate',
] as const;

function instead(operation: string, outcome: CommandOutcome, reason?: string): Answers {
  return (decision) =>
    `${decision.side} ${decision.operation.kind}` === operation
      ? { outcome, ...(reason !== undefined && { reason }) }
      : {};
}

function moving(options: Parameters<typeof rehearse>[0] = {}): Rehearsal {
  const rehearsal = rehearse(options);
  rehearsal.see(activeSample());
  assert.equal(rehearsal.migration.phase, 'moving');
  return rehearsal;
}

describe('core/reduce', () => {
  it('refuses a policy that does not exist and names those that do', () => {
    const start = () => startMigration({ id: 'm', policy: 'magic', atMilliseconds: 0 });
    assert.throws(start, /no policy is called "magic"; there are: adaptive, ladder, none/);
  });

  it('walks from the order to the result, one typed command for one side at a time', () => {
    const rehearsal = moving();
    rehearsal.see(arrived);
    rehearsal.wait(1000);
    assert.deepEqual(rehearsal.operations, [
      ...untilMoving,
      'source restore',
      'destination restore',
    ]);
    assert.deepEqual(rehearsal.phases, [
      'observed',
      'arming-destination',
      'listening',
      'arming-source',
      'starting',
      'moving',
      'restoring-source',
      'restoring-destination',
      'settled',
    ]);
    assert.equal(rehearsal.migration.result?.outcome, 'completed');
    assert.equal(rehearsal.migration.result.downtimeMilliseconds, 42);
  });

  it('probes first when the policy wants to know the workload', () => {
    const probe = probeReport();
    const rehearsal = rehearse({
      policy: 'adaptive',
      answers: ({ operation }) => (operation.kind === 'probe' ? { probe } : {}),
    });
    assert.equal(rehearsal.operations[0], 'source probe');
    assert.deepEqual(rehearsal.migration.probe, probe);
    assert.ok((rehearsal.migration.workingSet?.bytes ?? 0) > 32 * mebibyte);
  });

  it('goes on without a probe where the source cannot be read', () => {
    const answers = instead('source probe', 'refused', 'no right to read guest memory');
    const rehearsal = rehearse({ policy: 'adaptive', answers });
    assert.deepEqual(rehearsal.operations.slice(1, 5), untilMoving);
    assert.equal(rehearsal.migration.decisions[0]?.outcome, 'refused');
  });

  it('does not ask for a probe that it was given', () => {
    let migration = startMigration({ id: 'm', policy: 'adaptive', atMilliseconds: 0 });
    const given: Input = { kind: 'probe', atMilliseconds: 0, probe: probeReport() };
    migration = reduce(migration, given).migration;
    assert.ok(migration.workingSet);
    assert.deepEqual(migration.decisions, []);
  });

  it('waits for the order and for both sides', () => {
    let migration = startMigration({ id: 'm', policy: 'none', atMilliseconds: 0 });
    const { operations, decisions } = rehearse();
    assert.equal(operations.length, decisions.length);
    migration = reduce(migration, { kind: 'tick', atMilliseconds: 100 }).migration;
    assert.equal(migration.phase, 'observed');
    assert.deepEqual(migration.decisions, []);
  });

  describe('when a step is not applied', () => {
    for (const operation of untilMoving) {
      for (const outcome of ['refused', 'failed', 'indeterminate'] as const) {
        if (operation === 'source migrate' && outcome === 'indeterminate') continue; // see below
        it(`${operation} ${outcome}: restores the source and fails with the reason`, () => {
          const rehearsal = rehearse({ answers: instead(operation, outcome, 'because') });
          const reached = untilMoving.slice(0, untilMoving.indexOf(operation) + 1);
          assert.deepEqual(rehearsal.operations, [...reached, 'source restore']);
          const { result, phase } = rehearsal.migration;
          assert.equal(phase, 'settled');
          assert.equal(result?.outcome, 'failed');
          const [side = '', kind = ''] = operation.split(' ');
          assert.match(result.reason ?? '', new RegExp(`${kind} on the ${side}.*because`));
        });
      }
    }

    it('leaves it to QEMU to say whether an unanswered migrate has begun', () => {
      const rehearsal = rehearse({ answers: instead('source migrate', 'indeterminate') });
      assert.equal(rehearsal.migration.phase, 'moving');
      rehearsal.see(activeSample());
      rehearsal.see(arrived);
      assert.equal(rehearsal.migration.result?.outcome, 'completed');
    });

    it('takes silence for an answer that never came, after a while', () => {
      const answers: Answers = ({ operation }) => (operation.kind === 'listen' ? 'silence' : {});
      const rehearsal = rehearse({ answers });
      rehearsal.wait(10_000);
      assert.equal(rehearsal.migration.phase, 'listening');
      rehearsal.wait(60_000);
      assert.equal(rehearsal.migration.result?.outcome, 'failed');
      assert.match(rehearsal.migration.result.reason ?? '', /listen.*no answer came/);
    });

    it('settles even if nothing can be restored', () => {
      const answers: Answers = ({ operation }) =>
        operation.kind === 'arm' || operation.kind === 'restore' ? { outcome: 'failed' } : {};
      const { migration } = rehearse({ answers });
      assert.equal(migration.phase, 'settled');
      assert.equal(migration.result?.outcome, 'failed');
    });
  });

  describe('when the operator aborts', () => {
    for (const operation of untilMoving.slice(0, 3)) {
      it(`during ${operation}: nothing more than the restoring is sent`, () => {
        const answers: Answers = ({ side, operation: { kind } }) =>
          `${side} ${kind}` === operation ? 'silence' : {};
        const rehearsal = rehearse({ answers });
        rehearsal.abort('changed my mind');
        const { pending } = rehearsal.migration;
        assert.equal(
          pending && `${pending.decision.side} ${pending.decision.operation.kind}`,
          operation,
        );
        const result = { id: 'late', outcome: 'applied' as const };
        const decision = pending?.decision.number ?? 0;
        rehearsal.feed({ kind: 'result', atMilliseconds: 1000, decision, result });
        assert.equal(rehearsal.operations.at(-1), 'source restore');
        assert.equal(rehearsal.migration.result?.outcome, 'cancelled');
        assert.equal(rehearsal.migration.result.reason, 'changed my mind');
      });
    }

    it('before the order was taken up: ends without a command', () => {
      let migration = startMigration({ id: 'm', policy: 'none', atMilliseconds: 0 });
      const order = { verb: 'abort', reason: 'no' } as const;
      ({ migration } = reduce(migration, { kind: 'order', atMilliseconds: 5, order }));
      assert.equal(migration.phase, 'settled');
      assert.equal(migration.result?.outcome, 'cancelled');
    });

    it('while it moves: cancels, restores, and says so', () => {
      const rehearsal = moving();
      rehearsal.abort('interrupted');
      assert.deepEqual(rehearsal.operations.slice(4), ['source cancel', 'source restore']);
      assert.equal(rehearsal.migration.result?.outcome, 'cancelled');
      assert.equal(rehearsal.migration.result.reason, 'interrupted');
    });

    it('too late: a cancel that was not applied leaves the word to QEMU', () => {
      const rehearsal = moving({
        answers: instead('source cancel', 'failed', 'already completed'),
      });
      rehearsal.abort('interrupted');
      assert.equal(rehearsal.operations.at(-1), 'source cancel');
      rehearsal.see(arrived);
      assert.equal(rehearsal.migration.result?.outcome, 'completed');
      assert.equal(rehearsal.operations.filter((each) => each === 'source cancel').length, 1);
    });

    it('after it has settled: nothing happens any more', () => {
      const rehearsal = moving();
      rehearsal.see(arrived);
      const { result } = rehearsal.migration;
      rehearsal.abort('late');
      rehearsal.wait(20_000);
      assert.equal(rehearsal.migration.result, result);
    });
  });

  describe('when a QEMU goes away', () => {
    it('the destination, before the start: fails and restores the source', () => {
      const answers: Answers = ({ operation }) => (operation.kind === 'listen' ? 'silence' : {});
      const rehearsal = rehearse({ answers });
      rehearsal.detach('destination');
      rehearsal.wait(60_000);
      assert.equal(rehearsal.operations.at(-1), 'source restore');
      assert.equal(rehearsal.migration.result?.outcome, 'failed');
    });

    it('the destination, while it moves: the reason is the one QEMU gives', () => {
      const rehearsal = moving();
      rehearsal.detach('destination');
      rehearsal.see({ status: 'failed', throttlePercent: 0, errorDescription: 'broken pipe' });
      assert.deepEqual(rehearsal.operations.slice(4), ['source restore']);
      assert.equal(rehearsal.migration.result?.outcome, 'failed');
      assert.equal(rehearsal.migration.result.reason, 'broken pipe');
    });

    it('the source, while it moves: fails, and there is nothing to restore', () => {
      const rehearsal = moving();
      rehearsal.detach('source');
      assert.equal(rehearsal.operations.length, untilMoving.length);
      assert.match(rehearsal.migration.result?.reason ?? '', /source QEMU is gone/);
    });
  });
});
