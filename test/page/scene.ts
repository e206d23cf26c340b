/** Recorded migrations played to the page as the service would tell of them, under names of one's own. */
import { reduce, startMigration } from '../../brain/core/reduce.ts';
import type { Input } from '../../brain/core/input.ts';
import type { Listener } from '../../brain/listeners.ts';
import { parseTrace } from '../../brain/trace/trace.ts';
import type { VmFacts } from '../../shared/sample.ts';
import { readGolden } from '../traces/golden.ts';

export interface Role {
  readonly id: string;
  readonly vm: string;
  readonly from: string;
  readonly to: string;
  /** A golden trace. */
  readonly trace: string;
  /** How much of its time has passed, 0 to 1; 1 unless told. */
  readonly share?: number;
}

/** Tells the listener everything of the role up to its share, as if it ended now. */
export function play(listener: Listener, role: Role): void {
  const { header, inputs } = parseTrace(readGolden(role.trace));
  const began = header.atMilliseconds;
  const end = inputs.at(-1)?.atMilliseconds ?? began;
  const now = began + (role.share ?? 1) * (end - began);
  const shift = Math.round(Date.now() - now);
  let migration = startMigration({
    id: role.id,
    policy: header.policy,
    atMilliseconds: began + shift,
  });
  for (const recorded of inputs.filter(({ atMilliseconds }) => atMilliseconds <= now)) {
    const input = recast(recorded, role, shift);
    const before = migration;
    migration = reduce(migration, input).migration;
    listener.onInput?.(migration, input);
    if (migration.result && !before.result) listener.onSettled?.(migration, migration.result);
  }
}

function recast(input: Input, role: Role, shift: number): Input {
  const moved = { ...input, atMilliseconds: input.atMilliseconds + shift };
  if (moved.kind === 'attach') {
    return { ...moved, facts: renamed(moved.facts, role, moved.side === 'source') };
  }
  if (moved.kind !== 'result' || moved.result.facts === undefined) return moved;
  // Only destinations are started anew.
  return { ...moved, result: { ...moved.result, facts: renamed(moved.result.facts, role, false) } };
}

function renamed(facts: VmFacts, { vm, from, to }: Role, isSource: boolean): VmFacts {
  return { ...facts, name: vm, ref: { ...facts.ref, host: isSource ? from : to } };
}
