/**
 * One point of history as a line of InfluxDB's protocol, by the client's own escaping, kept to what
 * every server takes: short plain tags, names and reasons only in quoted fields, no unsigned
 * integers, no NaN, no line breaks.
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
  /** Unix milliseconds. */
  readonly atMilliseconds: number;
}

/**
 * A tag names a series for ever, and the protocol cannot escape a trailing backslash: only
 * `[A-Za-z0-9._-]` pass, everything else becomes `_`.
 */
export function tagValue(value: string): string {
  return value.replace(/[^A-Za-z0-9._-]/g, '_').slice(0, 128);
}

const longestText = 2_000;

/** The line, or undefined when nothing is left to say. */
export function lineOf({
  measurement,
  tags,
  atMilliseconds,
  ...fields
}: PointParts): string | undefined {
  const point = new Point(measurement).timestamp(Math.round(atMilliseconds));
  for (const [name, value] of entries(tags)) {
    if (value !== '') point.tag(name, tagValue(value));
  }
  for (const [name, value] of entries(fields.whole)) {
    if (Number.isFinite(value)) point.intField(name, Math.round(value));
  }
  for (const [name, value] of entries(fields.real)) {
    if (Number.isFinite(value)) point.floatField(name, value);
  }
  for (const [name, value] of entries(fields.text)) {
    point.stringField(name, value.replace(/\s+/g, ' ').slice(0, longestText));
  }
  return point.toLineProtocol();
}

function entries<T>(record: Readonly<Record<string, T | undefined>> = {}): [string, T][] {
  return Object.entries(record).filter((entry): entry is [string, T] => entry[1] !== undefined);
}
