import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync } from 'node:fs';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isExecutable, projectRoot, tools } from '../../../scripts/tools.mjs';

/** Linux with redis, of which random keys are set, with values like records of a web shop. */
export interface LinuxGuest {
  readonly memoryMebibytes: number;
  /** Of a kilobyte each; a power of two. */
  readonly keys: number;
  /** What the guest cannot do in time it leaves undone. */
  readonly setsPerSecond: number;
}

export interface LinuxImage {
  /** What makes QEMU start it. */
  readonly bootArguments: readonly string[];
  /** Where what was made of this guest is kept from one run to the next. */
  readonly cacheFolder: string;
}

const tickMilliseconds = 10;
const here = fileURLToPath(new URL('.', import.meta.url));
const cacheRoot = join(projectRoot, '.cache/linux-guest');
const remedy = 'run: node scripts/ensure.mjs --for=bench';

/**
 * The page of the report is left alone by the kernel. No clock is asked for but the one that moves
 * with the guest, and pages are as small as those that a migration counts, as redis advises.
 */
const kernelWords =
  'console=ttyS0 memmap=4K$0x8000 nokaslr mitigations=off tsc=reliable transparent_hugepage=never';
/** Of the packages as they lie unpacked; the folders that redis does not need are left out. */
const wanted = ['bin/busybox', 'lib/x86_64-linux-gnu', 'lib64', 'usr/lib/x86_64-linux-gnu'];
const programs = ['usr/bin/redis-server', 'usr/bin/redis-check-rdb'];
const needless = ['gconv', 'engines-3', 'ossl-modules'];

/** Makes the initial file system of the guest, once. Throws when its packages are not there. */
export function buildLinux(guest: LinuxGuest): LinuxImage {
  const root = tools().linuxRoot;
  if (!isExecutable(join(root, 'bin/busybox'))) throw new Error(`no Linux at ${root}; ${remedy}`);
  const kernel = join(root, 'boot', kernelOf(root));
  const load = assembleLoad(guest);
  const init = readFileSync(join(here, 'init'));
  const identity = [kernel, kernelWords, String(guest.memoryMebibytes), init, load];
  const hash = createHash('sha256');
  for (const part of identity) hash.update(part);
  const cacheFolder = join(cacheRoot, hash.digest('hex').slice(0, 16));
  const imagePath = join(cacheFolder, 'initramfs');
  if (!existsSync(imagePath)) {
    mkdirSync(cacheFolder, { recursive: true });
    pack(root, { init, load }, imagePath);
  }
  const words = ['-kernel', kernel, '-initrd', imagePath, '-append', kernelWords];
  return { bootArguments: words, cacheFolder };
}

/** The oldest, which is the distribution's own: backports may have brought a newer one with it. */
function kernelOf(root: string): string {
  const kernels = readdirSync(join(root, 'boot')).filter((name) => name.startsWith('vmlinuz-'));
  const [oldest] = kernels.sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  if (oldest === undefined) throw new Error(`no kernel in ${root}; ${remedy}`);
  return oldest;
}

function assembleLoad({ keys, setsPerSecond }: LinuxGuest): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'ferryman-load-'));
  const path = join(folder, 'load');
  const definitions = {
    KEYS: keys,
    REQUESTS_PER_TICK: Math.round((setsPerSecond * tickMilliseconds) / 1000),
    TICK_NANOSECONDS: tickMilliseconds * 1e6,
  };
  const defines = Object.entries(definitions).map(([name, value]) => `-D${name}=${value}`);
  try {
    execFileSync(tools().nasm, ['-f', 'bin', ...defines, '-o', path, join(here, 'load.asm')]);
    return readFileSync(path);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Packs `own` programs and what they need of the packages; complete, or not there. */
function pack(root: string, own: Readonly<Record<string, Buffer>>, imagePath: string): void {
  const stage = mkdtempSync(join(tmpdir(), 'ferryman-linux-'));
  try {
    for (const path of [...wanted, ...programs])
      cpSync(join(root, path), join(stage, path), {
        recursive: true,
        verbatimSymlinks: true,
        filter: (source) => !needless.some((name) => source.endsWith(`/${name}`)),
      });
    for (const [name, content] of Object.entries(own))
      writeFileSync(join(stage, name), content, { mode: 0o755 });
    mkdirSync(join(stage, 'dev'));
    const names = readdirSync(stage, { recursive: true, encoding: 'utf8' }).sort();
    const archive = execFileSync(join(root, 'bin/busybox'), ['cpio', '-o', '-H', 'newc'], {
      cwd: stage,
      input: names.join('\n'),
      maxBuffer: 2 ** 28,
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    const path = `${imagePath}.${process.pid}`;
    writeFileSync(path, archive);
    renameSync(path, imagePath);
  } finally {
    rmSync(stage, { recursive: true });
  }
}
