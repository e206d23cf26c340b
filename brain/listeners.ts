/**
 * What hangs off the service: history, the recorder, the terminal view. Listeners are told after
 * the core has decided and the command is on its way; none of them can slow or stop control (P11).
 */
import type { Telemetry } from '../shared/telemetry.ts';
import type { Decision, Note } from './core/decision.ts';
import type { Input } from './core/input.ts';
import type { Migration, MigrationResult, Round } from './core/migration.ts';

/** Every method gets the migration as it stands after the input. All are optional. */
export interface Listener {
  /** Every fresh telemetry message, of VMs at rest too. */
  onTelemetry?(telemetry: Telemetry): void;
  onInput?(migration: Migration, input: Input): void;
  onDecision?(migration: Migration, decision: Decision): void;
  onRound?(migration: Migration, round: Round): void;
  onNote?(migration: Migration, note: Note): void;
  onSettled?(migration: Migration, result: MigrationResult): void;
  /** It had settled under another brain, whose last words may have been lost. */
  onInherited?(migration: Migration): void;
}

/** Tells all listeners in order; an exception in one is reported and goes no further. */
export type Tell = (call: (listener: Listener) => void) => void;

/** `onError` gets what a listener threw. */
export function createTell(
  listeners: readonly Listener[],
  onError: (error: unknown) => void,
): Tell {
  return (call) => {
    for (const listener of listeners) {
      try {
        call(listener);
      } catch (error) {
        onError(error);
      }
    }
  };
}
