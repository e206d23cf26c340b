/**
 * Brings up whatever a bare Debian 12 with Node.js 20 lacks to build, run, demonstrate or test:
 *
 *   node scripts/ensure.mjs --for=build|run|package|demo|test|bench
 *
 * Asks for nothing, does nothing twice, and ends with exit code 1 and one message that names what
 * is missing and what to type when something cannot be had. Uses no npm package: it is what
 * installs them.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Unavailable, installPackages } from './debian.mjs';
import { needs } from './needs.mjs';
import { toolsFolder } from './tools.mjs';

function say(text) {
  process.stderr.write(`${text}\n`);
}

function missingFor(purpose) {
  return needs[purpose].filter((need) => !need.isPresent());
}

/** Packages that apt installs go in one call; everything else one after the other. */
function tasksFor(missing) {
  const installs = missing.filter((need) => need.packageName);
  const others = missing.filter((need) => need.provide);
  if (installs.length === 0) return others;
  const packages = installs.map((need) => need.packageName);
  return [
    { name: `Debian packages ${packages.join(', ')}`, provide: () => installPackages(packages) },
    ...others,
  ];
}

/** Tries everything, so that the user learns of all that is missing at once. */
function provideAll(purpose) {
  const failures = [];
  for (const { name, provide } of tasksFor(missingFor(purpose))) {
    say(`setting up ${name} …`);
    try {
      provide();
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      failures.push({ name, error });
    }
  }
  return failures;
}

function describeFailures(failures, purpose) {
  const again = `node scripts/ensure.mjs --for=${purpose}`;
  return [
    'ferryman cannot start yet. Missing:',
    ...failures.map(({ name, error }) => `  ${name}: ${error.message}`),
    'Is the network reachable? Type this, and start again:',
    ...new Set(failures.map(({ error }) => `  ${error.remedy ?? again}`)),
  ].join('\n');
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  throw new Unavailable(
    `Node.js is ${process.versions.node}, ferryman needs 20.19 or later`,
    'install Node.js 20.19 or later, from your distribution or from nodejs.org',
  );
}

/**
 * Makes everything for `purpose` ready. Returns at once when nothing is missing; else works in a
 * process of its own under a lock that the kernel lifts with the process, so two never interfere.
 * Throws Unavailable when something could not be had (the child has said what).
 */
export function ensure(purpose) {
  checkNode();
  if (missingFor(purpose).length === 0) return;
  mkdirSync(toolsFolder(), { recursive: true });
  const self = fileURLToPath(import.meta.url);
  const command = [process.execPath, self, `--for=${purpose}`, '--locked'];
  const lock = join(toolsFolder(), 'ensure.lock');
  const { status } = spawnSync('flock', [lock, ...command], { stdio: ['ignore', 2, 2] });
  if (status !== 0) throw new Unavailable('set-up did not complete');
}

function main(args) {
  const purpose = args.find((arg) => arg.startsWith('--for='))?.slice('--for='.length);
  if (!Object.hasOwn(needs, purpose ?? '')) {
    say('usage: node scripts/ensure.mjs --for=build|run|package|demo|test|bench');
    return 2;
  }
  if (!args.includes('--locked')) {
    try {
      ensure(purpose);
      return 0;
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      if (error.remedy) say(`${error.message}: ${error.remedy}`);
      return 1;
    }
  }
  const failures = provideAll(purpose);
  if (failures.length > 0) say(describeFailures(failures, purpose));
  return failures.length > 0 ? 1 : 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  process.exitCode = main(process.argv.slice(2));
