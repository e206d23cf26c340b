/** Something that could not be had: what went wrong, and what the user can type. */
export class Unavailable extends Error {
  constructor(reason: string, remedy?: string);
  readonly remedy: string | undefined;
}
/** Deb822 stanzas that offer the main archive of `suite`, for `suite` and its backports. */
export function deriveStanzas(text: string, suite: string): string[];
/** One-line sources that offer the main archive of `suite`, for `suite` and its backports. */
export function deriveLines(text: string, suite: string): string[];
