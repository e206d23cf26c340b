/** The brain's log of what it decides and what becomes of it, by migration, decision, VM and host. */
import type { Log } from '../../shared/log.ts';
import type { Decision } from '../core/decision.ts';
import type { Migration } from '../core/migration.ts';
import type { Listener } from '../listeners.ts';

/** Hang this on the service. */
export function decisionLog(log: Log): Listener {
  return {
    onDecision: (migration, decision) => {
      const { method, rule, evidence } = decision;
      log.info({ ...idsOf(migration, decision), method, rule, evidence }, 'decided');
    },
    onInput: (migration, input) => {
      if (input.kind !== 'result') return;
      const record = migration.decisions.find(({ decision }) => decision.number === input.decision);
      const { outcome, reason } = input.result;
      const fields = { ...(record && idsOf(migration, record.decision)), outcome, reason };
      if (outcome === 'applied') log.debug(fields, 'carried out');
      else log.warn(fields, 'not carried out');
    },
    onSettled: (migration, result) => {
      log.info({ migration: migration.id, vm: vmOf(migration), ...result }, 'settled');
    },
  };
}

function idsOf(migration: Migration, { number, side, operation }: Decision) {
  return {
    migration: migration.id,
    decision: number,
    vm: vmOf(migration),
    host: migration[side]?.ref.host,
    operation: operation.kind,
  };
}

function vmOf({ source, destination }: Migration): string | undefined {
  return (source ?? destination)?.ref.uuid;
}
