/** The guests of the throttle bench. Another one is one more entry. */
import type { Guest } from '../../guests/guest.ts';

const mebibyte = 2 ** 20;
/**
 * Small, so that a pass is short and QEMU, which moves its throttle at syncs, is quick about it; but
 * more than a few MiB, for QEMU 7.2 under TCG forgets pages that stay in the TLB, and is done.
 */
const workingSetBytes = 16 * mebibyte;
/** More than any host lets it write: it never waits. */
const flatOutBytesPerSecond = 1024 * mebibyte;

/** None of them may fit through `linkBytesPerSecond` when a fifth of its pace is left. */
export const linkBytesPerSecond = 3 * mebibyte;

export interface ThrottleGuest {
  readonly name: string;
  /** What it is, for people. */
  readonly about: string;
  readonly guest: Guest;
}

function entry(name: string, about: string, guest: Partial<Guest>): ThrottleGuest {
  const dirtyBytesPerSecond = flatOutBytesPerSecond;
  const whole = { workingSetBytes, dirtyBytesPerSecond, content: 'random', ...guest } as const;
  return { name, about, guest: whole };
}

export const throttleGuests: readonly ThrottleGuest[] = [
  entry('busy', 'writes as fast as it can', {}),
  entry('paced', 'uses a part of its vCPU', { dirtyBytesPerSecond: 96 * mebibyte }),
  entry('two-vcpus', 'as paced, beside a second vCPU that computes', {
    dirtyBytesPerSecond: 96 * mebibyte,
    secondVcpu: true,
  }),
  entry('disk', 'uses little of its vCPU, and writes to a disk', {
    dirtyBytesPerSecond: 24 * mebibyte,
    diskBytesPerSecond: 2 * mebibyte,
  }),
  entry('busy-disk', 'as busy, and writes to a disk', { diskBytesPerSecond: 2 * mebibyte }),
];
