/** The policies an order may name. */
import { adaptive } from './adaptive.ts';
import { autoConverge } from './auto-converge.ts';
import { ladder } from './ladder.ts';
import { none } from './none.ts';
import type { Policy } from './policy.ts';

export const policies: readonly Policy[] = [adaptive, ladder, none, autoConverge];

/** Throws a RangeError that lists the policies when there is none of that name. */
export function policyNamed(name: string): Policy {
  const policy = policies.find((each) => each.name === name);
  if (policy) return policy;
  const names = policies.map((each) => each.name).join(', ');
  throw new RangeError(`no policy is called "${name}"; there are: ${names}`);
}
