/** Commands by what was asked and what became of it, for Prometheus. */
import type { CommandOutcome, OperationKind } from './command.ts';
import type { Meter } from './metrics.ts';

const operations: Readonly<Record<OperationKind, null>> = {
  probe: null,
  'start-destination': null,
  arm: null,
  listen: null,
  migrate: null,
  tune: null,
  throttle: null,
  cancel: null,
  'start-postcopy': null,
  'recover-destination': null,
  resume: null,
  restore: null,
};
const outcomes: readonly CommandOutcome[] = ['applied', 'refused', 'failed', 'indeterminate'];

/** Counts one command. */
export type CountCommand = (operation: OperationKind, outcome: CommandOutcome) => void;

/** All series are there from the start: Prometheus sees no increase in one that begins at 1. */
export function commandCounter(meter: Meter, name: string): CountCommand {
  const help = 'Commands, by what was asked and what became of it.';
  const counter = meter.counter(name, help, ['operation', 'outcome']);
  for (const operation of Object.keys(operations)) {
    for (const outcome of outcomes) counter.inc({ operation, outcome }, 0);
  }
  return (operation, outcome) => {
    counter.inc({ operation, outcome });
  };
}
