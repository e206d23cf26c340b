/**
 * Builds the Debian packages into dist/deb, and says how exposed their services are:
 *
 *   node scripts/package.mjs [--version VERSION]
 *
 * The same sources make the same files, byte for byte, with the same release of debhelper.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync } from 'node:fs';
import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { buildBundle, nodeFlags } from './build.mjs';
import { ensure } from './ensure.mjs';
import { exposures } from './exposure.mjs';
import { bundleCopyright, ourCopyright } from './licenses.mjs';
import { projectRoot, sourceSeconds } from './tools.mjs';

const inProject = (...parts) => join(projectRoot, ...parts);

export const packageFolder = inProject('dist/deb');

const completions = { bash: 'ferryman', zsh: '_ferryman', fish: 'ferryman.fish' };

/** The tree that debhelper packs: everything is in it, nothing is compiled any more. */
async function layOut(tree, version) {
  const bundle = await buildBundle();
  execFileSync(process.execPath, [inProject('scripts/man.mjs')]);
  for (const path of ['CHANGELOG.md', 'README.md', 'deploy', 'dist/man', 'docs'])
    cpSync(inProject(path), join(tree, path), { recursive: true });
  cpSync(inProject('deploy/debian'), join(tree, 'debian'), { recursive: true });
  mkdirSync(join(tree, 'dist/completion'));
  for (const [shell, name] of Object.entries(completions)) {
    const script = execFileSync(process.execPath, [bundle, 'completion', shell]);
    writeFileSync(join(tree, 'dist/completion', name), script);
  }
  const program = asInstalled(readFileSync(bundle, 'utf8'));
  writeFileSync(join(tree, 'dist/ferryman.mjs'), program, { mode: 0o755 });
  writeFileSync(join(tree, 'debian/copyright'), ourCopyright);
  writeFileSync(join(tree, 'debian/ferryman.copyright'), bundleCopyright());
  writeFileSync(join(tree, 'debian/changelog'), changelog(version));
}

/** Debian's own Node.js, whatever else is in PATH; the source map stays behind. */
function asInstalled(bundle) {
  return bundle
    .replace(/^#!.*/, `#!/usr/bin/node ${nodeFlags}`)
    .replace(/\n\/\/# sourceMappingURL=.*\n*$/, '\n');
}

function changelog(version) {
  const date = new Date(sourceSeconds() * 1000).toUTCString().replace('GMT', '+0000');
  const maintainer = /^Maintainer: (.*)$/m.exec(
    readFileSync(inProject('deploy/debian/control'), 'utf8'),
  )?.[1];
  return `ferryman (${version}) trixie; urgency=medium

  * What changed: /usr/share/doc/ferryman/CHANGELOG.md.

 -- ${maintainer}  ${date}
`;
}

function build(tree) {
  const { status, stdout, stderr } = spawnSync('dpkg-buildpackage', ['-b', '-us', '-uc', '-d'], {
    cwd: tree,
    encoding: 'utf8',
    env: {
      PATH: process.env.PATH,
      HOME: '/nonexistent',
      LC_ALL: 'C.UTF-8',
      TZ: 'UTC',
      SOURCE_DATE_EPOCH: String(sourceSeconds()),
    },
  });
  if (status !== 0) throw new Error(`dpkg-buildpackage failed:\n${stdout}${stderr}`);
}

/** Builds the packages and returns their paths; `version` is that of package.json by default. */
export async function buildPackages({ version, target = packageFolder } = {}) {
  ensure('package');
  const ours = JSON.parse(readFileSync(inProject('package.json'), 'utf8')).version;
  const work = mkdtempSync(join(tmpdir(), 'ferryman-package-'));
  try {
    const tree = join(work, 'ferryman');
    mkdirSync(tree);
    await layOut(tree, version ?? ours);
    build(tree);
    rmSync(target, { recursive: true, force: true });
    mkdirSync(target, { recursive: true });
    return readdirSync(work)
      .filter((name) => name.endsWith('.deb'))
      .map((name) => {
        cpSync(join(work, name), join(target, name));
        return join(target, name);
      });
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

async function main() {
  const { values } = parseArgs({ options: { version: { type: 'string' } } });
  try {
    for (const path of await buildPackages(values)) {
      const hash = createHash('sha256').update(readFileSync(path)).digest('hex');
      console.log(`${hash}  ${path}`);
    }
    for (const { profile, exposure } of exposures())
      console.log(`exposure of ${profile}: ${exposure ?? 'systemd-analyze cannot tell here'}`);
  } catch (error) {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main();
