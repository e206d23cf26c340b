/**
 * What QEMU is asked of a libvirt domain, in libvirt's words (pure): its own calls where it has one
 * that does not wait for the migration to end, QEMU's monitor passed through where not.
 */

/** A call of virsh, or why there is none. */
export type VirshCall =
  | { readonly kind: 'own'; readonly words: readonly string[] }
  | { readonly kind: 'monitor'; readonly words: readonly string[] }
  | { readonly kind: 'refused'; readonly reason: string };

const bytesPerMebibyte = 2 ** 20;
/** "No limit", in libvirt's unit: more it does not take. */
const mostMebibytes = 8_796_093_022_207;

/** libvirt writes all capabilities when it starts a migration, and would not know of one of ours. */
const libvirtsOwn: ReadonlySet<string> = new Set([
  'migrate',
  'migrate-incoming',
  'migrate-set-capabilities',
  'migrate-recover',
  'migrate-pause',
]);

/**
 * Parameters that libvirt 9 puts back itself at the end of a migration, to what they were at its
 * start (read back after an abort).
 */
export const restoredByLibvirt: ReadonlySet<string> = new Set([
  'downtime-limit',
  'cpu-throttle-initial',
  'cpu-throttle-increment',
  'max-postcopy-bandwidth',
  'xbzrle-cache-size',
  'multifd-channels',
  'compress-level',
  'compress-threads',
]);

/** The calls that come to this QMP command, to be made in this order. */
export function virshCalls(
  domain: string,
  command: string,
  given: Readonly<Record<string, unknown>>,
): readonly VirshCall[] {
  if (libvirtsOwn.has(command)) {
    const reason = 'libvirt starts the migrations of its domains: use virsh migrate';
    return [{ kind: 'refused', reason }];
  }
  if (command === 'migrate_cancel') return [own('domjobabort', domain)];
  if (command === 'migrate-start-postcopy') return [own('migrate-postcopy', domain)];
  if (command === 'migrate-set-parameters') return parameterCalls(domain, given);
  return [passedThrough(domain, command, given)];
}

function parameterCalls(
  domain: string,
  given: Readonly<Record<string, unknown>>,
): readonly VirshCall[] {
  const { 'downtime-limit': limit, 'max-bandwidth': bandwidth, ...rest } = given;
  const hasRest = Object.keys(rest).length > 0;
  return [
    ...(limit === undefined ? [] : [own('migrate-setmaxdowntime', domain, String(Number(limit)))]),
    ...(bandwidth === undefined
      ? []
      : [own('migrate-setspeed', domain, String(mebibytes(Number(bandwidth))))]),
    ...(hasRest ? [passedThrough(domain, 'migrate-set-parameters', rest)] : []),
  ];
}

function mebibytes(bytesPerSecond: number): number {
  return Math.min(mostMebibytes, Math.max(1, Math.round(bytesPerSecond / bytesPerMebibyte)));
}

function own(name: string, ...words: readonly string[]): VirshCall {
  return { kind: 'own', words: [name, ...words] };
}

function passedThrough(domain: string, execute: string, given: object): VirshCall {
  const hasArguments = Object.keys(given).length > 0;
  const text = JSON.stringify({ execute, ...(hasArguments && { arguments: given }) });
  return { kind: 'monitor', words: ['qemu-monitor-command', domain, text] };
}
