/** History: everything the brain sees and decides, written to InfluxDB beside control, never before. */
import type { Log } from '../shared/log.ts';
import type { QemuRef } from '../shared/sample.ts';
import type { Telemetry } from '../shared/telemetry.ts';
import { effectsOf } from './core/effect.ts';
import type { Input } from './core/input.ts';
import type { Migration } from './core/migration.ts';
import { ensureDatabase, lineSender } from './history/influx.ts';
import type { InfluxSettings } from './history/influx.ts';
import { lineOf } from './history/line.ts';
import type { PointParts } from './history/line.ts';
import * as points from './history/points.ts';
import { createWriter } from './history/writer.ts';
import type { WriterCounts } from './history/writer.ts';
import type { Listener } from './listeners.ts';

export interface History {
  /** Give this to the service. */
  readonly listener: Listener;
  counts(): WriterCounts;
  /** Writes what is left, for at most three seconds. */
  close(): Promise<void>;
}

/** Begins to write to a database, which may come and go; a missing 1.x database is made. */
export function createHistory(settings: InfluxSettings, log: Log): History {
  const writer = createWriter({
    log,
    send: lineSender(settings),
    prepare: () => ensureDatabase(settings),
  });
  const listener = historyListener((parts) => {
    const line = lineOf(parts);
    if (line !== undefined) writer.add(line);
  });
  return { listener, counts: () => writer.counts(), close: () => writer.close() };
}

/** The part without a database: what becomes which point. */
export function historyListener(keep: (parts: PointParts) => void): Listener {
  const subjects = createSubjects();
  return {
    onTelemetry: (telemetry) => {
      const { atMilliseconds } = telemetry.header;
      telemetryPoints(telemetry, (ref) => subjects.of(ref, atMilliseconds)).forEach(keep);
    },
    onInput: (migration, input) => {
      subjects.learn(migration, input);
      if (input.kind !== 'result') return;
      const record = migration.decisions.find(({ decision }) => decision.number === input.decision);
      if (record) keep(points.outcomePoint(migration, { ...record, ...input.result }));
    },
    onRound: (migration, round) => {
      keep(points.roundPoint(migration, round));
    },
    onDecision: (migration, decision) => {
      keep(points.decisionPoint(migration, decision));
    },
    onSettled: (migration, result) => {
      subjects.leave(migration);
      for (const effect of effectsOf(migration)) keep(points.effectPoint(migration, effect));
      keep(points.resultPoint(migration, result));
    },
  };
}

function telemetryPoints(
  { header, body }: Telemetry,
  subjectOf: (ref: QemuRef) => points.Subject,
): readonly PointParts[] {
  const at = header.atMilliseconds;
  switch (body.kind) {
    case 'host':
      return points.hostPoints(header.host, body.sample, at);
    case 'activity':
      return [points.activityPoint(subjectOf(body.ref), body.activity, at)];
    case 'migration':
      return [points.samplePoint(subjectOf(body.ref), body.sample, at)];
    default:
      return [];
  }
}

/** QEMUs remembered; what agents kept during an outage may arrive after its migration has ended. */
const subjectsKept = 1_000;

/** Samples up to this long after the end still show the migration; hosts' clocks may differ. */
const afterglowMilliseconds = 10_000;

interface Passage {
  readonly subject: points.Subject;
  readonly untilMilliseconds: number;
}

/** Knows which migration a QEMU is in, or was in at a time. */
function createSubjects() {
  const passages = new Map<string, Passage>();
  return {
    learn: ({ id }: Migration, input: Input) => {
      if (input.kind !== 'attach') return;
      const { host, uuid } = input.facts.ref;
      const key = keyOf(input.facts.ref);
      const subject = { host, vm: uuid, migration: id, side: input.side };
      passages.delete(key);
      passages.set(key, { subject, untilMilliseconds: Infinity });
      const oldest = passages.keys().next();
      if (passages.size > subjectsKept && !oldest.done) passages.delete(oldest.value);
    },
    leave: ({ id, nowMilliseconds }: Migration) => {
      const untilMilliseconds = nowMilliseconds + afterglowMilliseconds;
      for (const [key, { subject }] of passages) {
        if (subject.migration === id) passages.set(key, { subject, untilMilliseconds });
      }
    },
    of: (ref: QemuRef, atMilliseconds: number): points.Subject => {
      const passage = passages.get(keyOf(ref));
      if (passage && atMilliseconds <= passage.untilMilliseconds) return passage.subject;
      return { host: ref.host, vm: ref.uuid };
    },
  };
}

/** Without the agent's life: a restarted agent speaks of the same QEMU. */
function keyOf({ host, qemuPid, uuid }: QemuRef): string {
  return `${host} ${String(qemuPid)} ${uuid}`;
}
