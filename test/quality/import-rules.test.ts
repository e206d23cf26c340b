import assert from 'node:assert/strict';
import { ESLint } from 'eslint';
import tseslint from 'typescript-eslint';

/** The rules that eslint.architecture.js sets; the others, and the types they need, stay away. */
const architectural = new Set([
  '@typescript-eslint/no-restricted-imports',
  'no-restricted-globals',
  'no-restricted-properties',
  'no-restricted-syntax',
]);

const eslint = new ESLint({
  overrideConfig: [{ files: ['**/*.ts'], ...tseslint.configs.disableTypeChecked }],
  ruleFilter: ({ ruleId }) => architectural.has(ruleId),
});

async function complaints(filePath: string, code: string): Promise<string[]> {
  const [result] = await eslint.lintText(`${code}\n`, { filePath });
  return (result?.messages ?? []).map(({ ruleId, message }) => `${ruleId ?? 'fatal'}: ${message}`);
}

const inCore = 'brain/core/planted.ts';
const inMethods = 'brain/core/methods/planted.ts';
const inPeers = 'brain/core/policies/peers/planted.ts';

/** An offence, and what the complaint must say. */
const offences: readonly (readonly [file: string, code: string, complaint: RegExp])[] = [
  ['shared/planted.ts', `import '../agent/agent.ts';`, /shared imports neither/],
  ['shared/codec/planted.ts', `import '../../brain/service.ts';`, /shared imports neither/],
  ['shared/planted.ts', `export * from '../cli/main.ts';`, /shared imports neither/],
  ['shared/log.ts', `import '../proto/generated/ferryman.js';`, /Only shared\/codec/],
  ['agent/planted.ts', `import '../brain/service.ts';`, /agent imports neither/],
  ['agent/qemu/planted.ts', `import type { A } from '../../brain/a.ts';`, /agent imports neither/],
  ['agent/planted.ts', `import '../cli/main.ts';`, /agent imports neither/],
  ['agent/planted.ts', `import '../proto/generated/ferryman.js';`, /Only shared\/codec/],
  ['brain/planted.ts', `import '../agent/agent.ts';`, /brain imports neither/],
  ['brain/history/planted.ts', `import '../../cli/main.ts';`, /brain imports neither/],
  ['shared/planted.ts', `import '../test/shared/codec/messages.ts';`, /Only tests import tests/],
  ['agent/planted.ts', `import '../test/fakes/qmp.ts';`, /Only tests import tests/],
  ['brain/planted.ts', `import '../scripts/tools.mjs';`, /Only tests import tests/],
  ['cli/planted.ts', `import '../test/rig/pair.ts';`, /Only tests import tests/],
  [inCore, `import 'node:fs';`, /imports no package/],
  [inCore, `import type { Server } from 'node:net';`, /imports no package/],
  [inMethods, `import * as z from 'zod';`, /imports no package/],
  [inCore, `import { families } from '../../shared/sample.ts';`, /only types of shared/],
  [inMethods, `import { families } from '../../../shared/sample.ts';`, /only types of shared/],
  [inPeers, `import { families } from '../../../../shared/sample.ts';`, /only types of shared/],
  [inCore, `import '../service.ts';`, /imports the core and types/],
  [inMethods, `import type { Brain } from '../../service.ts';`, /imports the core and types/],
  [inPeers, `import '../../../service.ts';`, /imports the core and types/],
  [inCore, `import '../../agent/agent.ts';`, /imports the core and types|nothing from there/],
  [inCore, `export const late = () => import('./reduce.ts');`, /Only the command line/],
  ['agent/planted.ts', `export const late = () => import('../brain/a.ts');`, /Only the command/],
  ...[
    'Date.now()',
    'new Date()',
    'performance.now()',
    'setTimeout(() => 1, 1)',
    'setInterval(() => 1, 1)',
    'setImmediate(() => 1)',
    'queueMicrotask(() => 1)',
    'console.log(1)',
    'process.pid',
    'crypto.randomUUID()',
    `fetch('http://h')`,
    'globalThis.Date.now()',
    'Math.random()',
  ].map((impure) => [inMethods, `export const planted = ${impure};`, /The core is pure/] as const),
  ['agent/planted.ts', 'export default 1;', /Export by name/],
  ['agent/planted.ts', 'const one = 1; export { one as default };', /Export by name/],
  ...['waitMs', 'linkBps', 'linkMbps', 'waitSec', 'cacheMB'].map(
    (name) => ['shared/planted.ts', `export const ${name} = 1;`, /unit in full/] as const,
  ),
  ['shared/planted.ts', 'export interface A { totalMs: number }', /unit in full/],
];

/** What the rules must leave alone. */
const lawful: readonly (readonly [file: string, code: string])[] = [
  ['cli/planted.ts', `export const late = () => import('../brain/service.ts');`],
  ['shared/codec.ts', `import { ferryman } from '../proto/generated/ferryman.js';`],
  ['agent/planted.ts', `import { systemClock } from '../shared/clock.ts'; import 'node:fs';`],
  ['brain/planted.ts', `import { reduce } from './core/reduce.ts';`],
  ['cli/planted.ts', `import '../agent/agent.ts'; import '../brain/service.ts';`],
  [inCore, `import type { Family } from '../../shared/sample.ts'; import './link.ts';`],
  [inMethods, `import '../link.ts'; import './index.ts';`],
  [inPeers, `import '../../link.ts'; import type { A } from '../../../../shared/sample.ts';`],
  // What another library calls its own is its matter.
  ['agent/planted.ts', `import { statSync } from 'node:fs'; statSync('/').mtimeMs;`],
];

describe('quality/import-rules', () => {
  for (const [file, code, complaint] of offences) {
    it(`refuses in ${file}: ${code}`, async () => {
      assert.match((await complaints(file, code)).join('\n'), complaint);
    });
  }

  for (const [file, code] of lawful) {
    it(`leaves alone in ${file}: ${code}`, async () => {
      assert.deepEqual(await complaints(file, code), []);
    });
  }
});
