/** Where the agents of a command that works alone stand, and what they allow there. */
import { randomBytes } from 'node:crypto';
import { standalonePolicy, type HostPolicy } from '../agent/host/policy-file.ts';
import type { VmSelector } from '../brain/orders.ts';
import type { ObjectiveFlags, RunFlags } from './run-options.ts';

/** A monitor socket on a host of this process's making. */
export interface Place extends VmSelector {
  readonly policy: HostPolicy;
}

/** Both sides of `ferryman run`. On a bus shared with others, host names of this run must be its own. */
export function placesOf(flags: RunFlags): Readonly<Record<'source' | 'destination', Place>> {
  const suffix = flags.nats === undefined ? '' : `-${randomBytes(3).toString('hex')}`;
  const { destinationCommand } = flags;
  return {
    source: sourcePlace(flags, `source${suffix}`),
    destination: {
      host: `destination${suffix}`,
      selector: flags.destinationQmp,
      policy: standalonePolicy(
        destinationCommand === undefined
          ? allowedBy(flags)
          : { ...allowedBy(flags), destinationCommand },
      ),
    },
  };
}

/** The side on which the VM runs. */
export function sourcePlace(
  flags: ObjectiveFlags & Pick<RunFlags, 'sourceQmp'>,
  host = 'source',
): Place {
  return { host, selector: flags.sourceQmp, policy: standalonePolicy(allowedBy(flags)) };
}

function allowedBy({ postCopy, maxThrottle }: ObjectiveFlags) {
  return { postCopy: postCopy === 'last-resort', maxThrottlePercent: Math.max(1, maxThrottle) };
}
