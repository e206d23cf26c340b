// `npm run check`: types, lint, format and unit tests at once. Quiet where all is well; what fails is
// shown in full. `--ci` lints without cache: a cached verdict does not see a type that changed elsewhere.
import { spawn } from 'node:child_process';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildProto } from './proto.mjs';

const root = path.resolve(import.meta.dirname, '..');
const inModules = (program) => path.join(root, 'node_modules', program);

const mocha = [inModules('mocha/bin/mocha.js'), '--reporter=dot'];

/** Tests that compute, and two lots of tests that mostly wait for sockets and processes, side by side. */
const computing = ['brain/core/**/', 'quality/', 'simulator/', ''].map(
  (folder) => `test/${folder}*.test.ts`,
);

const agent = 'test/agent/**/*.test.ts';

const gates = (isFresh) => [
  {
    name: 'types',
    command: [
      inModules('typescript/bin/tsc'),
      '--project',
      root,
      '--incremental',
      '--tsBuildInfoFile',
      '.cache/types.json',
    ],
  },
  {
    name: 'page types',
    command: [
      inModules('typescript/bin/tsc'),
      '--project',
      path.join(root, 'brain/page/client'),
      '--incremental',
      '--tsBuildInfoFile',
      path.join(root, '.cache/page-types.json'),
    ],
  },
  {
    name: 'lint',
    command: [
      inModules('eslint/bin/eslint.js'),
      '.',
      '--max-warnings=0',
      ...(isFresh ? [] : ['--cache', '--cache-location=.cache/lint.json']),
    ],
  },
  {
    name: 'format',
    command: [
      inModules('prettier/bin/prettier.cjs'),
      '--check',
      '.',
      '--log-level=warn',
      '--cache',
      '--cache-location=.cache/format.json',
    ],
  },
  { name: 'core', command: [...mocha, ...computing] },
  { name: 'agent', command: [...mocha, agent] },
  {
    name: 'others',
    command: [...mocha, ...[...computing, agent].flatMap((tests) => ['--ignore', tests])],
  },
];

/** Runs one gate and tells how it went. */
function run({ name, command }) {
  const startedAt = performance.now();
  const child = spawn(process.execPath, command, { cwd: root });
  const chunks = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => chunks.push(data));
  return new Promise((resolve) => {
    child.on('close', (code) => {
      const output = Buffer.concat(chunks).toString();
      const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
      console.log(`${code === 0 ? 'ok    ' : 'FAILED'} ${name} (${seconds} s)`);
      if (code !== 0) console.log(output);
      resolve({ name, passed: code === 0, output });
    });
  });
}

/** All gates at once; their outcomes with their output. */
export async function check({ isFresh = false } = {}) {
  await buildProto();
  return Promise.all(gates(isFresh).map(run));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const outcomes = await check({ isFresh: process.argv.includes('--ci') });
  process.exitCode = outcomes.every(({ passed }) => passed) ? 0 : 1;
}
