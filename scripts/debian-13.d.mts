/**
 * A Debian 13 in a folder, made below `.cache` where it is not there yet, which takes about a minute;
 * nothing may be written into it. Throws Unavailable.
 */
export function provideDebian13(): string;
