/** Under which names the page may be asked for. */

const ourNames = /^(127(\.\d{1,3}){3}|localhost|\[::1\])(:\d{1,5})?$/;

/**
 * Whether a request's Host header names this machine from within. A page of somewhere else can have
 * its own name point here (DNS rebinding) and would read us with it; it cannot make the browser send
 * an address instead.
 */
export function isOurName(header: string | undefined): boolean {
  return header !== undefined && ourNames.test(header);
}
