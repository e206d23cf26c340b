// `npm test`: set-up, build, the gates of `npm run check`, then every scenario on real QEMU.
// `--full` runs all rows on both versions of QEMU. The last line is `N passed, N failed`.
import { spawn } from 'node:child_process';
import path from 'node:path';
import { check } from './check.mjs';

const root = path.resolve(import.meta.dirname, '..');
const mocha = path.join(root, 'node_modules/mocha/bin/mocha.js');

/** Runs a script of Node with its output shown as it comes; resolves to exit code and output. */
function run(nodeArguments, environment = {}) {
  const child = spawn(process.execPath, nodeArguments, {
    cwd: root,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const chunks = [];
  child.stdout.on('data', (chunk) => {
    process.stdout.write(chunk);
    chunks.push(chunk);
  });
  return new Promise((resolve) => {
    child.on('close', (code) => {
      resolve({ passed: code === 0, output: Buffer.concat(chunks).toString() });
    });
  });
}

/** What a step adds to the sum. A step that fails without a failing test is itself the failure. */
function tally({ passed, output = '' }) {
  const figure = (word) => Number(new RegExp(`^\\s+(\\d+) ${word}`, 'm').exec(output)?.[1] ?? 0);
  const failing = figure('failing');
  return {
    passed: figure('passing'),
    failed: passed ? failing : Math.max(failing, 1),
    skipped: figure('pending'),
  };
}

/** Everything after the set-up; later steps run even when earlier ones fail. */
async function runAll(isFull) {
  const outcomes = [await run(['scripts/build.mjs']), ...(await check({ isFresh: true }))];
  const system = [mocha, '--no-package', '--config', '.mocharc.system.json'];
  outcomes.push(await run(system, isFull ? { FERRYMAN_FULL: '1' } : {}));
  return outcomes;
}

/** One line, alone on it. */
function summary({ passed, failed, skipped }) {
  const skips = skipped > 0 ? `, ${skipped} skipped` : '';
  return `${passed} passed, ${failed} failed${skips}`;
}

const setUp = await run(['scripts/ensure.mjs', '--for=test']);
const outcomes = setUp.passed ? await runAll(process.argv.includes('--full')) : [setUp];
const total = outcomes.map(tally).reduce((sum, one) => ({
  passed: sum.passed + one.passed,
  failed: sum.failed + one.failed,
  skipped: sum.skipped + one.skipped,
}));
console.log(summary(total));
process.exitCode = total.failed === 0 ? 0 : 1;
