/** What becomes which point. */
import type { Telemetry } from '../../shared/telemetry.ts';
import { effectsOf } from '../core/effect.ts';
import type { Migration, MigrationResult } from '../core/migration.ts';
import type { Listener } from '../listeners.ts';
import type { PointParts } from './line.ts';
import { createMemberships } from './memberships.ts';
import * as points from './points.ts';
import { telemetryPoints } from './telemetry-points.ts';

export interface PointSource {
  /** Everything but telemetry: rounds, decisions and results. */
  readonly listener: Listener;
  /** The points of a message, however late it comes. */
  telemetry(message: Telemetry): readonly PointParts[];
}

/** Gives every point of the listener to `keep`. */
export function createPointSource(keep: (parts: PointParts) => void): PointSource {
  const memberships = createMemberships();
  /** What another brain had to tell may have died with it; a point that is there already stays one. */
  const inherit = (known: Migration) => {
    memberships.inherit(known);
    for (const record of known.decisions) {
      keep(points.decisionPoint(known, record.decision));
      if (record.outcome) keep(points.outcomePoint(known, record));
    }
  };
  const keepEnd = (migration: Migration, result: MigrationResult) => {
    for (const effect of effectsOf(migration)) keep(points.effectPoint(migration, effect));
    keep(points.resultPoint(migration, result));
  };
  const listener: Listener = {
    onInput: (migration, input) => {
      memberships.learn(migration, input);
      if (input.kind === 'rejoin' && input.known) inherit(input.known);
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
      memberships.leave(migration);
      keepEnd(migration, result);
    },
    onInherited: (migration) => {
      inherit(migration);
      memberships.leave(migration);
      for (const round of migration.rounds) keep(points.roundPoint(migration, round));
      if (migration.result) keepEnd(migration, migration.result);
    },
  };
  return { listener, telemetry: (message) => telemetryPoints(message, memberships.of) };
}
