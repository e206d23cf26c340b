/** The kinds of golden traces: one guest and one way to move it each. */
import type { Guest } from '../guests/guest.ts';
import { guests } from '../system/support.ts';

export interface Kind {
  readonly guest: Guest;
  readonly flags: readonly string[];
  /** The family in which it must end, or it does not show what it is for. */
  readonly family: RegExp;
  /** Gets a destination command, so that it may restart. */
  readonly restarts?: boolean;
}

export const kinds: Readonly<Record<string, Kind>> = {
  'random-cgroup': { guest: guests.diverging, flags: ['--throttle', 'cgroup'], family: /plain/ },
  'random-qemu': { guest: guests.diverging, flags: ['--throttle', 'qemu'], family: /plain/ },
  text: { guest: guests.text, flags: [], family: /zstd|zlib|compress/ },
  sparse: { guest: guests.sparse, flags: [], family: /xbzrle/ },
  moderate: { guest: guests.moderate, flags: [], family: /plain/ },
  ladder: {
    guest: guests.fourfold,
    flags: ['--policy', 'ladder', '--max-throttle', '10%', '--post-copy', 'last-resort'],
    family: /xbzrle/,
    restarts: true,
  },
};
