/**
 * What a migration would come to, asked before it is ordered. It is begun on paper: the core gets
 * the inputs that a real order would give it, and of what it decides only the probe is sent.
 */
import { randomUUID } from 'node:crypto';
import type { Endpoint } from '../../shared/command.ts';
import type { Commander } from './commander.ts';
import type { Input } from '../core/input.ts';
import { predictMigration } from '../core/prediction.ts';
import type { MigrationPrediction } from '../core/prediction.ts';
import type { Fleet } from '../fleet.ts';
import type { LinkMemory } from './link-memory.ts';
import { openingInputs } from './opening.ts';
import type { Opening } from './opening.ts';
import { checkOneVm, vmOf } from '../orders.ts';
import type { MigrationOrder, VmSelector } from '../orders.ts';
import { placeOf } from './routing.ts';
import type { Reduce, Start } from './runner.ts';

export interface PredictionOrder extends Pick<MigrationOrder, 'source' | 'objective'> {
  /** Absent: a QEMU of the same kind as the source's. */
  readonly destination?: VmSelector;
  /** Where that would be; absent: on a host like the source's. */
  readonly destinationHost?: string | undefined;
}

export interface PredictMeans {
  readonly fleet: Fleet;
  readonly links: LinkMemory;
  readonly commander: Commander;
  readonly reduce: Reduce;
  readonly start: Start;
  /** The brain's time line, see timeline.ts. */
  readonly now: () => number;
}

/** It weighs every family; the other policies know one. */
const policy = 'adaptive';
/** The core wants an order to name one; nothing is ever sent there. */
const nowhere: Endpoint = { kind: 'unix', path: '/dev/null' };

/** Sends a probe and nothing else. Throws OrderError for a VM that is not there. */
export async function predict(
  means: PredictMeans,
  question: PredictionOrder,
): Promise<MigrationPrediction> {
  const { reduce, start, commander, now } = means;
  const opening = openingOf(means, question);
  const id = `predict-${randomUUID().slice(0, 8)}`;
  let migration = start({ id, policy, atMilliseconds: opening.atMilliseconds });
  const feed = (input: Input) => {
    const reduced = reduce(migration, input);
    migration = reduced.migration;
    return reduced.decisions;
  };
  const [first] = openingInputs(opening).flatMap(feed);
  if (first?.operation.kind === 'probe') {
    const { number: decision, operation } = first;
    const { ref } = opening.vms.source;
    const result = await commander.send(`${id}.${String(decision)}`, ref, operation);
    feed({ kind: 'result', atMilliseconds: now(), decision, result });
  }
  return predictMigration(migration);
}

function openingOf(
  { fleet, links, now }: PredictMeans,
  { source, destination, destinationHost, objective }: PredictionOrder,
): Opening {
  const vm = vmOf(fleet, source);
  const common = { links, atMilliseconds: now() };
  const order = { policy, source, objective, endpoint: nowhere };
  if (destination === undefined && destinationHost !== undefined) {
    const likeness = { ...source, host: destinationHost };
    return {
      ...common,
      order: { ...order, destination: likeness },
      vms: { source: vm, destination: vm },
      fleet,
    };
  }
  if (destination === undefined) {
    // Under another name: nothing was learned of the link to it.
    const likeness = { ...source, host: `a host like ${source.host}` };
    return {
      ...common,
      order: { ...order, destination: likeness },
      vms: { source: vm, destination: vm },
      fleet: { hostSample: () => fleet.hostSample(source.host) },
    };
  }
  const vms = { source: vm, destination: vmOf(fleet, destination) };
  checkOneVm(vms, { source: placeOf(vms.source), destination: placeOf(vms.destination) });
  return { ...common, order: { ...order, destination }, vms, fleet };
}
