import assert from 'node:assert/strict';
import { endpointToUri, isSafeUri } from '../../../agent/qemu/uri.ts';

describe('endpointToUri', () => {
  it('writes addresses as QEMU reads them', () => {
    assert.equal(
      endpointToUri({ kind: 'tcp', host: '10.0.0.2', port: 49152 }),
      'tcp:10.0.0.2:49152',
    );
    assert.equal(endpointToUri({ kind: 'tcp', host: '::1', port: 4444 }), 'tcp:[::1]:4444');
    assert.equal(endpointToUri({ kind: 'tcp', host: '[::1]', port: 4444 }), 'tcp:[::1]:4444');
    assert.equal(endpointToUri({ kind: 'unix', path: '/run/m.sock' }), 'unix:/run/m.sock');
  });

  it('refuses what could mean anything else', () => {
    for (const host of ['a,to=9', 'a b', '', 'exec:id', '$(id)']) {
      assert.throws(() => endpointToUri({ kind: 'tcp', host, port: 1 }), RangeError, host);
    }
    for (const port of [0, 65_536, 1.5, NaN]) {
      assert.throws(() => endpointToUri({ kind: 'tcp', host: 'a', port }), RangeError);
    }
    for (const path of ['relative', '/a\nb', '/a,server=on']) {
      assert.throws(() => endpointToUri({ kind: 'unix', path }), RangeError, path);
    }
  });
});

describe('isSafeUri', () => {
  it('knows no scheme but tcp and unix', () => {
    for (const uri of ['exec:id', 'fd:3', 'file:/x', 'rdma:a:1', 'vsock:1:2', 'TCP:a:1', 7, null]) {
      assert.equal(isSafeUri(uri), false, String(uri));
    }
  });
});
