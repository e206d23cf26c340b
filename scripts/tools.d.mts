/** The versions of QEMU that the tests run. */
export type QemuVersion = '7.2' | '10.0';

export interface QemuBinary {
  readonly binary: string;
  /** Arguments without which an unpacked QEMU does not find its firmware. */
  readonly args: readonly string[];
}

export interface Tools {
  readonly natsServer: string;
  readonly influxd: string;
  readonly victoriaMetrics: string;
  readonly promtool: string;
  readonly nodeExporter: string;
  /** The program, and the folder and file that it would look for elsewhere. */
  readonly collectd: { readonly binary: string; readonly plugins: string; readonly types: string };
  readonly openssl: string;
  readonly chromium: string;
  readonly nasm: string;
  /** The program `dh`. */
  readonly debhelper: string;
  readonly debootstrap: string;
  readonly lintian: string;
  readonly ip: string;
  readonly tc: string;
  readonly virsh: string;
  readonly libvirtd: string;
  /** Of the package with libvirt's driver for QEMU. */
  readonly virtQemuRun: string;
  /** A folder with a kernel of Debian, busybox, redis and their libraries, as packages put them. */
  readonly linuxRoot: string;
  readonly qemu: Readonly<Record<QemuVersion, QemuBinary>>;
}

export const projectRoot: string;
export function toolsFolder(): string;
/** When the source was last changed, as Unix seconds: what is built of it twice is the same. */
export function sourceSeconds(): number;
export function isExecutable(path: string): boolean;
/** Paths only, nothing is started: whether a file is there, `isExecutable` tells. */
export function tools(): Tools;
