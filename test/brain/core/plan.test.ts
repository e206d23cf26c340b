import assert from 'node:assert/strict';
import type { MigrationSample } from '../../../shared/sample.ts';
import type { Side } from '../../../brain/core/decision.ts';
import { rehearse, type Rehearsal } from './rehearsal.ts';
import { activeSample } from './support.ts';

const completed: MigrationSample = {
  ...activeSample(),
  status: 'completed',
  downtimeMilliseconds: 42,
};

function tell(rehearsal: Rehearsal, side: Side, sample: MigrationSample): void {
  const atMilliseconds = rehearsal.migration.nowMilliseconds + 100;
  rehearsal.feed({ kind: 'sample', atMilliseconds, side, sample });
}

function apply(rehearsal: Rehearsal, decision: number, atMilliseconds: number): void {
  const result = { id: `m.${decision}`, outcome: 'applied' } as const;
  rehearsal.feed({ kind: 'result', atMilliseconds, decision, result });
}

/** The source has completed; of the destination nothing was heard yet. */
function sent(): Rehearsal {
  const rehearsal = rehearse();
  rehearsal.see(activeSample());
  tell(rehearsal, 'source', completed);
  assert.equal(rehearsal.operations.at(-1), 'source restore');
  return rehearsal;
}

describe('core/plan restores the destination', () => {
  it('only when it says that it has arrived, a little later than the source', () => {
    const rehearsal = sent();
    tell(rehearsal, 'destination', activeSample());
    assert.equal(rehearsal.operations.at(-1), 'source restore');
    tell(rehearsal, 'destination', completed);
    assert.equal(rehearsal.operations.at(-1), 'destination restore');
    assert.equal(rehearsal.migration.phase, 'settled');
  });

  it('after a while also when it says nothing', () => {
    const rehearsal = sent();
    rehearsal.wait(10_000);
    assert.equal(rehearsal.operations.at(-1), 'destination restore');
    assert.equal(rehearsal.migration.phase, 'settled');
  });
});

describe('core/plan of a libvirt domain', () => {
  const endpoint = { kind: 'libvirt', transport: 'tls', host: 'h2' } as const;

  it('leaves the destination to libvirt, and what it has ended too', () => {
    const rehearsal = rehearse({ endpoint });
    assert.deepEqual(rehearsal.operations, ['source arm', 'source migrate']);
    rehearsal.see(activeSample());
    tell(rehearsal, 'source', completed);
    assert.deepEqual(rehearsal.operations, ['source arm', 'source migrate']);
    assert.equal(rehearsal.migration.result?.outcome, 'completed');
  });

  it('puts the source back when it stays there', () => {
    const rehearsal = rehearse({ endpoint });
    rehearsal.see(activeSample());
    rehearsal.abort('enough');
    assert.deepEqual(rehearsal.operations.slice(-2), ['source cancel', 'source restore']);
    assert.equal(rehearsal.migration.result?.outcome, 'cancelled');
  });

  it('has failed when libvirt lets the guest go on at the source after all', () => {
    const rehearsal = rehearse({ endpoint, source: { owner: 'libvirt' } });
    rehearsal.see(activeSample());
    tell(rehearsal, 'source', { status: 'completed', throttlePercent: 0 });
    assert.equal(rehearsal.migration.phase, 'switching');
    const errorDescription = 'it was not taken over';
    tell(rehearsal, 'source', { status: 'failed', throttlePercent: 0, errorDescription });
    assert.equal(rehearsal.migration.result?.outcome, 'failed');
    assert.equal(rehearsal.migration.result.reason, errorDescription);
    assert.equal(rehearsal.operations.at(-1), 'source restore');
  });

  it('counts from when libvirt has brought the destination up', () => {
    const rehearsal = rehearse({ endpoint, answers: () => 'silence' });
    apply(rehearsal, 1, 10);
    apply(rehearsal, 2, 900);
    assert.equal(rehearsal.migration.attempts[0]?.startedAtMilliseconds, 900);
  });

  it('does not take the word on the attempt before for one on this', () => {
    const over = ['completed', 'failed', 'cancelled'];
    for (const status of over) {
      const rehearsal = rehearse({ endpoint, answers: () => 'silence' });
      const seeAt = (atMilliseconds: number) => {
        const sample = { status, throttlePercent: 0 };
        rehearsal.feed({ kind: 'sample', atMilliseconds, side: 'source', sample });
        return rehearsal.migration.ending?.outcome;
      };
      apply(rehearsal, 1, 10);
      apply(rehearsal, 2, 900);
      assert.equal(seeAt(890), undefined, 'a look that had begun before');
      assert.equal(rehearsal.migration.phase, 'moving');
      assert.equal(seeAt(910), status);
    }
  });
});
