/** Past migrations, read back from InfluxDB as they were when they settled. */
import * as z from 'zod';
import type { Decision, Evidence } from '../core/decision.ts';
import type { DecisionRecord, Migration, Round } from '../core/migration.ts';
import { startMigration } from '../core/reduce.ts';
import { InfluxError, queryInflux } from './influx.ts';
import type { InfluxSettings } from './influx.ts';
import { moment, quoted } from './influxql.ts';
import { unescapeText } from './line.ts';
import { measurements } from './points.ts';
import type { MigrationRecord } from './points.ts';

/** What the source's QEMU said at a moment. */
export interface PastSample {
  readonly atMilliseconds: number;
  readonly remainingBytes?: number;
  readonly dirtyBytesPerSecond?: number;
  readonly bandwidthBytesPerSecond?: number;
  readonly throttlePercent?: number;
}

/** A migration as the core left it, as far as history keeps it. */
export interface PastMigration {
  readonly migration: Migration;
  readonly record: MigrationRecord;
  readonly samples: readonly PastSample[];
}

/** All reads reject with InfluxError. */
export interface Archive {
  /** Those that settled since, the newest first. */
  settledSince(atMilliseconds: number): Promise<readonly MigrationRecord[]>;
  /** The one with this id; undefined when history does not know it. */
  find(id: string): Promise<PastMigration | undefined>;
}

const mostMigrations = 10_000;

/** Reads with the query call that all servers have. */
export function openArchive(settings: InfluxSettings): Archive {
  return {
    settledSince: async (atMilliseconds) => {
      const where = `time >= ${moment(atMilliseconds)} ORDER BY time DESC LIMIT ${mostMigrations}`;
      const rows = await select(settings, ['document'], measurements.result, where);
      return rows.map(({ document }) => parse(document) as MigrationRecord);
    },
    find: async (id) => {
      const ofIt = `"migration" = ${quoted(id)}`;
      const [row] = await select(settings, ['document'], measurements.result, ofIt);
      if (row === undefined) return undefined;
      const record = parse(row['document']) as MigrationRecord;
      const migration = await rebuild(settings, record, ofIt);
      return { record, migration, samples: await samplesOf(settings, record) };
    },
  };
}

type Row = Readonly<Record<string, unknown>>;

async function select(
  settings: InfluxSettings,
  fields: readonly string[],
  measurement: string,
  where: string,
): Promise<readonly Row[]> {
  const columns = fields.map((field) => `"${field}"`).join(', ');
  const statement = `SELECT ${columns} FROM "${measurement}" WHERE ${where}`;
  const series = await queryInflux(settings, statement);
  // VictoriaMetrics answers every query with a list of databases.
  if (series.some(({ name }) => name !== measurement)) {
    const remedy = 'read from the InfluxDB that history is written to as well, or keep one';
    throw new InfluxError(`${settings.url} takes figures, but does not answer InfluxQL: ${remedy}`);
  }
  return series.flatMap(({ columns: names, values }) =>
    values.map((row) => Object.fromEntries(names.map((name, index) => [name, row[index]]))),
  );
}

async function rebuild(
  settings: InfluxSettings,
  record: MigrationRecord,
  ofIt: string,
): Promise<Migration> {
  const [rounds, decisions, effects] = await Promise.all([
    select(settings, ['document'], measurements.round, ofIt),
    select(settings, ['document', 'outcome', 'reason'], measurements.decision, ofIt),
    select(settings, ['document', 'number'], measurements.effect, ofIt),
  ]);
  const measured = new Map(
    effects.map((row) => [row['number'], parse(row['document']) as Evidence]),
  );
  const { id, nowMilliseconds, destination, source, ...rest } = record;
  const begun = { id, policy: 'none', atMilliseconds: nowMilliseconds };
  return {
    ...startMigration(begun),
    ...rest,
    ...(source && { source }),
    ...(source && destination && { destination: { name: source.name, ...destination } }),
    phase: 'settled',
    rounds: rounds.map(({ document }) => parse(document) as Round),
    decisions: decisions.filter(isWhole).map((row) => decisionRecord(row, measured)),
  };
}

/** An outcome whose decision was dropped stands alone. */
function isWhole({ document }: Row): boolean {
  return document !== null;
}

function decisionRecord(row: Row, measured: ReadonlyMap<unknown, Evidence>): DecisionRecord {
  const decision = parse(row['document']) as Decision;
  const { outcome, reason } = outcomeFields.parse(row);
  const effect = measured.get(decision.number);
  return {
    decision,
    ...(outcome && { outcome }),
    ...(reason !== null && { reason: unescapeText(reason) }),
    ...(effect && { measured: effect }),
  };
}

const outcomeFields = z.object({
  outcome: z.enum(['applied', 'refused', 'failed', 'indeterminate']).nullable(),
  reason: z.string().nullable(),
});

/** Samples this long before the order and after the end belong to the picture. */
const marginMilliseconds = 3_000;

async function samplesOf(
  settings: InfluxSettings,
  { source, orderedAtMilliseconds, nowMilliseconds }: MigrationRecord,
): Promise<readonly PastSample[]> {
  if (source === undefined) return [];
  const { host, uuid, qemuPid } = source.ref;
  const from = (orderedAtMilliseconds ?? nowMilliseconds) - marginMilliseconds;
  const where = [
    `"host" = ${quoted(host)} AND "vm" = ${quoted(uuid)} AND "qemu" = ${quoted(String(qemuPid))}`,
    `time >= ${moment(from)} AND time <= ${moment(nowMilliseconds + marginMilliseconds)}`,
  ].join(' AND ');
  const names = Object.keys(sampleColumns);
  const rows = await select(settings, names, measurements.sample, where);
  return rows.map((row) => {
    const figures = Object.entries(sampleColumns).flatMap(([column, name]) => {
      const value = row[column];
      return typeof value === 'number' ? [[name, value] as const] : [];
    });
    return { atMilliseconds: Number(row['time']), ...Object.fromEntries(figures) };
  });
}

const sampleColumns = {
  remaining_bytes: 'remainingBytes',
  dirty_bytes_per_second: 'dirtyBytesPerSecond',
  bandwidth_bytes_per_second: 'bandwidthBytesPerSecond',
  throttle_percent: 'throttlePercent',
} as const;

/** What ferryman wrote there; only that it is an object is checked. */
function parse(document: unknown): unknown {
  try {
    return z.looseObject({}).parse(JSON.parse(String(document)));
  } catch (cause) {
    throw new InfluxError('history holds a document that ferryman did not write', undefined, {
      cause,
    });
  }
}
