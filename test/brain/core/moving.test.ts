import assert from 'node:assert/strict';
import { rehearse, type Answers, type Rehearsal } from './rehearsal.ts';
import { activeSample } from './support.ts';

const lastResort = { postCopy: 'last-resort' } as const;

function underWay(options: Parameters<typeof rehearse>[0] = {}): Rehearsal {
  const rehearsal = rehearse(options);
  rehearsal.see(activeSample());
  return rehearsal;
}

/** Samples that differ, one a second, for so long. */
function progress(rehearsal: Rehearsal, milliseconds: number): void {
  for (let passed = 0; passed < milliseconds; passed += 1000) {
    rehearsal.see(activeSample({ transferredBytes: passed }), 1000);
  }
}

const status = (word: string) => ({ ...activeSample(), status: word });

/** The ladder arms post-copy on its first rung; a deadline then forces it. */
function inPostCopy(answers: Answers = () => ({})): Rehearsal {
  const objective = { ...lastResort, deadlineMilliseconds: 5000 };
  const rehearsal = underWay({ policy: 'ladder', objective, answers });
  progress(rehearsal, 8000);
  assert.equal(rehearsal.operations.at(-1), 'source start-postcopy');
  rehearsal.see(status('postcopy-active'));
  assert.equal(rehearsal.migration.phase, 'post-copy');
  return rehearsal;
}

