/**
 * Sets up what is missing, builds, and measures on real QEMU:
 *
 *   node scripts/bench.mjs policies|agent [flags]
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { buildBundle } from './build.mjs';
import { projectRoot } from './tools.mjs';

/** Runs Node.js on our terminal; returns its exit code, 1 when a signal ended it. */
function runNode(...args) {
  return spawnSync(process.execPath, args, { cwd: projectRoot, stdio: 'inherit' }).status ?? 1;
}

async function bench(words) {
  const setUp = runNode(join(projectRoot, 'scripts/ensure.mjs'), '--for=bench');
  if (setUp !== 0) return setUp;
  const ferryman = await buildBundle();
  return runNode('--import', 'tsx', join(projectRoot, 'test/bench/main.ts'), ferryman, ...words);
}

// Ctrl-C is for the bench itself, which then puts everything away; this process waits for it.
process.on('SIGINT', () => undefined);
process.exitCode = await bench(process.argv.slice(2));
