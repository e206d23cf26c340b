/** The baseline of today's clouds: QEMU's own auto-converge, 20 % then +10 % at every second bad sync. */
import { bandwidth } from '../methods/bandwidth.ts';
import { inert, nativeAutoConverge } from '../methods/auto-converge.ts';
import { downtime } from '../methods/downtime.ts';
import { compose } from '../methods/method.ts';
import type { Migration } from '../migration.ts';
import type { Move, Policy } from './policy.ts';

export const autoConverge: Policy = {
  name: 'auto-converge',
  probes: false,
  plan: (migration) => ({
    ...compose([bandwidth, downtime, nativeAutoConverge], migration, 'plain'),
    method: 'auto-converge',
    rule: 'qemu-auto-converge',
    evidence: {},
  }),
  decide: armedAgain,
};

/** What was let go of, for a hold or for want of a brain, is left to QEMU once more. */
function armedAgain(migration: Migration): Move | undefined {
  const settings = nativeAutoConverge.arm(migration, 'plain')?.tuning?.autoConverge;
  const inForce = migration.tuning.autoConverge;
  const isLetGo = inForce !== undefined && inForce.maxPercent <= inert.maxPercent;
  if (!isLetGo || settings === undefined || settings.maxPercent <= inert.maxPercent) {
    return undefined;
  }
  return {
    kind: 'command',
    operation: { kind: 'tune', tuning: { autoConverge: settings } },
    method: 'auto-converge',
    rule: 'qemu-auto-converge',
    evidence: {},
  };
}
