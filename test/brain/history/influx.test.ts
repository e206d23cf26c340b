import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  ensureDatabase,
  InfluxError,
  lineSender,
  queryInflux,
} from '../../../brain/history/influx.ts';
import type { InfluxSettings } from '../../../brain/history/influx.ts';

interface Heard {
  readonly url: string | undefined;
  readonly authorization: string | undefined;
  readonly body: string;
}

describe('brain/history/influx', () => {
  let server: Server;
  let url: string;
  let status: number;
  let reply: string;
  let heard: Heard[];

  beforeEach(async () => {
    [status, reply, heard] = [204, '', []];
    server = createServer((request, response) => {
      void textOf(request).then((body) => {
        heard.push({ url: request.url, authorization: request.headers.authorization, body });
        response.writeHead(status, { 'content-type': 'application/json' }).end(reply);
      });
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  const settings = (change: Partial<InfluxSettings>): InfluxSettings => ({
    flavor: 'v2',
    url,
    database: 'ferry man',
    ...change,
  });

  it('writes 2.x and 3.x by bucket and token', async () => {
    await lineSender(settings({ token: 'secret', organisation: 'ops' }))(['m f=1 1', 'm f=2 2']);
    assert.deepEqual(heard, [
      {
        url: '/api/v2/write?org=ops&bucket=ferry%20man&precision=ns',
        authorization: 'Token secret',
        body: 'm f=1 1\nm f=2 2',
      },
    ]);
  });

  it('writes 1.x by database and password', async () => {
    await lineSender(settings({ flavor: 'v1', token: 'me:pw' }))(['m f=1 1']);
    assert.equal(heard[0]?.url, '/write?db=ferry%20man&precision=ns');
    assert.equal(heard[0].authorization, `Basic ${Buffer.from('me:pw').toString('base64')}`);
  });

  it('rejects with the status of what the server did not take, after one try', async () => {
    status = 503;
    await assert.rejects(lineSender(settings({}))(['m f=1 1']), { code: 'INFLUX', status: 503 });
    assert.equal(heard.length, 1);
    server.closeAllConnections();
    server.close();
    await assert.rejects(lineSender(settings({}))(['m f=1 1']), {
      code: 'INFLUX',
      status: undefined,
    });
  });

  it('makes a missing 1.x database, and leaves the others alone', async () => {
    [status, reply] = [200, '{"results":[{"statement_id":0}]}'];
    await ensureDatabase(settings({ flavor: 'v2' }));
    assert.equal(heard.length, 0);
    await ensureDatabase(settings({ flavor: 'v1' }));
    assert.equal(new URLSearchParams(heard[0]?.body).get('q'), 'CREATE DATABASE "ferry man"');
    [status, reply] = [403, '{"error":"requires admin privilege"}'];
    await ensureDatabase(settings({ flavor: 'v1' }));
    [status, reply] = [503, ''];
    await assert.rejects(ensureDatabase(settings({ flavor: 'v1' })), { status: 503 });
  });

  it('throws what the server says is wrong with a query', async () => {
    [status, reply] = [200, '{"results":[{"error":"no such function"}]}'];
    await assert.rejects(queryInflux(settings({}), 'SELECT "x" FROM "m"'), (error) => {
      assert.ok(error instanceof InfluxError);
      assert.match(error.message, /no such function: SELECT "x"/);
      return true;
    });
    [status, reply] = [401, 'not json'];
    await assert.rejects(queryInflux(settings({}), 'SELECT "x" FROM "m"'), { status: 401 });
  });
});

async function textOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text;
}
