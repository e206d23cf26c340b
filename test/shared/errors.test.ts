import assert from 'node:assert/strict';
import { BusError, FerrymanError, messageOf } from '../../shared/errors.ts';

describe('shared/errors', () => {
  it('carries name, code and cause', () => {
    const cause = new Error('socket');
    const error = new BusError('TIMEOUT', 'no answer', { cause });
    assert.ok(error instanceof FerrymanError);
    assert.deepEqual([error.name, error.code, error.cause], ['BusError', 'TIMEOUT', cause]);
  });

  it('finds words for whatever was thrown', () => {
    assert.equal(messageOf(new Error('broken')), 'broken');
    assert.equal(messageOf('just text'), 'just text');
  });
});
