/** What ferryman's build, demo, tests and benches stand on: how each is recognised, and how it is provided. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run, unpackPackages } from './debian.mjs';
import { isExecutable, projectRoot, tools, toolsFolder } from './tools.mjs';

const inProject = (...parts) => join(projectRoot, ...parts);

function modifiedMilliseconds(path) {
  return existsSync(path) ? statSync(path).mtimeMs : -Infinity;
}

function hashOf(paths) {
  const hash = createHash('sha256');
  for (const path of paths) hash.update(path).update(readFileSync(path));
  return hash.digest('hex');
}

/** npm writes its hidden lock file last, so its age is that of the whole installation. */
const npmPackages = {
  name: 'npm packages',
  isPresent: () =>
    modifiedMilliseconds(inProject('node_modules/.package-lock.json')) >=
    modifiedMilliseconds(inProject('package-lock.json')),
  provide: () => run(['npm', 'ci'], { cwd: projectRoot, remedy: 'npm ci' }),
};

const protoStamp = inProject('.cache/proto.sha256');

function protoHash() {
  const definitions = readdirSync(inProject('proto')).filter((name) => name.endsWith('.proto'));
  return hashOf([
    inProject('scripts/proto.mjs'),
    ...definitions.sort().map((name) => inProject('proto', name)),
  ]);
}

const generatedCode = {
  name: 'code generated from proto/',
  isPresent: () =>
    existsSync(inProject('proto/generated')) &&
    existsSync(protoStamp) &&
    readFileSync(protoStamp, 'utf8') === protoHash(),
  provide: () => {
    run(['npm', 'run', 'proto'], { cwd: projectRoot, remedy: 'npm run proto' });
    mkdirSync(inProject('.cache'), { recursive: true });
    writeFileSync(protoStamp, protoHash());
  },
};

/** A program from a package that is installed system-wide, because it stands on many libraries. */
function installed(packageName, programs) {
  return {
    name: `${packageName} (Debian package)`,
    packageName,
    isPresent: () => programs(tools()).every(isExecutable),
  };
}

/** A program that is unpacked into the tools folder, so that no service of it is started. */
function unpacked(name, folder, packages, program, options) {
  return {
    name,
    isPresent: () => isExecutable(program(tools())),
    provide: () => unpackPackages(packages, join(toolsFolder(), folder), options),
  };
}

const natsServer = unpacked(
  'nats-server',
  'nats-server',
  ['nats-server'],
  (programs) => programs.natsServer,
);

const demoNeeds = [
  npmPackages,
  generatedCode,
  installed('qemu-system-x86', ({ qemu }) => [qemu['7.2'].binary]),
  installed('nasm', ({ nasm }) => [nasm]),
  installed('iproute2', ({ ip, tc }) => [ip, tc]),
  natsServer,
];

/** Without the package that runs it as a service: tests start their own. */
const libvirt = [
  installed('libvirt-daemon', ({ libvirtd }) => [libvirtd]),
  installed('libvirt-daemon-driver-qemu', ({ virtQemuRun }) => [virtQemuRun]),
  installed('libvirt-clients', ({ virsh }) => [virsh]),
];

const debhelper = installed('debhelper', (programs) => [programs.debhelper]);

const testNeeds = [
  ...demoNeeds,
  debhelper,
  installed('debootstrap', ({ debootstrap }) => [debootstrap]),
  installed('lintian', ({ lintian }) => [lintian]),
  ...libvirt,
  installed('openssl', ({ openssl }) => [openssl]),
  installed('chromium', ({ chromium }) => [chromium]),
  unpacked('InfluxDB', 'influxdb', ['influxdb'], ({ influxd }) => influxd),
  unpacked(
    'VictoriaMetrics',
    'victoria-metrics',
    ['victoria-metrics'],
    ({ victoriaMetrics }) => victoriaMetrics,
  ),
  unpacked('promtool', 'prometheus', ['prometheus'], ({ promtool }) => promtool),
  unpacked(
    'QEMU 10.0',
    'qemu-10.0',
    ['qemu-system-x86', 'qemu-system-common', 'qemu-system-data', 'seabios', 'ipxe-qemu'],
    ({ qemu }) => qemu['10.0'].binary,
    { backports: true },
  ),
];

/** The Linux that the bench migrates: a kernel for guests, whatever its version, and redis. */
const linuxGuest = unpacked(
  'Linux with redis (a guest)',
  'linux-guest',
  [
    '?reverse-depends(?exact-name(linux-image-cloud-amd64))',
    ...['busybox-static', 'redis-server', 'redis-tools', 'libatomic1', 'libjemalloc2', 'liblzf1'],
    ...['libssl3', 'libsystemd0', 'libcap2', 'libgcrypt20', 'libgpg-error0', 'liblz4-1'],
    ...['liblzma5', 'libzstd1', 'libstdc++6', 'libgcc-s1', 'libc6'],
  ],
  ({ linuxRoot }) => join(linuxRoot, 'bin/busybox'),
);

/** What hosts run anyway, and an agent is measured beside. */
const hostCollectors = [
  unpacked(
    'prometheus-node-exporter',
    'node-exporter',
    ['prometheus-node-exporter'],
    ({ nodeExporter }) => nodeExporter,
  ),
  unpacked('collectd', 'collectd', ['collectd-core'], ({ collectd }) => collectd.binary),
];

/** What each purpose stands on, in the order in which it is provided. */
export const needs = {
  build: [npmPackages],
  run: [natsServer],
  package: [npmPackages, debhelper],
  demo: demoNeeds,
  test: testNeeds,
  bench: [...testNeeds, linuxGuest, ...hostCollectors],
};
