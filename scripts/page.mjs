/**
 * Builds the live page (brain/page/client) into one JSON of three texts: document, script, style.
 * `npm run build` puts it into the bundle; a checkout reads .cache/page.json.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from './tools.mjs';

const client = join(projectRoot, 'brain/page/client');

/** The page as text, which is also in .cache/page.json then. */
export async function buildPage() {
  const { build } = await import('esbuild');
  const { outputFiles } = await build({
    absWorkingDir: projectRoot,
    entryPoints: [join(client, 'main.ts'), join(client, 'style.css')],
    outdir: 'page',
    write: false,
    bundle: true,
    minify: true,
    format: 'iife',
    target: 'es2022',
    legalComments: 'none',
    logLevel: 'error',
  });
  const textOf = (ending) => outputFiles.find(({ path }) => path.endsWith(ending)).text;
  const page = JSON.stringify({
    document: readFileSync(join(client, 'index.html'), 'utf8'),
    script: textOf('.js'),
    style: textOf('.css'),
  });
  const made = join(projectRoot, '.cache/page.json');
  mkdirSync(join(projectRoot, '.cache'), { recursive: true });
  // Somebody may be reading the old one.
  writeFileSync(`${made}.${process.pid}`, page);
  renameSync(`${made}.${process.pid}`, made);
  return page;
}
