/**
 * Builds dist/ferryman.mjs, one executable file with everything in it but Node.js:
 *
 *   node scripts/build.mjs
 *
 * Does nothing when the sources are what they were at the last build.
 */
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  writeFileSync,
} from 'node:fs';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Unavailable } from './debian.mjs';
import { ensure } from './ensure.mjs';
import { buildPage } from './page.mjs';
import { buildProto } from './proto.mjs';
import { projectRoot } from './tools.mjs';

const inProject = (...parts) => join(projectRoot, ...parts);

const bundle = inProject('dist/ferryman.mjs');
const stamp = inProject('.cache/build.sha256');
const sourceFolders = ['agent', 'brain', 'cli', 'proto', 'shared'];
const singleSources = [
  'package.json',
  'package-lock.json',
  'scripts/build.mjs',
  'scripts/page.mjs',
];

/**
 * How Node.js is started where the bundle is run as a program. What an agent leaves behind each second
 * fills V8's smallest young generation, 1 MiB: with four it is collected a quarter as often.
 */
export const nodeFlags = '--min-semi-space-size=4';

/** Some packages are CommonJS and call require() for Node's own modules, which ESM does not have. */
const requireBanner = [
  `#!/usr/bin/env -S node ${nodeFlags}`,
  "import { createRequire as createFerrymanRequire } from 'node:module';",
  'const require = createFerrymanRequire(import.meta.url);',
].join('\n');

function filesIn(folder) {
  return readdirSync(inProject(folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(projectRoot, join(entry.parentPath, entry.name)))
    .filter((path) => !path.endsWith('.md'));
}

function hashOfSources() {
  const hash = createHash('sha256');
  for (const path of [...sourceFolders.flatMap(filesIn).sort(), ...singleSources]) {
    hash
      .update(path)
      .update('\0')
      .update(readFileSync(inProject(path)));
  }
  return hash.digest('hex');
}

async function writeBundle() {
  const { build } = await import('esbuild');
  const { version } = JSON.parse(readFileSync(inProject('package.json'), 'utf8'));
  await build({
    absWorkingDir: projectRoot,
    entryPoints: ['cli/main.ts'],
    outfile: bundle,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    sourcemap: true,
    keepNames: true,
    // Node.js holds the text in memory for as long as it runs; names stay for stack traces.
    minifySyntax: true,
    minifyWhitespace: true,
    banner: { js: requireBanner },
    define: {
      'process.env.FERRYMAN_VERSION': JSON.stringify(version),
      'process.env.FERRYMAN_PAGE_FILES': JSON.stringify(await buildPage()),
    },
    legalComments: 'none',
    logLevel: 'error',
  });
  chmodSync(bundle, 0o755);
}

/** Brings dist/ferryman.mjs up to date and returns its path. */
export async function buildBundle() {
  await buildProto();
  const hash = hashOfSources();
  if (existsSync(bundle) && existsSync(stamp) && readFileSync(stamp, 'utf8') === hash)
    return bundle;
  await writeBundle();
  mkdirSync(inProject('.cache'), { recursive: true });
  writeFileSync(stamp, hash);
  return bundle;
}

/** In a fresh clone: the npm packages, and nats-server for `ferryman run` where it can be had. */
function setUp() {
  ensure('build');
  try {
    ensure('run');
  } catch (error) {
    // It has said what is missing; the bundle can be built, and run with --nats, without it.
    if (!(error instanceof Unavailable)) throw error;
  }
}

async function main() {
  try {
    setUp();
    await buildBundle();
  } catch (error) {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main();
