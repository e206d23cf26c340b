/**
 * One point of history as a line of InfluxDB's protocol, by the client's own escaping, kept to what
 * every server takes: short plain tags, names and reasons only in quoted fields, no unsigned
 * integers, no NaN, no line breaks. The database knows a point by measurement, tags and time alone:
 * all three follow from what is told, so that a line written twice is one point.
 */
import { Point } from '@influxdata/influxdb-client';

/** Absent figures leave no field behind. */
export interface PointParts {
  readonly measurement: string;
  readonly tags: Readonly<Record<string, string | undefined>>;
  /** Counters and bytes. */
  readonly whole?: Readonly<Record<string, number | undefined>>;
  /** Shares, percents, rates. */
  readonly real?: Readonly<Record<string, number | undefined>>;
  readonly text?: Readonly<Record<string, string | undefined>>;
  /** The thing itself as JSON, for reading it back: the other fields are what dashboards draw. */
  readonly document?: object;
  /** Unix milliseconds. */
  readonly atMilliseconds: number;
  /** Tells apart what happened within one millisecond: the number of a message or a decision. */
  readonly number: number;
}

/**
 * A tag names a series for ever, and the protocol cannot escape a trailing backslash: only
 * `[A-Za-z0-9._-]` pass, everything else becomes `_`.
 */
export function tagValue(value: string): string {
  return value.replace(/[^A-Za-z0-9._-]/g, '_').slice(0, 128);
}

/** A name of 4 KiB fits; no server takes a field of 64 KiB, nor does our bus a line. */
const longestText = 8_192;
const longestDocument = 32_768;

/** The line, or undefined when nothing is left to say. */
export function lineOf({ measurement, tags, document, ...parts }: PointParts): string | undefined {
  const point = new Point(measurement).timestamp(nanosecondsOf(parts));
  for (const [name, value] of entries(tags)) {
    if (value !== '') point.tag(name, tagValue(value));
  }
  for (const [name, value] of entries(parts.whole)) {
    if (Number.isFinite(value)) point.intField(name, Math.round(value));
  }
  for (const [name, value] of entries(parts.real)) {
    if (Number.isFinite(value)) point.floatField(name, value);
  }
  for (const [name, value] of entries(parts.text)) {
    point.stringField(name, escapeText(cut(value)));
  }
  const json = document && JSON.stringify(document);
  if (json !== undefined && json.length <= longestDocument) point.stringField('document', json);
  return point.toLineProtocol();
}

/** The millisecond, and below it the number, as a decimal: a double would not hold it. */
function nanosecondsOf({ atMilliseconds, number }: Pick<PointParts, 'atMilliseconds' | 'number'>) {
  const below = Math.abs(number) % 1_000_000;
  return `${String(Math.floor(atMilliseconds))}${String(below).padStart(6, '0')}`;
}

/**
 * Text without control characters, which some servers break a line at: they and the backslash are
 * written as in JSON. Whatever else a name holds stays as it is.
 */
export function escapeText(text: string): string {
  return text.replace(/[\\\p{Cc}]/gu, (character) =>
    character === '\\' ? '\\\\' : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** What `escapeText` was given. */
export function unescapeText(text: string): string {
  return text.replace(/\\(?:u([0-9a-f]{4})|\\)/g, (_, code?: string) =>
    code === undefined ? '\\' : String.fromCharCode(parseInt(code, 16)),
  );
}

/** Half a character at the end would not be text. */
function cut(text: string): string {
  return Buffer.from(text.slice(0, longestText)).toString();
}

function entries<T>(record: Readonly<Record<string, T | undefined>> = {}): [string, T][] {
  return Object.entries(record).filter((entry): entry is [string, T] => entry[1] !== undefined);
}
