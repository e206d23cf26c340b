/**
 * How many bytes XBZRLE needs for a page, by QEMU's own format (docs "XBZRLE"; migration/xbzrle.c):
 * runs of unchanged and changed bytes take turns, each with its length in ULEB128, the changed ones
 * followed by their new bytes; unchanged bytes at the end are left out (pure).
 */

/** Lengths from here on take two bytes; a page has fewer than 2^14 bytes. */
const twoByteLength = 0x80;

/**
 * Encoded bytes of `after` against `before`, two pages of equal size: 0 when nothing changed,
 * undefined when it overflows (would not be smaller than the page), in which case QEMU sends the
 * page raw.
 */
export function xbzrleEncodedBytes(before: Uint8Array, after: Uint8Array): number | undefined {
  const pageBytes = after.length;
  let encodedBytes = 0;
  let position = 0;
  for (;;) {
    const unchangedEnd = endOfRun(before, after, position, true);
    if (unchangedEnd === pageBytes) return encodedBytes;
    const changedEnd = endOfRun(before, after, unchangedEnd, false);
    const changedBytes = changedEnd - unchangedEnd;
    encodedBytes += lengthBytes(unchangedEnd - position) + lengthBytes(changedBytes) + changedBytes;
    if (encodedBytes > pageBytes) return undefined;
    position = changedEnd;
    // QEMU wants room for two more bytes before it looks at what follows.
    if (position < pageBytes && encodedBytes + 2 > pageBytes) return undefined;
  }
}

function lengthBytes(length: number): number {
  return length < twoByteLength ? 1 : 2;
}

/** Where the run of equal (or unequal) bytes that begins at `start` ends. */
function endOfRun(before: Uint8Array, after: Uint8Array, start: number, isEqual: boolean): number {
  let end = start;
  while (end < after.length && (before[end] === after[end]) === isEqual) end++;
  return end;
}
