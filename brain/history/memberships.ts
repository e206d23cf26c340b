/** Knows which migration a QEMU is in, or was in at a time. */
import type { QemuRef, VmFacts } from '../../shared/sample.ts';
import type { Side } from '../core/decision.ts';
import type { Input } from '../core/input.ts';
import type { Migration } from '../core/migration.ts';
import type { Membership } from './telemetry-points.ts';

/** Passages remembered; what was kept during an outage may arrive after its migration has ended. */
const passagesKept = 2_000;

/** Samples up to this long before and after still show the migration; hosts' clocks may differ. */
const marginMilliseconds = 10_000;

interface Passage extends Membership {
  readonly qemu: string;
  readonly fromMilliseconds: number;
  untilMilliseconds: number;
}

export interface Memberships {
  learn(migration: Migration, input: Input): void;
  /** All that there is to learn of one that another brain has begun. */
  inherit(migration: Migration): void;
  leave(migration: Migration): void;
  of(ref: QemuRef, atMilliseconds: number): Membership | undefined;
}

/** Knows no migration yet. */
export function createMemberships(): Memberships {
  // The latest come first: where two touch, a sample belongs to the later one.
  let passages: Passage[] = [];
  const add = (migration: string, side: Side, { ref }: VmFacts, sinceMilliseconds: number) => {
    const qemu = keyOf(ref);
    if (passages.some((each) => each.qemu === qemu && each.migration === migration)) return;
    const fromMilliseconds = sinceMilliseconds - marginMilliseconds;
    const passage = { qemu, migration, side, fromMilliseconds, untilMilliseconds: Infinity };
    passages = [passage, ...passages.slice(0, passagesKept - 1)];
  };
  return {
    learn: ({ id }, input) => {
      if (input.kind === 'attach') add(id, input.side, input.facts, input.atMilliseconds);
    },
    inherit: ({ id, orderedAtMilliseconds, nowMilliseconds, source, destination }) => {
      const since = orderedAtMilliseconds ?? nowMilliseconds;
      if (source) add(id, 'source', source, since);
      if (destination) add(id, 'destination', destination, since);
    },
    leave: ({ id, nowMilliseconds }) => {
      for (const passage of passages) {
        if (passage.migration !== id) continue;
        passage.untilMilliseconds = nowMilliseconds + marginMilliseconds;
      }
    },
    of: (ref, atMilliseconds) => {
      const qemu = keyOf(ref);
      const found = passages.find(
        (each) =>
          each.qemu === qemu &&
          each.fromMilliseconds <= atMilliseconds &&
          atMilliseconds <= each.untilMilliseconds,
      );
      return found && { migration: found.migration, side: found.side };
    },
  };
}

/** Without the agent's life: a restarted agent speaks of the same QEMU. */
function keyOf({ host, qemuPid, uuid }: QemuRef): string {
  return `${host} ${String(qemuPid)} ${uuid}`;
}
