import assert from 'node:assert/strict';
import { rehearse } from './rehearsal.ts';
import { activeSample } from './support.ts';

const reason = 'the customer asked';
const hold = { verb: 'hold', reason } as const;

describe('core: a held VM', () => {
  const underWay = (policy: string) => {
    const rehearsal = rehearse({ policy });
    rehearsal.see(activeSample());
    const order = (given: typeof hold | { readonly verb: 'release' }) => {
      const { nowMilliseconds: atMilliseconds } = rehearsal.migration;
      rehearsal.feed({ kind: 'order', atMilliseconds, order: given });
    };
    return { rehearsal, order };
  };

  it('is let run freely at once, and only once', () => {
    const { rehearsal, order } = underWay('auto-converge');
    order(hold);
    rehearsal.see(activeSample());
    const last = rehearsal.migration.decisions.at(-1)?.decision;
    assert.deepEqual(last?.operation, { kind: 'throttle', percent: 0, mechanism: 'qemu' });
    assert.equal(last.rule, 'held-by-operator');
    const count = rehearsal.migration.decisions.length;
    for (let bytes = 1; bytes < 30; bytes += 1) {
      rehearsal.see(activeSample({ transferredBytes: bytes }), 1000);
    }
    assert.equal(rehearsal.migration.decisions.length, count);
  });

  it('still ends, and what was set is put back', () => {
    const { rehearsal, order } = underWay('adaptive');
    order(hold);
    rehearsal.see({ ...activeSample(), status: 'completed', downtimeMilliseconds: 30 });
    rehearsal.wait(4000);
    assert.equal(rehearsal.migration.result?.outcome, 'completed');
    assert.ok(rehearsal.operations.includes('source restore'));
  });

  it('can still be aborted', () => {
    const { rehearsal, order } = underWay('adaptive');
    order(hold);
    const { nowMilliseconds: atMilliseconds } = rehearsal.migration;
    const abort = { verb: 'abort', reason: 'no' } as const;
    rehearsal.feed({ kind: 'order', atMilliseconds, order: abort });
    assert.ok(rehearsal.operations.includes('source cancel'));
  });

  it('is tuned again once it is released', () => {
    const { rehearsal, order } = underWay('adaptive');
    order(hold);
    assert.equal(rehearsal.migration.heldBecause, reason);
    order({ verb: 'release' });
    assert.equal('heldBecause' in rehearsal.migration, false);
  });

  it('is not begun with when nothing has moved yet', () => {
    const rehearsal = rehearse({ answers: () => 'silence' });
    rehearsal.feed({ kind: 'order', atMilliseconds: 200, order: hold });
    assert.equal(rehearsal.migration.abortReason, reason);
  });
});
