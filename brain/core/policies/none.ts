/** The baseline: QEMU with the objective's downtime limit and bandwidth, nothing else. */
import { bandwidth } from '../methods/bandwidth.ts';
import { downtime } from '../methods/downtime.ts';
import { compose } from '../methods/method.ts';
import type { Policy } from './policy.ts';

export const none: Policy = {
  name: 'none',
  probes: false,
  plan: (migration) => ({
    ...compose([bandwidth, downtime], migration, 'plain'),
    method: 'plan',
    rule: 'plain-pre-copy',
    evidence: {},
  }),
  decide: () => undefined,
};
