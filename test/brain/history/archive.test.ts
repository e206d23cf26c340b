import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { openArchive } from '../../../brain/history/archive.ts';
import { checkCommon } from '../../../brain/history/influxql.ts';

/** How the three generations are asked, and how one that has nothing, or nonsense, is taken. */
describe('brain/history/archive', () => {
  let server: Server;
  let url: string;
  let asked: { readonly path: string | undefined; readonly form: URLSearchParams }[];
  let reply: unknown;

  beforeEach(async () => {
    asked = [];
    server = createServer((request, response) => {
      void text(request).then((body) => {
        asked.push({ path: request.url, form: new URLSearchParams(body) });
        response.end(JSON.stringify(reply));
      });
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  for (const flavor of ['v1', 'v2', 'v3'] as const) {
    it(`asks ${flavor} by the query call and in common InfluxQL`, async () => {
      reply = { results: [{ statement_id: 0 }] };
      const archive = openArchive({ flavor, url, database: 'ferryman', token: 't' });
      assert.deepEqual(await archive.settledSince(0), []);
      assert.equal(await archive.find(`it's "x"\\`), undefined);
      assert.equal(asked.length, 2);
      for (const { path, form } of asked) {
        assert.deepEqual([path, form.get('db')], ['/query', 'ferryman']);
        checkCommon(form.get('q') ?? '');
      }
      assert.match(asked[1]?.form.get('q') ?? '', /= 'it\\'s "x"\\\\'$/);
    });
  }

  it('says so when a document is none of ours', async () => {
    const series = { name: 'ferryman_result', columns: ['time', 'document'], values: [[1, '"x"']] };
    reply = { results: [{ series: [series] }] };
    const archive = openArchive({ flavor: 'v1', url, database: 'ferryman' });
    await assert.rejects(archive.settledSince(0), { code: 'INFLUX' });
  });
});
