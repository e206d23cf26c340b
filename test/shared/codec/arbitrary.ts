/** Building blocks of arbitrary messages. */
import fc, { type Arbitrary } from 'fast-check';

type IsOptional<T, Key extends keyof T> = Partial<Pick<T, Key>> extends Pick<T, Key> ? true : false;
type RequiredFields<T> = {
  readonly [Key in keyof T as IsOptional<T, Key> extends true ? never : Key]: Arbitrary<T[Key]>;
};
type OptionalFields<T> = {
  readonly [Key in keyof T as IsOptional<T, Key> extends true ? Key : never]-?: Arbitrary<
    Exclude<T[Key], undefined>
  >;
};

/** A message of exactly the fields of T, each optional one there or not. */
export function message<T extends object>(
  required: RequiredFields<T>,
  optional?: OptionalFields<T>,
): Arbitrary<T> {
  const fields = { ...required, ...optional } as Record<string, Arbitrary<unknown>>;
  const constraints = { requiredKeys: Object.keys(required), noNullPrototype: true };
  return fc.record(fields, constraints) as Arbitrary<T>;
}

/** -0 and 0 are one number to us, not to a strict comparison. */
const withoutMinusZero = (value: number) => value + 0;

const between0And = (max: number) => fc.double({ min: 0, max, noNaN: true }).map(withoutMinusZero);

export const count = fc.oneof(fc.maxSafeNat(), fc.constantFrom(0, 1, 2 ** 32, 2 ** 40 + 1));
export const smallCount = fc.nat(4096);
export const amount = between0And(2 ** 53);
export const share = between0And(1);
export const percent = between0And(100);
export const flag = fc.boolean();
export const label = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 });
export const dictionary = fc.dictionary(fc.constantFrom('kind', 'a', 'é', 'toString'), label, {
  noNullPrototype: true,
});
