/**
 * Writes the man pages into dist/man, made of the commands' own help:
 *
 *   node scripts/man.mjs
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { register } from 'tsx/esm/api';
import { projectRoot } from './tools.mjs';

/** A page that is built twice from one source is the same: the date is that of the source. */
function sourceDate() {
  const seconds = process.env.SOURCE_DATE_EPOCH ?? lastCommitSeconds();
  return new Date(Number(seconds) * 1000).toISOString().slice(0, 10);
}

function lastCommitSeconds() {
  try {
    return execFileSync('git', ['log', '-1', '--format=%ct'], { cwd: projectRoot }).toString();
  } catch {
    return Date.now() / 1000;
  }
}

register();
const { createProgram } = await import('../cli/program.ts');
const { manPages } = await import('../cli/man.ts');
const { version } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8'));
const folder = join(projectRoot, 'dist/man');
mkdirSync(folder, { recursive: true });
for (const { fileName, text } of manPages(
  createProgram(() => undefined),
  version,
  sourceDate(),
)) {
  writeFileSync(join(folder, fileName), text);
}
