/** The copyright files of the packages. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from './tools.mjs';

const apache = `On Debian systems the complete text of the Apache License 2.0 is in
/usr/share/common-licenses/Apache-2.0.`;

/** Of what we wrote. */
export const ourCopyright = `ferryman

Copyright 2026 The ferryman authors
License: Apache-2.0

${apache}
`;

const others =
  '/usr/share/ferryman/ferryman.mjs holds, in one file with it, code of these npm packages.';

/** The same with what the bundle may hold of others; needs node_modules. */
export function bundleCopyright() {
  const lock = JSON.parse(readFileSync(join(projectRoot, 'package-lock.json'), 'utf8'));
  const bundled = Object.entries(lock.packages).filter(([path, { dev }]) => path !== '' && !dev);
  const notices = [others, ...bundled.map(noticeOf)].join(`\n\n${'-'.repeat(78)}\n\n`);
  return `${ourCopyright}\n${notices}\n`;
}

function noticeOf([path, { version, license }]) {
  const name = path.replace('node_modules/', '');
  const texts = license === 'Apache-2.0' ? [apache, ...textsOf(path, /^notice/i)] : [];
  const own = texts.length > 0 ? texts : textsOf(path, /^(licen[cs]e|copying|notice)/i);
  return [`${name} ${version}\nLicense: ${license}`, ...own].join('\n\n');
}

function textsOf(path, names) {
  return readdirSync(join(projectRoot, path))
    .filter((name) => names.test(name))
    .map((name) => readFileSync(join(projectRoot, path, name), 'utf8').trim());
}
