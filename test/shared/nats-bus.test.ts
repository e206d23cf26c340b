import assert from 'node:assert/strict';
import { once, EventEmitter } from 'node:events';
import { createServer, connect, type Server, type Socket } from 'node:net';
import { findNatsServer, startNatsServer, type NatsServer } from '../../cli/nats-server.ts';
import { maxPayloadBytes } from '../../shared/codec.ts';
import type { BusError } from '../../shared/errors.ts';
import { silentLog } from '../../shared/log.ts';
import { natsBus } from '../../shared/nats-bus.ts';
import { describeBus } from './bus-contract.ts';

/** A cable between client and server that can be cut and mended. */
async function cable(serverPort: number) {
  const sockets = new Set<Socket>();
  const proxy: Server = createServer((client) => {
    const server = connect(serverPort, '127.0.0.1');
    for (const socket of [client, server]) sockets.add(socket.on('error', () => undefined));
    client.pipe(server).pipe(client);
  });
  await once(proxy.listen(0, '127.0.0.1'), 'listening');
  const { port } = proxy.address() as { port: number };
  const cut = () => {
    proxy.close();
    for (const socket of sockets) socket.destroy();
  };
  const mend = () => once(proxy.listen(port, '127.0.0.1'), 'listening');
  return { url: `nats://127.0.0.1:${String(port)}`, cut, mend };
}

describe('shared/nats-bus', () => {
  let server: NatsServer | undefined;
  before(async function () {
    try {
      findNatsServer();
    } catch {
      return this.skip();
    }
    server = await startNatsServer();
  });
  after(() => server?.stop());

  const open = (name: string, url = server?.url ?? '') =>
    natsBus({ url, name, ...(server && { credentials: server.credentials }) });

  describeBus(async () => [await open('near'), await open('far')]);

  it('refuses what is too big for the server', async () => {
    const bus = await open('big');
    const publish = () => bus.publish('a', new Uint8Array(maxPayloadBytes + 1));
    assert.throws(publish, { name: 'BusError', code: 'REFUSED' });
    await bus.close();
  });

  it('survives a handler that throws', async () => {
    const bus = await open('careless');
    const heard = new EventEmitter();
    bus.subscribe('a', (_, payload) => {
      if (payload[0] === 0) throw new Error('handler');
      heard.emit('second');
    });
    const second = once(heard, 'second');
    bus.publish('a', Uint8Array.of(0));
    bus.publish('a', Uint8Array.of(1));
    await second;
    await bus.close();
  });

  it('says when the server is away, and comes back by itself', async () => {
    const { url, cut, mend } = await cable(Number(new URL(server?.url ?? '').port));
    const bus = await open('cut', url);
    const changes = new EventEmitter();
    bus.onConnectionChange((connected) => changes.emit(connected ? 'back' : 'away'));
    const away = once(changes, 'away');
    cut();
    await away;
    assert.equal(bus.publish('a', Uint8Array.of(1)), false);
    await assert.rejects(bus.request('a', Uint8Array.of(1), 100), { code: 'DISCONNECTED' });
    const back = once(changes, 'back');
    await mend();
    await back;
    assert.equal(bus.publish('a', Uint8Array.of(1)), true);
    await bus.close();
    cut();
  });

  it('says why it waits for a first server, and finds it when it is there', async () => {
    const { url, cut, mend } = await cable(Number(new URL(server?.url ?? '').port));
    cut();
    const heard = new EventEmitter();
    const log = { ...silentLog, warn: (fields: object) => heard.emit('waiting', fields) };
    const waiting = once(heard, 'waiting');
    const credentials = server && { credentials: server.credentials };
    const opening = natsBus({ url, name: 'early', waitOnFirstConnect: true, log, ...credentials });
    const [{ error }] = (await waiting) as [{ error: BusError }];
    assert.equal(error.code, 'DISCONNECTED');
    await mend();
    const bus = await opening;
    assert.equal(bus.connected, true);
    await bus.close();
    cut();
  });

  it('names the remedy when nobody is there', async () => {
    const bus = natsBus({ url: 'nats://127.0.0.1:1', name: 'lost' });
    await assert.rejects(bus, { code: 'DISCONNECTED', message: /check the address/ });
  });
});
