import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { historyStatus } from '../../../brain/desk/status.ts';

describe('brain/desk/status', () => {
  const settings = (url: string) => ({ flavor: 'v1', url, database: 'ferryman' }) as const;

  /** What is said of a database that answers with this status, and of the same once it is gone. */
  async function beside(status: number) {
    const server = createServer((_, reply) => reply.writeHead(status).end()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
    const there = await historyStatus(settings(url));
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
    return { url, there, gone: await historyStatus(settings(url)) };
  }

  it('tells a database that answers from one that is gone, and says why', async () => {
    const { url, there, gone } = await beside(204);
    assert.deepEqual(there, { kept: true, url });
    assert.ok(gone.kept);
    assert.match(gone.problem ?? '', /ECONNREFUSED/);
  });

  for (const [status, problem] of [
    [503, /503/],
    [401, /refuses us.*check the token or password/],
    [404, /404/],
  ] as const) {
    it(`takes ${status} for no answer to live with, and says what to do`, async () => {
      const { there } = await beside(status);
      assert.ok(there.kept);
      assert.match(there.problem ?? '', problem);
    });
  }

  it('takes it for well when the server only misses what there is to write', async () => {
    const { url, there } = await beside(400);
    assert.deepEqual(there, { kept: true, url });
  });

  it('knows when no history is kept', async () => {
    assert.deepEqual(await historyStatus(undefined), { kept: false });
  });
});
