import assert from 'node:assert/strict';
import { endpointToUri, isSafeUri, parseLibvirtUri } from '../../../agent/qemu/uri.ts';

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

describe('a libvirt of another host', () => {
  it('is named as virsh names it, and read back the same', () => {
    for (const uri of [
      'qemu+tls://h2/system',
      'qemu+ssh://h2.example.org/system',
      'qemu+tcp://[fd00::2]:16509/system',
    ]) {
      const place = parseLibvirtUri(uri);
      assert.ok(place, uri);
      assert.equal(endpointToUri({ kind: 'libvirt', ...place }), uri);
    }
  });

  it('is nothing that a program could take for an option, or for more than a host', () => {
    for (const host of ['-oProxyCommand=id', 'a/system?command=id', 'root@a', '', 'a b']) {
      const endpoint = { kind: 'libvirt', transport: 'ssh', host } as const;
      assert.throws(() => endpointToUri(endpoint), RangeError, host);
    }
    for (const uri of ['qemu:///system', 'qemu+ext://h/system', 'qemu+ssh://h/session']) {
      assert.equal(parseLibvirtUri(uri), undefined, uri);
    }
    assert.equal(parseLibvirtUri('qemu+tcp://h:65536/system'), undefined);
  });
});
