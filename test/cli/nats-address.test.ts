import assert from 'node:assert/strict';
import { ExitError } from '../../cli/exit.ts';
import { parseNatsAddress } from '../../cli/nats-address.ts';

describe('NATS address', () => {
  it('reads a server with and without credentials', () => {
    assert.deepEqual(parseNatsAddress('nats://192.0.2.7:4222'), { url: 'nats://192.0.2.7:4222' });
    assert.deepEqual(parseNatsAddress('tls://token@bus.example'), {
      url: 'tls://bus.example',
      credentials: { kind: 'token', token: 'token' },
    });
    assert.deepEqual(parseNatsAddress('nats://me:s%40me@[2001:db8::1]:4222'), {
      url: 'nats://[2001:db8::1]:4222',
      credentials: { kind: 'password', user: 'me', password: 's@me' },
    });
  });

  for (const text of ['bus.example', 'http://bus.example', 'nats://', 'nats://me:sec%zzret@h']) {
    it(`refuses ${text}, as a usage error without a secret in it`, () => {
      assert.throws(
        () => parseNatsAddress(text),
        (error) =>
          error instanceof ExitError && error.exitCode === 2 && !error.message.includes('zzret'),
      );
    });
  }
});
