/** `qemu` of query-version. */
export interface QemuVersion {
  readonly major: number;
  readonly minor: number;
  readonly micro: number;
}

/** `7.2.22`. */
export function versionText({ major, minor, micro }: QemuVersion): string {
  return [major, minor, micro].join('.');
}

/** True when `version` is `major.minor` or newer. */
export function isAtLeast(version: QemuVersion, major: number, minor: number): boolean {
  return version.major > major || (version.major === major && version.minor >= minor);
}

/**
 * How far the hazard table reaches: measured on 7.2 and 10.0, read from QEMU's sources and release
 * notes for its neighbours. Older than 6.0 nothing is known; beyond 11 only plain settings are used.
 */
export function knowledgeOf(version: QemuVersion): 'older' | 'known' | 'newer' {
  if (!isAtLeast(version, 6, 0)) return 'older';
  return isAtLeast(version, 12, 0) ? 'newer' : 'known';
}
