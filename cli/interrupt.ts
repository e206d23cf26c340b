/** What Ctrl-C and SIGTERM do to a running migration: cancel what can be undone, never post-copy. */
import type { Migration, Phase } from '../brain/core/migration.ts';
import { needsHuman } from '../brain/core/moving.ts';
import type { Endpoint } from '../shared/command.ts';
import { describeEndpoint } from '../brain/words/operations.ts';

const postCopyPhases: ReadonlySet<Phase> = new Set([
  'post-copy',
  'recovering-destination',
  'recovering-source',
]);

/** Order the brain to cancel, wait for the last settings to be put back, or let QEMU finish alone. */
export interface InterruptAdvice {
  readonly action: 'abort' | 'wait' | 'leave';
  readonly message: string;
}

/** What an interrupt means for the migration as it stands; `undefined` is one not yet ordered. */
export function adviseInterrupt(
  migration: Migration | undefined,
  endpoint: Endpoint,
): InterruptAdvice {
  if (migration?.result?.outcome === 'completed') {
    return { action: 'wait', message: 'the migration has completed; there is nothing to undo' };
  }
  if (migration !== undefined && isPostCopy(migration)) {
    return { action: 'leave', message: postCopyAdvice(endpoint) };
  }
  return {
    action: 'abort',
    message: 'interrupted: cancelling; the guest stays at the source, settings are put back',
  };
}

/** The books of a migration that goes on, or may, when this process ends after an interrupt. */
export function leftBehind(migration: Migration): Migration {
  const postCopy = isPostCopy(migration);
  const left = needsHuman(
    migration,
    postCopy
      ? 'interrupted in post-copy: QEMU goes on by itself, with the settings it was given'
      : 'interrupted, and nobody answered that it was cancelled: look at both sides',
  );
  return left.result === undefined ? left : { ...left, result: { ...left.result, postCopy } };
}

/** Post-copy begins with its order, before the phase says so: from then on cancelling loses the VM. */
function isPostCopy({ phase, pending, last }: Migration): boolean {
  return (
    postCopyPhases.has(phase) ||
    pending?.decision.operation.kind === 'start-postcopy' ||
    last?.status.startsWith('postcopy') === true
  );
}

function postCopyAdvice(endpoint: Endpoint): string {
  const uri = describeEndpoint(endpoint);
  if (endpoint.kind === 'libvirt') {
    return [
      'interrupted in post-copy: the guest already runs at the destination, so nothing is cancelled.',
      'libvirt goes on by itself. Should the job be paused, resume it with',
      `  virsh migrate --live --p2p --postcopy-resume DOMAIN ${uri}`,
    ].join('\n');
  }
  return [
    'interrupted in post-copy: the guest already runs at the destination, so nothing is cancelled.',
    'QEMU goes on by itself. Should query-migrate say postcopy-paused, resume it with',
    `  destination: {"execute":"migrate-recover","arguments":{"uri":"${uri}"}}`,
    `  source:      {"execute":"migrate","arguments":{"uri":"${uri}","resume":true}}`,
  ].join('\n');
}

/** Calls `listener` at every SIGINT and SIGTERM until the returned function is called. */
export function onInterrupt(listener: () => void): () => void {
  const signals = ['SIGINT', 'SIGTERM'] as const;
  for (const signal of signals) process.on(signal, listener);
  return () => {
    for (const signal of signals) process.off(signal, listener);
  };
}
