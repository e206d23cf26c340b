import assert from 'node:assert/strict';
import { get, request, type IncomingMessage } from 'node:http';
import type { Frame } from '../../../brain/page/view/view.ts';
import { openPage, type Page } from '../../../brain/page/server.ts';
import { silentLog } from '../../../shared/log.ts';
import { migration } from '../../cli/fixture.ts';

/** What the page says is the business of other tests. */
const assets = { document: '<!doctype html>', script: ';', style: '' };

const open = (port = 0) =>
  openPage({ address: { host: '127.0.0.1', port }, log: silentLog, assets });

describe('page/server', () => {
  let page: Page;

  beforeEach(async () => {
    page = await open();
  });
  afterEach(() => page.close());

  const ask = (path: string, options: { method?: string; host?: string } = {}) =>
    new Promise<IncomingMessage>((resolve, reject) => {
      const { method = 'GET', host = 'localhost' } = options;
      const asked = request(`${page.url.slice(0, -1)}${path}`, { method, headers: { host } });
      asked.on('error', reject).on('response', (response) => {
        response.resume();
        resolve(response);
      });
      asked.end();
    });
  const frames = (path: string, count: number) =>
    new Promise<readonly Frame[]>((resolve) => {
      let text = '';
      get(`${page.url.slice(0, -1)}${path}`, (response) => {
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
          const told = text.split('\n\n').slice(0, -1);
          if (told.length < count) return;
          response.destroy();
          resolve(told.map((each) => JSON.parse(each.replace(/^data: /, '')) as Frame));
        });
      });
    });
  const tell = (changes: Parameters<typeof migration>[0]) => {
    page.listener.onInput?.(migration(changes), { kind: 'tick', atMilliseconds: 0 });
  };

  it('serves three files, and lets a browser load nothing else', async () => {
    for (const [path, type] of [
      ['/', 'text/html'],
      ['/page.js', 'text/javascript'],
      ['/page.css', 'text/css'],
    ] as const) {
      const { statusCode, headers } = await ask(path);
      assert.equal(statusCode, 200);
      assert.ok(headers['content-type']?.startsWith(type));
      const policy = headers['content-security-policy'];
      assert.match(String(policy), /default-src 'none'; script-src 'self'; style-src 'self'/);
      assert.doesNotMatch(String(policy), /unsafe|https?:/);
    }
  });

  it('is not there for another name, another path or another verb', async () => {
    assert.equal((await ask('/', { host: 'evil.example' })).statusCode, 421);
    assert.equal((await ask('/frames', { host: '127.0.0.1.evil.example:80' })).statusCode, 421);
    assert.equal((await ask('/../package.json')).statusCode, 404);
    assert.equal((await ask('//')).statusCode, 404);
    assert.equal((await ask('/', { method: 'POST' })).statusCode, 405);
    assert.equal((await ask('/', { host: '[::1]:80' })).statusCode, 200);
  });

  it('tells a reader of all migrations at once, and of one in depth', async () => {
    tell({ id: 'm1' });
    tell({ id: 'm2' });
    const [first] = await frames('/frames?open=m2', 1);
    assert.deepEqual(
      first?.rows?.map(({ id }) => id),
      ['m1', 'm2'],
    );
    assert.equal(first.detail?.row.id, 'm2');
  });

  it('then tells only what has changed', async () => {
    tell({ id: 'm1' });
    tell({ id: 'm2' });
    const told = frames('/frames', 2);
    setTimeout(tell, 50, { id: 'm2', nowMilliseconds: 9_000 });
    const [, second] = await told;
    assert.deepEqual(
      second?.rows?.map(({ id, elapsedMilliseconds }) => [id, elapsedMilliseconds]),
      [['m2', 8_000]],
    );
  });

  it('tells how it stands in the end before it closes', async () => {
    tell({ id: 'm1' });
    const told = frames('/frames', 2);
    await frames('/frames', 1);
    tell({ id: 'm1', nowMilliseconds: 9_000 });
    await page.close();
    const [, last] = await told;
    assert.equal(last?.rows?.[0]?.elapsedMilliseconds, 8_000);
    page = await open();
  });

  it('says which address is taken', async () => {
    const { port } = new URL(page.url);
    await assert.rejects(open(Number(port)), /page.*EADDRINUSE.*choose another address/);
  });
});
