/** The files of the page as the build made them: within the bundle, or beside a checkout. */
import { readFile } from 'node:fs/promises';

export interface Assets {
  readonly document: string;
  readonly script: string;
  readonly style: string;
}

/** Throws when a checkout has not been built yet. */
export async function loadAssets(): Promise<Assets> {
  // The build puts them here (scripts/build.mjs); nothing else sets it.
  const embedded = process.env['FERRYMAN_PAGE_FILES'];
  return JSON.parse(embedded ?? (await readBuilt())) as Assets;
}

async function readBuilt(): Promise<string> {
  const path = new URL('../../.cache/page.json', import.meta.url);
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new Error('the page is not built yet: run npm run build', { cause });
  }
}
