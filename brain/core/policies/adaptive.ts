/**
 * The default policy: least predicted cost. The family is planned from the probe and the link; the
 * backlog drains freely as long as that is free; then the throttle acts late and hard; another
 * family or post-copy only when this one cannot end.
 */
import { chooseFamily } from './adaptive/family-choice.ts';
import { choosePostCopy, chooseRestart } from './adaptive/last-resorts.ts';
import { chooseSwitchover } from './adaptive/switchover-choice.ts';
import { chooseThrottle } from './adaptive/throttle-choice.ts';
import { takeOver } from './adaptive/take-over.ts';
import type { Policy } from './policy.ts';

export const adaptive: Policy = {
  name: 'adaptive',
  probes: true,
  plan: chooseFamily,
  decide: (migration) =>
    takeOver(migration) ??
    chooseRestart(migration) ??
    chooseThrottle(migration) ??
    chooseSwitchover(migration) ??
    choosePostCopy(migration),
};
