// Who may import whom, and what the core may touch: the rules that keep the house in order.
//
//   proto -> shared -> agent | brain -> cli        brain/core: brain/core and types of shared, no more
//
// test/quality/import-rules.test.ts plants an offence against each of them.

const isolation = '@typescript-eslint/no-restricted-imports';

/** Forbids imports that lead into the given rooms. */
function rooms(names, message) {
  return { regex: `^\\.\\.?/(.*/)?(${names.join('|')})/`, message };
}

const noTest = rooms(['test', 'scripts', 'dist'], 'Only tests import tests and scripts.');
const noGenerated = rooms(['proto/generated'], 'Only shared/codec.ts imports generated code.');

function room(folder, patterns) {
  return {
    files: [`${folder}/**/*.ts`],
    rules: { [isolation]: ['error', { patterns: [noTest, noGenerated, ...patterns] }] },
  };
}

/** The core at one depth of folders: what `../` may still reach differs. */
function core(depth) {
  const folder = `brain/core/${'*/'.repeat(depth)}`;
  const leaving = `^${'\\.\\./'.repeat(depth + 1)}(?!\\.\\./shared/)`;
  return {
    files: [`${folder}*.ts`],
    rules: {
      [isolation]: [
        'error',
        {
          patterns: [
            { regex: '^[^.]', message: 'The core imports no package, not even of Node.' },
            { regex: leaving, message: 'The core imports the core and types of shared.' },
            {
              ...rooms(['shared'], 'The core imports only types of shared.'),
              allowTypeImports: true,
            },
            rooms(['agent', 'cli', 'test', 'scripts'], 'The core imports nothing from there.'),
          ],
        },
      ],
    },
  };
}

const impureGlobals = [
  'Date',
  'performance',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'queueMicrotask',
  'console',
  'process',
  'crypto',
  'fetch',
  'globalThis',
  'global',
  'require',
];

const purity = {
  files: ['brain/core/**/*.ts'],
  rules: {
    'no-restricted-globals': [
      'error',
      ...impureGlobals.map((name) => ({
        name,
        message: 'The core is pure: what it knows comes as an input.',
      })),
    ],
    'no-restricted-properties': [
      'error',
      { object: 'Math', property: 'random', message: 'The core is pure: no chance.' },
    ],
  },
};

const syntax = [
  {
    selector: 'ExportDefaultDeclaration, ExportSpecifier[exported.name="default"]',
    message: 'Export by name.',
  },
  {
    selector: 'Identifier[name=/(Ms|Bps|Mbps|Sec|MB)$/]:not(MemberExpression > .property)',
    message: 'Write the unit in full: Milliseconds, BytesPerSecond, Seconds, Bytes.',
  },
];

/** Late imports are not seen by the rules that keep the rooms apart. */
const lateImport = {
  selector: 'ImportExpression',
  message: 'Only the command line loads a part when it is asked for.',
};

export const architecture = [
  { files: ['**/*.ts'], rules: { 'no-restricted-syntax': ['error', ...syntax] } },
  room('shared', [
    rooms(['agent', 'brain', 'cli'], 'shared imports neither agent, brain nor cli.'),
  ]),
  room('agent', [rooms(['brain', 'cli'], 'agent imports neither brain nor cli.')]),
  room('brain', [rooms(['agent', 'cli'], 'brain imports neither agent nor cli.')]),
  room('cli', []),
  {
    files: ['shared/codec.ts'],
    rules: { [isolation]: ['error', { patterns: [noTest] }] },
  },
  core(0),
  core(1),
  core(2),
  purity,
  {
    files: ['agent/**/*.ts', 'brain/**/*.ts', 'shared/**/*.ts'],
    rules: { 'no-restricted-syntax': ['error', ...syntax, lateImport] },
  },
];