describe('core/moving', () => {
  describe('takes the word of QEMU', () => {
    it('failed: with its reason, or without one', () => {
      const told = underWay();
      told.see({ status: 'failed', throttlePercent: 0, errorDescription: 'no route to host' });
      assert.equal(told.migration.result?.reason, 'no route to host');
      const untold = underWay();
      untold.see({ status: 'failed', throttlePercent: 0 });
      assert.equal(untold.migration.result?.outcome, 'failed');
      assert.match(untold.migration.result.reason ?? '', /gives no reason/);
    });

    it('cancelled by another hand: not a failure of ours', () => {
      const rehearsal = underWay();
      rehearsal.see({ status: 'cancelled', throttlePercent: 0 });
      assert.equal(rehearsal.migration.result?.outcome, 'cancelled');
      assert.ok(!rehearsal.operations.includes('source cancel'));
    });

    it('an earlier attempt that QEMU still speaks of is not this one', () => {
      const rehearsal = rehearse({
        answers: ({ operation }) => (operation.kind === 'migrate' ? 'silence' : {}),
      });
      rehearsal.see(status('completed'));
      assert.equal(rehearsal.migration.result, undefined);
      const result = { id: 'm.4', outcome: 'applied' as const };
      rehearsal.feed({ kind: 'result', atMilliseconds: 200, decision: 4, result });
      assert.equal(rehearsal.migration.phase, 'moving');
    });
  });

  describe('reads the downtime again after completion', () => {
    it('when QEMU 7.2 says 0 at once', () => {
      const rehearsal = underWay();
      rehearsal.see({ ...status('completed'), downtimeMilliseconds: 0 });
      assert.equal(rehearsal.migration.phase, 'switching');
      rehearsal.see({ ...status('completed'), downtimeMilliseconds: 37 });
      assert.equal(rehearsal.migration.result?.downtimeMilliseconds, 37);
    });

    it('but not for ever, and that time is not counted', () => {
      const rehearsal = underWay();
      rehearsal.see(status('completed'));
      rehearsal.wait(3000);
      const { result } = rehearsal.migration;
      assert.equal(result?.outcome, 'completed');
      assert.ok(result.totalMilliseconds < 500);
    });
  });

  describe('stops', () => {
    it('at the deadline', () => {
      const rehearsal = underWay({ objective: { deadlineMilliseconds: 5000 } });
      progress(rehearsal, 10_000);
      assert.deepEqual(rehearsal.operations.slice(4), ['source cancel', 'source restore']);
      assert.match(rehearsal.migration.result?.reason ?? '', /deadline of 5 s/);
    });

    it('when no byte moves any more', () => {
      const rehearsal = underWay();
      for (let second = 0; second < 30; second += 1) rehearsal.see(activeSample(), 1000);
      assert.match(rehearsal.migration.result?.reason ?? '', /no byte has moved/);
      assert.ok(rehearsal.operations.includes('source cancel'));
    });

    it('when the source is silent, and then says that nothing is known', () => {
      const rehearsal = underWay();
      rehearsal.wait(60_000);
      assert.match(rehearsal.migration.result?.reason ?? '', /does not answer.*unknown/);
      assert.ok(!rehearsal.operations.includes('source cancel'));
    });

    it('not while bytes move and there is time', () => {
      const rehearsal = underWay();
      progress(rehearsal, 60_000);
      assert.equal(rehearsal.migration.phase, 'moving');
    });

    it('by trying again, without haste, when the cancel was turned down', () => {
      let turnedDown = 0;
      const rehearsal = underWay({
        answers: ({ operation }) =>
          operation.kind === 'cancel' && (turnedDown += 1) <= 2 ? { outcome: 'failed' } : {},
      });
      rehearsal.abort('interrupted');
      assert.equal(turnedDown, 1);
      rehearsal.see(activeSample());
      rehearsal.see(activeSample());
      assert.equal(rehearsal.migration.result?.outcome, 'cancelled');
    });
  });

  describe('post-copy', () => {
    it('is what a deadline forces where it is armed', () => {
      const rehearsal = inPostCopy();
      assert.ok(!rehearsal.operations.includes('source cancel'));
      rehearsal.see({ ...status('completed'), downtimeMilliseconds: 20 });
      assert.equal(rehearsal.migration.result?.outcome, 'completed');
      assert.equal(rehearsal.migration.result.postCopy, true);
    });

    it('is not what an abort forces', () => {
      const rehearsal = underWay({ policy: 'ladder', objective: lastResort });
      rehearsal.abort('interrupted');
      assert.ok(rehearsal.operations.includes('source cancel'));
    });

    it('is never cancelled, whatever is asked or hangs', () => {
      const rehearsal = inPostCopy();
      rehearsal.abort('interrupted');
      for (let second = 0; second < 60; second += 1) {
        rehearsal.see(status('postcopy-active'), 1000);
      }
      assert.ok(!rehearsal.operations.includes('source cancel'));
      assert.equal(rehearsal.migration.result, undefined);
    });

    it('is not cancelled either before QEMU shows that it has begun', () => {
      const objective = { ...lastResort, deadlineMilliseconds: 5000 };
      const rehearsal = underWay({ policy: 'ladder', objective });
      progress(rehearsal, 8000);
      assert.ok(rehearsal.operations.includes('source start-postcopy'));
      rehearsal.abort('interrupted');
      rehearsal.see(activeSample());
      rehearsal.see(activeSample());
      assert.ok(!rehearsal.operations.includes('source cancel'));
      const starts = rehearsal.operations.filter((each) => each === 'source start-postcopy');
      assert.equal(starts.length, 1);
    });

    it('is recovered when the network breaks: the destination listens, the source resumes', () => {
      const rehearsal = inPostCopy();
      rehearsal.see(status('postcopy-paused'));
      assert.deepEqual(rehearsal.operations.slice(-2), [
        'destination recover-destination',
        'source resume',
      ]);
      rehearsal.see(status('postcopy-active'));
      rehearsal.see({ ...status('completed'), downtimeMilliseconds: 20 });
      assert.equal(rehearsal.migration.result?.outcome, 'completed');
    });

    it('spaces its tries, needs a human after ten in vain, and stays as it is', () => {
      const rehearsal = inPostCopy(({ operation }) =>
        operation.kind === 'recover-destination' ? { outcome: 'failed' } : {},
      );
      const tries = () =>
        rehearsal.operations.filter((each) => each.includes('recover-destination')).length;
      for (let second = 0; second < 6; second += 1) {
        rehearsal.see(status('postcopy-paused'), 1000);
      }
      assert.equal(tries(), 2);
      for (let second = 0; second < 60; second += 1) {
        rehearsal.see(status('postcopy-paused'), 1000);
      }
      assert.equal(tries(), 10);
      assert.equal(rehearsal.migration.phase, 'needs-human');
      assert.equal(rehearsal.migration.result?.outcome, 'failed');
      assert.match(rehearsal.migration.result.reason ?? '', /repair the network/);
      assert.ok(!rehearsal.operations.some((each) => each.endsWith('restore')));
    });

    for (const [what, befall] of [
      ['goes away', (rehearsal: Rehearsal) => rehearsal.detach('source')],
      ['falls silent', (rehearsal: Rehearsal) => rehearsal.wait(60_000)],
    ] as const) {
      it(`needs a human when the source ${what}: nothing is sent any more`, () => {
        const rehearsal = inPostCopy();
        const before = rehearsal.operations;
        befall(rehearsal);
        assert.equal(rehearsal.migration.phase, 'needs-human');
        assert.match(rehearsal.migration.result?.reason ?? '', /look at the destination/);
        assert.deepEqual(rehearsal.operations, before);
      });
    }

    it('gives way to a cancel when it was refused', () => {
      const rehearsal = underWay({
        policy: 'ladder',
        objective: { ...lastResort, deadlineMilliseconds: 5000 },
        answers: ({ operation }) =>
          operation.kind === 'start-postcopy' ? { outcome: 'refused' } : {},
      });
      progress(rehearsal, 9000);
      assert.deepEqual(rehearsal.operations.slice(-3), [
        'source start-postcopy',
        'source cancel',
        'source restore',
      ]);
      assert.match(rehearsal.migration.result?.reason ?? '', /deadline/);
    });

    it('that failed is told as it is', () => {
      const rehearsal = inPostCopy();
      rehearsal.see({ ...status('failed'), errorDescription: 'destination lost' });
      assert.equal(rehearsal.migration.result?.outcome, 'failed');
      assert.equal(rehearsal.migration.result.reason, 'destination lost');
    });
  });
});
