/** What the fields of a message may hold. A value outside is refused on both sides of the wire. */
import * as z from 'zod';

/** Counters: whole, 0 to 2^53 - 1, above which JavaScript no longer counts exactly. */
export const count = z.int().min(0);

/** Rates, times and ratios: finite, 0 to 2^53. */
export const amount = z
  .number()
  .min(0)
  .max(2 ** 53);

export const share = z.number().min(0).max(1);
export const percent = z.number().min(0).max(100);
export const port = z.int().min(1).max(65_535);

const maxTextCharacters = 4096;

/** Free words: QEMU's statuses, error texts, reasons. */
export const text = z.string().max(maxTextCharacters);

/** Something that names; never empty. */
export const label = z.string().min(1).max(256);

/** What a VM is called: whatever its owner likes, and it likes to be long. */
export const name = z.string().min(1).max(maxTextCharacters);

/** A host has fewer NICs, a VM fewer families, a probe fewer points. */
const maxListLength = 256;

/** A list of at most `maxListLength` items. */
export function list<T>(item: z.ZodType<T>) {
  return z.array(item).max(maxListLength);
}

/** Words by word. Absent and empty are the same on the wire. */
export const dictionary = z
  .record(z.string().max(256), text)
  .refine((entries) => Object.keys(entries).length <= maxListLength, {
    error: `more than ${String(maxListLength)} entries`,
  });

type Fields<T> = { readonly [Key in keyof T]-?: z.ZodType<T[Key]> };

/** A message of exactly the fields of T: one that is forgotten here does not compile. */
export function message<T extends object>(fields: Fields<T>): z.ZodType<T> {
  return z.object(fields) as unknown as z.ZodType<T>;
}
