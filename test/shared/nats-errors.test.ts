import assert from 'node:assert/strict';
import { errors } from 'nats';
import { asBusError, connectError } from '../../shared/nats-errors.ts';

describe('shared/nats-errors', () => {
  it('tells the failures of a request apart', () => {
    const nobody = new errors.RequestError('x', { cause: new errors.NoRespondersError('cmd') });
    const cases = [
      [new errors.TimeoutError(), 'TIMEOUT'],
      [nobody, 'NO_RESPONDERS'],
      [new errors.ClosedConnectionError(), 'DISCONNECTED'],
      [new errors.DrainingConnectionError(), 'DISCONNECTED'],
      [new errors.InvalidArgumentError('payload'), 'REFUSED'],
    ] as const;
    for (const [thrown, code] of cases) {
      const { code: found, cause } = asBusError('cmd', thrown);
      assert.deepEqual([found, cause], [code, thrown]);
    }
  });

  it('tells wrong credentials from nobody there', () => {
    const refused = connectError('nats://h', new errors.AuthorizationError('x'));
    assert.equal(refused.code, 'REFUSED');
    assert.match(refused.message, /check user and password/);
    assert.equal(connectError('nats://h', new Error('ECONNREFUSED')).code, 'DISCONNECTED');
  });
});
