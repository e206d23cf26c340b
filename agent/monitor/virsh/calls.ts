/**
 * What QEMU is asked of a libvirt domain, in libvirt's words (pure): its own calls where it has one
 * that does not wait for the migration to end, QEMU's monitor passed through where not.
 */
import type { Owner } from '../monitor.ts';

/** A call of virsh, or why there is none. */
export type VirshCall =
  | { readonly kind: 'own'; readonly words: readonly string[] }
  | { readonly kind: 'monitor'; readonly words: readonly string[] }
  | { readonly kind: 'refused'; readonly reason: string };

/** What libvirt does itself when the time has come. */
const libvirtsOwn: ReadonlySet<string> = new Set([
  'migrate',
  'migrate-incoming',
  'migrate-set-capabilities',
  'migrate-recover',
  'migrate-pause',
]);

/**
 * What libvirt 9 sets when it starts a migration (read back under each of its flags), and has flags
 * for: of the compressions of multifd it has none.
 */
export const libvirtOwner: Owner = {
  name: 'libvirt',
  sets: new Set([
    'cpu-throttle-initial',
    'cpu-throttle-increment',
    'max-bandwidth',
    'max-postcopy-bandwidth',
  ]),
  families: ['plain', 'xbzrle', 'compress', 'multifd'],
};

/** The calls that come to this QMP command, to be made in this order. */
export function virshCalls(
  domain: string,
  command: string,
  given: Readonly<Record<string, unknown>>,
): readonly VirshCall[] {
  if (libvirtsOwn.has(command)) {
    const reason = 'libvirt does this itself for its domains';
    return [{ kind: 'refused', reason }];
  }
  if (command === 'migrate_cancel') return [own('domjobabort', domain)];
  if (command === 'migrate-start-postcopy') return [own('migrate-postcopy', domain)];
  if (command === 'migrate-set-parameters') return parameterCalls(domain, given);
  return [passedThrough(domain, command, given)];
}

/** Not by migrate-setspeed: libvirt keeps that for every later migration of the domain [measured]. */
function parameterCalls(
  domain: string,
  given: Readonly<Record<string, unknown>>,
): readonly VirshCall[] {
  const { 'downtime-limit': limit, ...rest } = given;
  const hasRest = Object.keys(rest).length > 0;
  return [
    ...(limit === undefined ? [] : [own('migrate-setmaxdowntime', domain, String(Number(limit)))]),
    ...(hasRest ? [passedThrough(domain, 'migrate-set-parameters', rest)] : []),
  ];
}

function own(name: string, ...words: readonly string[]): VirshCall {
  return { kind: 'own', words: [name, ...words] };
}

function passedThrough(domain: string, execute: string, given: object): VirshCall {
  const hasArguments = Object.keys(given).length > 0;
  const text = JSON.stringify({ execute, ...(hasArguments && { arguments: given }) });
  return { kind: 'monitor', words: ['qemu-monitor-command', domain, text] };
}
