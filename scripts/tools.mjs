/**
 * Where the programs lie that ferryman's demo, tests and benches stand on.
 *
 * What must not be installed system-wide (servers that would start by themselves, a second QEMU)
 * is unpacked into a folder per package below `.tools/`; `FERRYMAN_TOOLS` names another folder.
 */
import { execFileSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const projectRoot = fileURLToPath(new URL('..', import.meta.url));

/** When the source was last changed, as Unix seconds: what is built of it twice is the same. */
export function sourceSeconds() {
  const { SOURCE_DATE_EPOCH } = process.env;
  if (SOURCE_DATE_EPOCH !== undefined) return Number(SOURCE_DATE_EPOCH);
  try {
    return Number(execFileSync('git', ['log', '-1', '--format=%ct'], { cwd: projectRoot }));
  } catch {
    return Math.floor(Date.now() / 1000);
  }
}

/** Programs of administrators are not in every user's PATH. */
const administratorFolders = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

export function toolsFolder() {
  return resolve(process.env.FERRYMAN_TOOLS ?? join(projectRoot, '.tools'));
}

export function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The first executable file of this name; the last candidate if there is none. */
function locate(name, ...preferredFolders) {
  const path = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  const candidates = [...preferredFolders, ...path, ...administratorFolders].map((folder) =>
    join(folder, name),
  );
  return candidates.find(isExecutable) ?? candidates.at(-1);
}

/** Paths only, nothing is started: whether a file is there, `isExecutable` tells. */
export function tools() {
  const folder = toolsFolder();
  const unpackedQemu = join(folder, 'qemu-10.0', 'usr');
  const firmware = ['share/seabios', 'share/qemu', 'lib/ipxe/qemu'];
  return {
    natsServer: locate('nats-server', join(folder, 'nats-server/usr/sbin')),
    influxd: locate('influxd', join(folder, 'influxdb/usr/bin')),
    victoriaMetrics: locate('victoria-metrics', join(folder, 'victoria-metrics/usr/bin')),
    promtool: locate('promtool', join(folder, 'prometheus/usr/bin')),
    nodeExporter: locate('prometheus-node-exporter', join(folder, 'node-exporter/usr/bin')),
    collectd: {
      binary: join(folder, 'collectd/usr/sbin/collectd'),
      plugins: join(folder, 'collectd/usr/lib/collectd'),
      types: join(folder, 'collectd/usr/share/collectd/types.db'),
    },
    openssl: locate('openssl'),
    chromium: locate('chromium'),
    nasm: locate('nasm'),
    debhelper: locate('dh'),
    debootstrap: locate('debootstrap'),
    lintian: locate('lintian'),
    ip: locate('ip'),
    tc: locate('tc'),
    virsh: locate('virsh'),
    libvirtd: locate('libvirtd'),
    virtQemuRun: locate('virt-qemu-run'),
    linuxRoot: join(folder, 'linux-guest'),
    qemu: {
      7.2: { binary: locate('qemu-system-x86_64'), args: [] },
      '10.0': {
        binary: join(unpackedQemu, 'bin/qemu-system-x86_64'),
        args: firmware.flatMap((part) => ['-L', join(unpackedQemu, part)]),
      },
    },
  };
}
