/**
 * Writes the man pages into dist/man, made of the commands' own help:
 *
 *   node scripts/man.mjs
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { register } from 'tsx/esm/api';
import { projectRoot, sourceSeconds } from './tools.mjs';

register();
const { createProgram } = await import('../cli/program.ts');
const { manPages } = await import('../cli/man.ts');
const { version } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8'));
/** A page that is built twice from one source is the same. */
const date = new Date(sourceSeconds() * 1000).toISOString().slice(0, 10);
const folder = join(projectRoot, 'dist/man');
mkdirSync(folder, { recursive: true });
for (const { fileName, text } of manPages(await createProgram(() => undefined), version, date)) {
  writeFileSync(join(folder, fileName), text);
}
