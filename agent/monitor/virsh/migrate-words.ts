/** `virsh migrate` in the words of what was set for it in QEMU's (pure; virsh(1) of libvirt 9). */

/** Capabilities and parameters that shall hold for the migration; those left out are as libvirt has them. */
export interface MigrationSettings {
  readonly capabilities: Readonly<Record<string, boolean>>;
  readonly parameters: Readonly<Record<string, unknown>>;
}

/** A flag of libvirt's, and the parameter that its value comes from. */
type Flag = readonly [name: string, parameter: string];

/** libvirt writes the whole set of capabilities at the start, so each has to be asked for by its flags. */
const capabilityWords: Readonly<Record<string, readonly string[]>> = {
  'auto-converge': ['--auto-converge'],
  xbzrle: ['--compressed', '--comp-methods', 'xbzrle'],
  compress: ['--compressed', '--comp-methods', 'mt'],
  multifd: ['--parallel'],
  'postcopy-ram': ['--postcopy'],
};

const capabilityFlags: Readonly<Record<string, readonly Flag[]>> = {
  'auto-converge': [
    ['--auto-converge-initial', 'cpu-throttle-initial'],
    ['--auto-converge-increment', 'cpu-throttle-increment'],
  ],
  xbzrle: [['--comp-xbzrle-cache', 'xbzrle-cache-size']],
  compress: [
    ['--comp-mt-level', 'compress-level'],
    ['--comp-mt-threads', 'compress-threads'],
  ],
  multifd: [['--parallel-connections', 'multifd-channels']],
};

const mebibyte = 2 ** 20;
/** libvirt counts bandwidth in whole MiB/s up to this; more means no limit, as leaving it out does. */
const mostMebibytesPerSecond = 2 ** 31;

/**
 * Peer to peer: the two libvirts deal with each other, so that the migration goes on when virsh ends
 * [measured]. Neither `--persistent` nor `--undefinesource`: what is defined where stays as it is.
 */
export function migrateWords(
  domain: string,
  uri: string,
  { capabilities, parameters }: MigrationSettings,
): readonly string[] {
  const armed = Object.keys(capabilityWords).filter((name) => capabilities[name] === true);
  const flags = armed.flatMap((name) => [
    ...(capabilityWords[name] ?? []),
    ...(capabilityFlags[name] ?? []).flatMap(([flag, parameter]) => {
      const value = parameters[parameter];
      return typeof value === 'number' ? [flag, String(value)] : [];
    }),
  ]);
  return ['migrate', '--live', '--p2p', ...flags, ...bandwidthWords(parameters), domain, uri];
}

/** Rounded down, since it is a cap. */
function bandwidthWords({ 'max-bandwidth': given }: MigrationSettings['parameters']): string[] {
  const mebibytesPerSecond = Math.max(1, Math.floor(Number(given) / mebibyte));
  const isCap = mebibytesPerSecond < mostMebibytesPerSecond;
  return isCap ? ['--bandwidth', String(mebibytesPerSecond)] : [];
}
