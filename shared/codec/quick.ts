/**
 * A quick yes to what a schema would accept as it is. zod builds a result, a list of issues and a
 * context for each of some forty fields, which in an agent at rest is a seventh of all its work; here
 * its own definition of the schema is walked once, into plain comparisons. Whoever is not told yes
 * asks zod, which alone knows how to say no: nothing is accepted here that it would refuse.
 */
import type { $ZodChecks, $ZodType, $ZodTypes } from 'zod/v4/core';

/** True only when zod would accept the value and hand it back as it is, but for unknown keys. */
export type Quick = (value: unknown) => boolean;

/** The check of a schema; for kinds of schema that it does not know it never says yes. */
export function quickCheck(schema: $ZodType): Quick {
  const { def } = (schema as $ZodTypes)._zod;
  const within = (def.checks ?? []).map((check) => boundOf(check as $ZodChecks));
  return allOf([kindOf(schema), ...within] as readonly ((value: never) => boolean)[]) as Quick;
}

/** One after the other, without a list to walk through: nothing is made anew for each message. */
function allOf<T>(checks: readonly ((value: T) => boolean)[]): (value: T) => boolean {
  const [first = () => true, ...others] = checks;
  return others.reduce((before, next) => (value) => before(value) && next(value), first);
}

const never: Quick = () => false;

function kindOf(schema: $ZodType): Quick {
  const { def } = (schema as $ZodTypes)._zod;
  switch (def.type) {
    case 'boolean':
      return (value) => typeof value === 'boolean';
    case 'string':
      return 'format' in def ? never : (value) => typeof value === 'string';
    case 'number':
      if (!('format' in def)) return Number.isFinite;
      return def.format === 'safeint' ? Number.isSafeInteger : never;
    case 'enum':
      return oneOf(Object.values(def.entries));
    case 'literal':
      return oneOf(def.values);
    case 'array':
      return arrayOf(quickCheck(def.element));
    case 'object':
      return def.catchall === undefined ? objectOf(def.shape) : never;
    case 'optional':
      return quickCheck(def.innerType);
    case 'union':
      return 'discriminator' in def ? unionOf(def.discriminator as string, def.options) : never;
    default:
      return never;
  }
}

type Bound = (value: number & string & readonly unknown[]) => boolean;

function boundOf(check: $ZodChecks): Bound {
  const { def } = check._zod;
  switch (def.check) {
    case 'greater_than':
      return def.inclusive ? (value) => value >= Number(def.value) : never;
    case 'less_than':
      return def.inclusive ? (value) => value <= Number(def.value) : never;
    case 'min_length':
      return ({ length }) => length >= def.minimum;
    case 'max_length':
      return ({ length }) => length <= def.maximum;
    default:
      return never;
  }
}

function oneOf(values: readonly unknown[]): Quick {
  const known = new Set(values);
  return (value) => known.has(value);
}

function arrayOf(isItem: Quick): Quick {
  return (value) => Array.isArray(value) && value.every(isItem);
}

type Plain = Readonly<Record<string, unknown>>;
function objectOf(shape: Readonly<Record<string, $ZodType>>): Quick {
  const hasAll = allOf(Object.entries(shape).map(([key, schema]) => fieldOf(key, schema)));
  return (value) => isPlain(value) && hasAll(value);
}

/** A key that is there and undefined is zod's to judge. */
function fieldOf(key: string, schema: $ZodType): (value: Plain) => boolean {
  const isOptional = (schema as $ZodTypes)._zod.def.type === 'optional';
  const isValid = quickCheck(schema);
  return (value) => {
    const field = value[key];
    return field === undefined ? isOptional && !(key in value) : isValid(field);
  };
}

function unionOf(discriminator: string, options: readonly $ZodType[]): Quick {
  const byKind = new Map(options.flatMap((option) => memberOf(discriminator, option)));
  return (value) => isPlain(value) && byKind.get(value[discriminator])?.(value) === true;
}

function memberOf(discriminator: string, option: $ZodType): readonly [unknown, Quick][] {
  const { def } = (option as $ZodTypes)._zod;
  if (def.type !== 'object') return [];
  const kind = (def.shape[discriminator] as $ZodTypes | undefined)?._zod.def;
  if (kind?.type !== 'literal') return [];
  return kind.values.map((value) => [value, quickCheck(option)]);
}

function isPlain(value: unknown): value is Plain {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
