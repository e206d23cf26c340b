/**
 * The database of history, of whatever generation: 1.x by `/write`, 2.x and 3.x (and what imitates
 * them) by `/api/v2/write`. Reads are InfluxQL, which all of them answer.
 */
import { InfluxDB } from '@influxdata/influxdb-client';
import { FerrymanError, messageOf } from '../../shared/errors.ts';
import { checkCommon } from './influxql.ts';

export interface InfluxSettings {
  readonly flavor: 'v1' | 'v2' | 'v3';
  readonly url: string;
  /** Database of 1.x and 3.x, bucket of 2.x. */
  readonly database: string;
  /** Only 2.x has organisations. */
  readonly organisation?: string | undefined;
  /** API token; `user:password` for 1.x. */
  readonly token?: string | undefined;
}

/** A write or query the server did not take; `status` is its HTTP status, absent when unreachable. */
export class InfluxError extends FerrymanError {
  readonly status: number | undefined;

  constructor(message: string, status?: number, options?: ErrorOptions) {
    super('INFLUX', message, options);
    this.status = status;
  }
}

const requestTimeoutMilliseconds = 10_000;
/** A database on the next host answers within milliseconds. */
const checkTimeoutMilliseconds = 1_500;
const largestBatchBytes = 16 * 2 ** 20;

/** Sends lines in one request. Rejects with InfluxError; nothing is retried or kept. */
export type SendLines = (lines: readonly string[]) => Promise<void>;

/** The client is used for one batch at a time: its own queue forgets what is under way on close. */
export function lineSender(settings: InfluxSettings): SendLines {
  const client = new InfluxDB({
    url: settings.url,
    timeout: requestTimeoutMilliseconds,
    headers: authorization(settings),
  });
  return async (lines) => {
    const api = client.getWriteApi(settings.organisation ?? '', settings.database, 'ns', {
      maxRetries: 0,
      flushInterval: 0,
      batchSize: lines.length + 1,
      maxBatchBytes: largestBatchBytes,
      // A promise in answer keeps the client from logging and retrying by itself.
      writeFailed: (error) => Promise.reject(asInfluxError(settings, error)),
    });
    if (settings.flavor === 'v1') {
      api.path = `/write?db=${encodeURIComponent(settings.database)}&precision=ns`;
    }
    api.writeRecords([...lines]);
    await api.flush();
  };
}

/**
 * Has nothing written: says whether the database is there and would take what we write. Rejects
 * with InfluxError.
 */
export async function checkWritable(settings: InfluxSettings): Promise<void> {
  const { flavor, url, organisation, database } = settings;
  const [path, into]: [string, Record<string, string>] =
    flavor === 'v1'
      ? ['write', { db: database }]
      : ['api/v2/write', { org: organisation ?? '', bucket: database }];
  const query = new URLSearchParams({ ...into, precision: 'ns' }).toString();
  const response = await fetch(`${url.replace(/\/$/, '')}/${path}?${query}`, {
    method: 'POST',
    headers: authorization(settings),
    signal: AbortSignal.timeout(checkTimeoutMilliseconds),
  }).catch((error: unknown) => {
    throw asInfluxError(settings, error);
  });
  const answer = (await response.json().catch(() => ({}))) as WriteAnswer;
  // Some find fault with a request that holds nothing, but only after all else was right.
  if (response.ok || response.status === 400) return;
  const problem = answer.error ?? answer.message ?? `it answers with status ${response.status}`;
  throw refusal(settings, problem, response.status);
}

interface WriteAnswer {
  readonly error?: string;
  readonly message?: string;
}

/** One series of an answer: columns and rows as the server sent them. */
export interface InfluxSeries {
  readonly name: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly columns: readonly string[];
  readonly values: readonly (readonly unknown[])[];
}

/**
 * Runs one statement of common InfluxQL; times come as Unix milliseconds. Throws InfluxError, and
 * QueryError before anything is asked.
 */
export async function queryInflux(
  settings: InfluxSettings,
  statement: string,
): Promise<readonly InfluxSeries[]> {
  checkCommon(statement);
  return execute(settings, statement);
}

async function execute(
  settings: InfluxSettings,
  statement: string,
): Promise<readonly InfluxSeries[]> {
  const url = new URL('/query', settings.url);
  const query = { db: settings.database, epoch: 'ms', q: statement };
  const response = await fetch(url, {
    method: 'POST',
    headers: authorization(settings),
    body: new URLSearchParams(query),
    signal: AbortSignal.timeout(requestTimeoutMilliseconds),
  }).catch((error: unknown) => {
    throw asInfluxError(settings, error);
  });
  const answer = (await response.json().catch(() => ({}))) as QueryAnswer;
  const [result] = answer.results ?? [];
  const problem = answer.error ?? result?.error ?? (response.ok ? undefined : response.statusText);
  if (problem !== undefined) {
    throw refusal(settings, `${problem}: ${statement}`, response.status);
  }
  return result?.series ?? [];
}

interface QueryAnswer {
  readonly error?: string;
  readonly results?: readonly {
    readonly error?: string;
    readonly series?: readonly InfluxSeries[];
  }[];
}

/**
 * Makes the database of a 1.x server unless it is there; the later ones are set up by hand. One who
 * may write need not be one who may make databases: then it has to be there.
 */
export async function ensureDatabase(settings: InfluxSettings): Promise<void> {
  if (settings.flavor !== 'v1') return;
  const statement = `CREATE DATABASE "${settings.database.replaceAll('"', '')}"`;
  await execute(settings, statement).catch((error: unknown) => {
    const isForbidden = error instanceof InfluxError && [401, 403].includes(error.status ?? 0);
    if (!isForbidden) throw error;
  });
}

function authorization({ flavor, token }: InfluxSettings): Record<string, string> {
  if (token === undefined) return {};
  if (flavor !== 'v1') return { authorization: `Token ${token}` };
  return { authorization: `Basic ${Buffer.from(token).toString('base64')}` };
}

function asInfluxError(settings: InfluxSettings, error: unknown): InfluxError {
  const status = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined;
  if (typeof status === 'number') return refusal(settings, messageOf(error), status, error);
  // fetch only says that it failed; why is in the cause.
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  const message = `InfluxDB does not answer at ${settings.url} (${messageOf(cause)}): start it, or correct its address`;
  return new InfluxError(message, undefined, { cause: error });
}

function refusal(
  { url }: InfluxSettings,
  problem: string,
  status: number,
  cause?: unknown,
): InfluxError {
  const isLogin = status === 401 || status === 403;
  const message = isLogin
    ? `InfluxDB at ${url} refuses us (${problem}): check the token or password, and its rights`
    : `InfluxDB at ${url}: ${problem}`;
  return new InfluxError(message, status, { cause });
}
