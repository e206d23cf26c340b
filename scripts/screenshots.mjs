/**
 * Makes the pictures of the live page in docs/images anew, from recorded migrations:
 *
 *   node scripts/screenshots.mjs [FOLDER]
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { ensure } from './ensure.mjs';
import { buildPage } from './page.mjs';
import { buildProto } from './proto.mjs';
import { projectRoot } from './tools.mjs';

ensure('test');
await buildProto();
await buildPage();
const program = join(projectRoot, 'test/page/screenshots.ts');
const args = ['--import', 'tsx', program, ...process.argv.slice(2)];
const { status } = spawnSync(process.execPath, args, { cwd: projectRoot, stdio: 'inherit' });
process.exitCode = status ?? 1;
