/** How long until a VM is looked at again. Every look costs CPU here and in QEMU's main loop. */
import type { MigrationSample } from '../../shared/sample.ts';
import { isSending, type VmState } from '../commands/situation.ts';

/** What one look saw, on the agent's clock. */
export interface Look {
  readonly atMilliseconds: number;
  readonly sample: MigrationSample;
}

const restMilliseconds = 1000;
const busyMilliseconds = 100;
/** While a round's end is far only rates are to be had, and these are measured over such a span. */
const amidRoundMilliseconds = 250;
/** QEMU ends a round when a downtime limit's worth is left; at least one look has to come before. */
const farMilliseconds = 700;

/** Often near the end of a round, where decisions fall; `before` is the look before, if it succeeded. */
export function pauseMilliseconds(vm: VmState, before?: Look, now?: Look): number {
  if (!isSending(vm)) return restMilliseconds;
  return millisecondsLeft(before, now) > farMilliseconds ? amidRoundMilliseconds : busyMilliseconds;
}

/** Until the backlog is sent, at the pace between the looks; 0 when it grew: a round has begun. */
function millisecondsLeft(before?: Look, now?: Look): number {
  const [found, left] = [before?.sample.ram?.remainingBytes, now?.sample.ram?.remainingBytes];
  if (!before || !now || found === undefined || left === undefined || left >= found) return 0;
  return (left * (now.atMilliseconds - before.atMilliseconds)) / (found - left);
}
