/** A YAML file, the environment and flags, checked against a schema; errors say where, what and how. */
import { readFileSync, statSync } from 'node:fs';
import { LineCounter, parseDocument, type Document } from 'yaml';
import type { z } from 'zod';
import { FerrymanError, messageOf } from '../errors.ts';

/** A configuration that cannot be used. `place` is `file:line`, a file, a variable or a flag. */
export class ConfigError extends FerrymanError {
  readonly place: string;

  constructor(place: string, problem: string) {
    super('CONFIG', `${place}: ${problem}`);
    this.place = place;
  }
}

/** What prevails over the file: the environment, and flags (`nats.url` to its text) over both. */
export interface Overrides {
  readonly environment?: NodeJS.ProcessEnv;
  readonly flags?: Readonly<Record<string, string>>;
  /** What the user typed to set a key; `--set KEY`, unless there is an option for it. */
  readonly flagOf?: (key: string) => string;
}

/** More than any configuration holds; what is larger is the wrong file. */
const maxFileBytes = 1024 * 1024;

/** `nats.passwordFile` is FERRYMAN_NATS_PASSWORD_FILE. */
export function variableOf(key: string): string {
  const words = key.replace(/[A-Z]/g, (letter) => `_${letter}`).replaceAll('.', '_');
  return `FERRYMAN_${words.toUpperCase()}`;
}

/**
 * Reads `path`, puts what environment and flags say in place of the file's text for each of
 * `overridable` keys (`nats.url`), and validates. Throws ConfigError, which names every problem.
 */
export function readConfig<T>(
  path: string,
  overrides: Overrides,
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
  const settings = overridesOf(overrides, overridable);
  const origin = (keys: readonly PropertyKey[]) =>
    settings.get(keys.join('.'))?.place ?? `${path}:${lineOf(document, lines, keys)}`;
  const data = [...settings].reduce(
    (tree, [key, { text }]) => withValue(tree, key.split('.'), text),
    toData(path, document),
  );
  const parsed = schema.safeParse(data);
  if (parsed.success) return parsed.data;
  throw issuesError(parsed.error.issues, data, origin);
}

function toData(path: string, document: Document): unknown {
  try {
    return document.toJS() ?? {};
  } catch (thrown) {
    throw new ConfigError(path, messageOf(thrown));
  }
}

interface Override {
  readonly place: string;
  readonly text: string;
}

function overridesOf(
  { environment = {}, flags = {}, flagOf = (key) => `--set ${key}` }: Overrides,
  overridable: readonly string[],
): ReadonlyMap<string, Override> {
  const settings = new Map<string, Override>();
  for (const key of overridable) {
    const place = variableOf(key);
    const text = environment[place];
    if (text !== undefined) settings.set(key, { place, text });
  }
  for (const [key, text] of Object.entries(flags)) {
    const place = flagOf(key);
    if (!overridable.includes(key)) {
      throw new ConfigError(place, `no such setting here; it can be ${overridable.join(', ')}`);
    }
    settings.set(key, { place, text });
  }
  return settings;
}

function withValue(tree: unknown, keys: readonly string[], value: unknown): unknown {
  const [key, ...rest] = keys;
  if (key === undefined) return value;
  const branch: Readonly<Record<string, unknown>> = isTree(tree) ? tree : {};
  return { ...branch, [key]: withValue(branch[key], rest, value) };
}

function valueAt(tree: unknown, keys: readonly PropertyKey[]): unknown {
  const [key, ...rest] = keys;
  if (key === undefined) return tree;
  return isTree(tree) ? valueAt(tree[String(key)], rest) : undefined;
}

function isTree(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

type Origin = (keys: readonly PropertyKey[]) => string;

function issuesError(
  issues: readonly z.core.$ZodIssue[],
  data: unknown,
  origin: Origin,
): ConfigError {
  const [first, ...others] = issues.map((issue) => describeIssue(issue, data, origin));
  const more = others.map(({ place, problem }) => `\n${place}: ${problem}`).join('');
  return new ConfigError(first?.place ?? '', `${first?.problem ?? 'invalid'}${more}`);
}

function describeIssue(issue: z.core.$ZodIssue, data: unknown, origin: Origin) {
  const unknown = issue.code === 'unrecognized_keys' ? issue.keys[0] : undefined;
  const keys = [...issue.path, ...(unknown === undefined ? [] : [unknown])];
  const place = origin(keys);
  const problem = problemOf(issue, data);
  const isNamedByPlace = !/:\d+$/.test(place);
  const key = keys.join('.');
  return { place, problem: key === '' || isNamedByPlace ? problem : `${key}: ${problem}` };
}

function problemOf(issue: z.core.$ZodIssue, data: unknown): string {
  if (issue.code === 'unrecognized_keys') return 'no such setting; remove or correct it';
  const isMissing = issue.code === 'invalid_type' && valueAt(data, issue.path) === undefined;
  return isMissing ? `is missing, and has no default; set it (${issue.expected})` : issue.message;
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
    if (statSync(path).size <= maxFileBytes) return readFileSync(path, 'utf8');
  } catch (thrown) {
    throw new ConfigError(path, `cannot be read (${messageOf(thrown)})`);
  }
  throw new ConfigError(path, `is larger than ${maxFileBytes} bytes; is it the right file?`);
}
