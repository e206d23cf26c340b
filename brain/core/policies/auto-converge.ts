/** The baseline of today's clouds: QEMU's own auto-converge, 20 % then +10 % at every second bad sync. */
import { bandwidth } from '../methods/bandwidth.ts';
import { nativeAutoConverge } from '../methods/auto-converge.ts';
import { downtime } from '../methods/downtime.ts';
import { compose } from '../methods/method.ts';
import type { Policy } from './policy.ts';

export const autoConverge: Policy = {
  name: 'auto-converge',
  probes: false,
  plan: (migration) => ({
    ...compose([bandwidth, downtime, nativeAutoConverge], migration, 'plain'),
    method: 'auto-converge',
    rule: 'qemu-auto-converge',
    evidence: {},
  }),
  decide: () => undefined,
};
