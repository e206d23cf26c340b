/**
 * The contract of a method: what it arms before the start (capabilities are frozen afterwards) and
 * with which first parameters. What a method tunes in flight is a function beside its definition,
 * called by the policies.
 */
import type { Arming, Tuning } from '../../../shared/command.ts';
import type { Family } from '../../../shared/sample.ts';
import type { MethodName } from '../decision.ts';
import type { Migration } from '../migration.ts';

export interface Armament {
  readonly arming?: Partial<Arming>;
  readonly tuning?: Tuning;
}

export interface Method {
  readonly name: MethodName;
  /** What this method adds when `family` is armed; undefined when it has no part in it. */
  arm(migration: Migration, family: Family): Armament | undefined;
}

/** All that a list of methods arms for one family. */
export function compose(
  methods: readonly Method[],
  migration: Migration,
  family: Family,
): { readonly arming: Arming; readonly tuning: Tuning } {
  const parts = methods.flatMap((method) => method.arm(migration, family) ?? []);
  return {
    arming: parts.reduce<Arming>((sum, part) => ({ ...sum, ...part.arming }), {
      family,
      autoConverge: false,
      postCopy: false,
    }),
    tuning: parts.reduce<Tuning>((sum, part) => ({ ...sum, ...part.tuning }), {}),
  };
}
