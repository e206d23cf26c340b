/**
 * The only place that knows QEMU's own units (qapi/migration.json mixes seven notations).
 * Past this file there are bytes, bytes per second, milliseconds, percent and shares.
 */

/** `mbps` of query-migrate: 10^6 bits per second. */
export function megabitsPerSecondToBytesPerSecond(megabitsPerSecond: number): number {
  return (megabitsPerSecond * 1_000_000) / 8;
}

/** `dirty-rate` of query-dirty-rate and `vcpu-dirty-limit`: 2^20 bytes per second. */
export function mebibytesPerSecondToBytesPerSecond(mebibytesPerSecond: number): number {
  return mebibytesPerSecond * 1024 * 1024;
}

/** `dirty-limit-throttle-time-per-round` and `dirty-limit-ring-full-time`: microseconds. */
export function microsecondsToMilliseconds(microseconds: number): number {
  return microseconds / 1000;
}

/** `total_time_ns` of query-blockstats: nanoseconds. */
export function nanosecondsToMilliseconds(nanoseconds: number): number {
  return nanoseconds / 1_000_000;
}

/** `dirty-pages-rate` and `pages-per-second`, with `page-size`. */
export function pagesToBytes(pages: number, pageBytes: number): number {
  return pages * pageBytes;
}

/** The largest power of two that is at most `bytes`: what `xbzrle-cache-size` accepts. */
export function floorToPowerOfTwo(bytes: number): number {
  return 2 ** Math.floor(Math.log2(bytes));
}
