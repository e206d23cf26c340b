/** Reading QEMU's replies: what is missing or of another type is undefined, never an error. */

export type Fields = Readonly<Record<string, unknown>>;

/** The object itself, or undefined for anything that is not one. */
export function asFields(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Fields)
    : undefined;
}

/** The objects of a list; anything that is not one is left out. */
export function asFieldsList(value: unknown): readonly Fields[] {
  if (!Array.isArray(value)) return [];
  return value.map(asFields).filter((fields) => fields !== undefined);
}

/** A rate, time or ratio; QEMU says -1 where it does not know. */
export function amountField(fields: Fields, name: string): number | undefined {
  const value = fields[name];
  return typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER
    ? value
    : undefined;
}

/**
 * A counter. QEMU subtracts unsigned counters while other threads move them, so one beyond what a
 * double can count (2^53) is a wrapped negative number, and no more known than a negative one.
 */
export function countField(fields: Fields, name: string): number | undefined {
  const value = amountField(fields, name);
  return Number.isInteger(value) ? value : undefined;
}

/** A text; undefined where QEMU left it out or sent anything else. */
export function stringField(fields: Fields, name: string): string | undefined {
  const value = fields[name];
  return typeof value === 'string' ? value : undefined;
}

/** The same object without the fields that are undefined. */
export function withoutUndefined<T extends object>(
  fields: { [Key in keyof T]: T[Key] | undefined } & object,
): T {
  const present: Partial<T> = {};
  for (const key in fields) {
    const name = key as keyof T & string;
    const value = fields[name];
    if (value !== undefined) present[name] = value;
  }
  return present as T;
}
