import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { occupiedPorts } from '../../../agent/host/ports.ts';

const portOf = (address: string | AddressInfo | null) => (address as AddressInfo).port;
const all = { first: 1, last: 65_535 };

describe('agent/host/ports', () => {
  let server: Server;
  let client: Socket;

  before(async () => {
    server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    client = connect(portOf(server.address()), '127.0.0.1');
    await once(client, 'connect');
  });
  after(() => {
    client.destroy();
    server.close();
  });

  it('sees who listens, and the own end of an outgoing connection', () => {
    const ports = occupiedPorts(all);
    assert.ok(ports.includes(portOf(server.address())));
    assert.ok(ports.includes(client.localPort ?? 0));
    assert.deepEqual(
      ports,
      [...new Set(ports)].sort((one, other) => one - other),
    );
  });

  it('tells only of the range', () => {
    const port = client.localPort ?? 0;
    assert.deepEqual(occupiedPorts({ first: port, last: port }), [port]);
  });

  it('knows of none where the kernel does not say', () => {
    assert.deepEqual(occupiedPorts(all, '/proc/self/nowhere'), []);
  });
});
