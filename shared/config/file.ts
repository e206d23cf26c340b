/** A YAML file and the environment, checked against a schema; errors say file, line and remedy. */
import { readFileSync, statSync } from 'node:fs';
import { LineCounter, parseDocument, type Document } from 'yaml';
import type { z } from 'zod';
import { FerrymanError, messageOf } from '../errors.ts';

/** A configuration that cannot be used. `place` is `file:line`, a file, or a variable. */
export class ConfigError extends FerrymanError {
  readonly place: string;

  constructor(place: string, problem: string) {
    super('CONFIG', `${place}: ${problem}`);
    this.place = place;
  }
}

/** `nats.passwordFile` is FERRYMAN_NATS_PASSWORD_FILE. */
export function variableOf(key: string): string {
  const words = key.replace(/[A-Z]/g, (letter) => `_${letter}`).replaceAll('.', '_');
  return `FERRYMAN_${words.toUpperCase()}`;
}

/**
 * Reads `path`, puts what the environment says in place of the file's text for each of
 * `overridable` keys (`nats.url`), and validates. Throws ConfigError.
 */
export function readConfig<T>(
  path: string,
  environment: NodeJS.ProcessEnv,
  schema: z.ZodType<T>,
  overridable: readonly string[],
): T {
  const lines = new LineCounter();
  const document = parseDocument(readText(path), { lineCounter: lines });
  const [broken] = document.errors;
  if (broken !== undefined) {
    const line = broken.linePos?.[0].line ?? 1;
    throw new ConfigError(`${path}:${line}`, broken.message.split('\n')[0] ?? 'not YAML');
  }
  const set = overridable.filter((key) => environment[variableOf(key)] !== undefined);
  for (const key of set) document.setIn(key.split('.'), environment[variableOf(key)]);
  const parsed = schema.safeParse(document.toJS() ?? {});
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw issueError(path, document, lines, set, issue);
}

function issueError(
  path: string,
  document: Document,
  lines: LineCounter,
  fromEnvironment: readonly string[],
  issue: z.core.$ZodIssue | undefined,
): ConfigError {
  const unknown = issue?.code === 'unrecognized_keys' ? issue.keys[0] : undefined;
  const keys = [...(issue?.path ?? []), ...(unknown === undefined ? [] : [unknown])];
  const key = keys.join('.');
  const problem =
    unknown === undefined ? (issue?.message ?? 'invalid') : 'no such setting; remove or correct it';
  if (fromEnvironment.includes(key)) return new ConfigError(variableOf(key), problem);
  const text = key === '' ? problem : `${key}: ${problem}`;
  return new ConfigError(`${path}:${lineOf(document, lines, keys)}`, text);
}

/** The line of a setting, or of the nearest one around it when it is missing. */
function lineOf(document: Document, lines: LineCounter, keys: readonly PropertyKey[]): number {
  for (let length = keys.length; length > 0; length -= 1) {
    const node = document.getIn(keys.slice(0, length), true) as
      { range?: [number, number, number] } | undefined;
    if (node?.range !== undefined) return lines.linePos(node.range[0]).line;
  }
  return 1;
}

/** A secret on one line of a file that others must not read. Throws ConfigError. */
export function readSecret(path: string): string {
  const secret = readText(path).trim();
  if ((statSync(path).mode & 0o007) !== 0) {
    throw new ConfigError(path, `everybody may read this secret; chmod 600 ${path}`);
  }
  if (secret === '' || secret.includes('\n')) {
    throw new ConfigError(path, 'put the secret, and nothing else, on one line');
  }
  return secret;
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (thrown) {
    throw new ConfigError(path, `cannot be read (${messageOf(thrown)})`);
  }
}
