/** Health and metrics over HTTP, for a supervisor and for Prometheus: nothing there changes anything. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';
import { ConfigError } from './config/file.ts';
import type { ListenAddress } from './config/fields.ts';
import { messageOf } from './errors.ts';
import type { Log } from './log.ts';

export interface MonitoringOptions {
  readonly listen: ListenAddress;
  readonly registry: Registry;
  readonly log: Log;
  /** What the daemon needs to do its work, by name; it is ready when all of it is there. */
  readonly checks: () => Readonly<Record<string, boolean>>;
}

export interface Monitoring {
  /** `http://127.0.0.1:9471` */
  readonly url: string;
  stop(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

const requestMilliseconds = 5_000;
const maxConnections = 32;

/**
 * Serves `/healthz` (the process turns), `/readyz` (503 and the reason while something is missing)
 * and `/metrics` until stopped. Throws ConfigError when the address is not to be had.
 */
export async function startMonitoring(options: MonitoringOptions): Promise<Monitoring> {
  const { listen, log } = options;
  const server = createServer((request, response) => {
    answer(options, request)
      .then((given) => {
        send(response, given);
      })
      .catch((error: unknown) => {
        log.error({ error, url: request.url }, 'a request for health or metrics failed');
        send(response, plain(500, messageOf(error)));
      });
  });
  server.requestTimeout = requestMilliseconds;
  server.maxConnections = maxConnections;
  try {
    await once(server.listen(listen.port, listen.host), 'listening');
  } catch (thrown) {
    throw new ConfigError('monitoring.listen', `${messageOf(thrown)}; choose another address`);
  }
  const url = urlOf(server.address() as AddressInfo);
  log.info({ url }, 'health and metrics are served');
  return {
    url,
    stop: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function urlOf({ address, family, port }: AddressInfo): string {
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}

async function answer(options: MonitoringOptions, request: IncomingMessage): Promise<Answer> {
  if (request.method !== 'GET' && request.method !== 'HEAD') return plain(405, 'only GET');
  const { registry, checks } = options;
  switch (request.url?.split('?')[0]) {
    case '/healthz':
      return json(200, { status: 'ok' });
    case '/readyz':
      return readiness(checks());
    case '/metrics':
      return { status: 200, type: registry.contentType, text: await registry.metrics() };
    default:
      return plain(404, 'there are /healthz, /readyz and /metrics');
  }
}

function readiness(checks: Readonly<Record<string, boolean>>): Answer {
  const isReady = Object.values(checks).every(Boolean);
  return json(isReady ? 200 : 503, { status: isReady ? 'ready' : 'not ready', checks });
}

function json(status: number, body: object): Answer {
  return { status, type: 'application/json', text: `${JSON.stringify(body)}\n` };
}

function plain(status: number, text: string): Answer {
  return { status, type: 'text/plain; charset=utf-8', text: `${text}\n` };
}

function send(response: ServerResponse, { status, type, text }: Answer): void {
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(text);
}
