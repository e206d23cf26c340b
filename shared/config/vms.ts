/** What the brain is told of single VMs and classes of them: mode, policy, and what their owner allows. */
import * as z from 'zod';
import type { Objective } from '../objective.ts';
import { parseBandwidth, parseDuration, parsePercent } from '../units.ts';
import { messageOf } from '../errors.ts';
import { word } from './fields.ts';

/** observe: nothing is ever sent; advise: what would be done is said; act. */
export const modes = ['observe', 'advise', 'act'] as const;
export type Mode = (typeof modes)[number];

/** What holds for a VM beside the defaults. */
export interface VmRule {
  readonly mode?: Mode;
  readonly policy?: string;
  readonly objective: Partial<Objective>;
}

/** From patterns of names to rules, as in the file: later ones prevail over earlier ones. */
export type VmRules = readonly { readonly pattern: string; readonly rule: VmRule }[];

function quantity(parse: (text: string) => number, [least, most]: readonly [number, number]) {
  return z.union([z.string(), z.number()]).transform((given, context) => {
    try {
      const value = parse(String(given));
      if (value >= least && value <= most) return value;
      context.addIssue({ code: 'custom', message: `${String(given)} is out of bounds` });
    } catch (thrown) {
      context.addIssue({ code: 'custom', message: messageOf(thrown) });
    }
    return z.NEVER;
  });
}

const bandwidth = quantity(parseBandwidth, [64 * 1024, 64 * 1024 ** 3]);

const settings = z.strictObject({
  mode: z.enum(modes).exactOptional(),
  policy: word.exactOptional(),
  downtimeLimit: quantity(parseDuration, [10, 2_000_000]).exactOptional(),
  maxThrottle: quantity(parsePercent, [0, 99]).exactOptional(),
  throttle: z.enum(['auto', 'qemu', 'cgroup']).exactOptional(),
  ioSensitive: z.boolean().exactOptional(),
  deadline: quantity(parseDuration, [1_000, 86_400_000]).exactOptional(),
  postCopy: z.enum(['never', 'last-resort']).exactOptional(),
  maxBandwidth: bandwidth.exactOptional(),
  linkBandwidth: bandwidth.exactOptional(),
});
type Settings = z.infer<typeof settings>;

/** The sections `classes` and `vms` of a brain's file. */
export const vmSections = {
  classes: z.record(word, settings).default({}),
  vms: z.record(word, settings.extend({ class: word.exactOptional() })).default({}),
};

interface Sections {
  readonly classes: Readonly<Record<string, Settings>>;
  readonly vms: Readonly<Record<string, Settings & { readonly class?: string }>>;
}

/** VMs that are said to be of a class that is not there. */
export function unknownClasses({ classes, vms }: Sections) {
  const named = Object.entries(vms).flatMap(([vm, { class: name }]) =>
    name === undefined ? [] : { vm, name },
  );
  return named.filter(({ name }) => !Object.hasOwn(classes, name));
}

/** The sections as rules. */
export function vmRules({ classes, vms }: Sections): VmRules {
  return Object.entries(vms).map(([pattern, { class: name, ...own }]) => ({
    pattern,
    rule: ruleOf({ ...(name === undefined ? {} : classes[name]), ...own }),
  }));
}

function ruleOf({ mode, policy, ...limits }: Settings): VmRule {
  const { downtimeLimit, maxThrottle, deadline, maxBandwidth, linkBandwidth, ...same } = limits;
  return {
    ...(mode && { mode }),
    ...(policy !== undefined && { policy }),
    objective: {
      ...same,
      ...(downtimeLimit !== undefined && { downtimeLimitMilliseconds: downtimeLimit }),
      ...(maxThrottle !== undefined && { maxThrottlePercent: maxThrottle }),
      ...(deadline !== undefined && { deadlineMilliseconds: deadline }),
      ...(maxBandwidth !== undefined && { maxBandwidthBytesPerSecond: maxBandwidth }),
      ...(linkBandwidth !== undefined && { linkBandwidthBytesPerSecond: linkBandwidth }),
    },
  };
}

/** What holds for a VM by its name or UUID: of all patterns that fit, the last word on each setting. */
export function ruleFor(rules: VmRules, names: readonly string[]): VmRule {
  return rules
    .filter(({ pattern }) => names.some((name) => fits(pattern, name)))
    .reduce<VmRule>(
      (merged, { rule }) => ({
        ...merged,
        ...rule,
        objective: { ...merged.objective, ...rule.objective },
      }),
      { objective: {} },
    );
}

/** A `*` at the end stands for any rest. */
function fits(pattern: string, name: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}
