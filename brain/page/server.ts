/** The live page: three files and a stream of frames over HTTP. It reads, and never orders anything. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ListenAddress } from '../../shared/config/fields.ts';
import { ConfigError } from '../../shared/config/file.ts';
import { messageOf } from '../../shared/errors.ts';
import type { Log } from '../../shared/log.ts';
import type { Listener } from '../listeners.ts';
import { isOurName } from './address.ts';
import { loadAssets, type Assets } from './assets.ts';
import { createFeed } from './feed.ts';
import { createReaders, type Readers } from './readers.ts';
import { createStore, type Store } from './store.ts';
import type { Standby } from './view/view.ts';

export interface Page {
  /** Give this to the service. */
  readonly listener: Listener;
  /** Where a browser finds it. */
  readonly url: string;
  close(): Promise<void>;
}

/** Nothing from elsewhere, nothing inline: names of VMs are only ever text. */
const securityHeaders = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; " +
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
} as const;

/** What a reader gets to take the last frame. */
const partingMilliseconds = 500;
/** Longer than any id that we give. */
const longestId = 256;

export interface PageOptions {
  /** Port 0 lets the system choose. */
  readonly address: ListenAddress;
  readonly log: Log;
  /** Undefined while this brain leads; default always. */
  readonly standby?: () => Standby | undefined;
  /** Default: those of the build. */
  readonly assets?: Assets;
}

/** Begins to serve. Throws ConfigError when the address is taken. */
export async function openPage(options: PageOptions): Promise<Page> {
  const { address, log, standby = () => undefined } = options;
  const store = createStore();
  const readers = createReaders(Date.now);
  const files = filesOf(options.assets ?? (await loadAssets()));
  const server = createServer((request, response) => {
    response.on('error', (error) => {
      log.debug({ error: messageOf(error) }, 'a reader of the page went away');
    });
    if (!isOurName(request.headers.host)) refuse(response, 421, 'this is not my name');
    else if (request.method !== 'GET') refuse(response, 405, 'this page can only be read');
    else answer({ request, response, files, store, readers, standby });
  });
  // Slow senders hold nothing but a socket.
  server.headersTimeout = 10_000;
  server.maxConnections = 256;
  try {
    await once(server.listen(address.port, address.host), 'listening');
  } catch (thrown) {
    throw new ConfigError('page', `${messageOf(thrown)}; choose another address`);
  }
  server.on('error', (error) => {
    log.warn({ error: messageOf(error) }, 'the page has trouble; control goes on');
  });
  return {
    listener: store.listener,
    url: urlOf(server.address() as AddressInfo),
    close: async () => {
      readers.close();
      const closed = once(server, 'close');
      server.close();
      const timer = setTimeout(() => {
        server.closeAllConnections();
      }, partingMilliseconds);
      await closed;
      clearTimeout(timer);
    },
  };
}

type Files = ReadonlyMap<string, { readonly type: string; readonly body: string }>;

function filesOf({ document, script, style }: Assets): Files {
  return new Map([
    ['/', { type: 'text/html; charset=utf-8', body: document }],
    ['/page.js', { type: 'text/javascript; charset=utf-8', body: script }],
    ['/page.css', { type: 'text/css; charset=utf-8', body: style }],
  ]);
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly files: Files;
  readonly store: Store;
  readonly readers: Readers;
  readonly standby: () => Standby | undefined;
}

function answer({ request, response, files, readers, ...told }: Exchange): void {
  // Not by URL, which throws at some of what a stranger may send.
  const [path = '/', query] = (request.url ?? '/').split('?');
  const file = files.get(path);
  if (file) {
    response.writeHead(200, { ...securityHeaders, 'content-type': file.type }).end(file.body);
  } else if (path === '/frames') {
    const open = new URLSearchParams(query).get('open') ?? undefined;
    const feed = createFeed({ ...told, openId: open?.slice(0, longestId) });
    response.writeHead(200, { ...securityHeaders, 'content-type': 'text/event-stream' });
    if (!readers.add(response, feed)) response.destroy();
  } else {
    refuse(response, 404, 'nothing is here');
  }
}

function refuse(response: ServerResponse, status: number, reason: string): void {
  response.writeHead(status, { ...securityHeaders, 'content-type': 'text/plain' });
  response.end(`${reason}\n`);
}

function urlOf({ address, family, port }: AddressInfo): string {
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}/`;
}
