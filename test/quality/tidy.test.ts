import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..');
const rooms = ['agent', 'brain', 'cli', 'proto', 'scripts', 'shared', 'test'];
const isSource = /\.(ts|mjs|js|proto)$/;
const isMade = /(^|\/)(generated|node_modules)\//;

/** All files of the house, by path from its root. */
const files = rooms.flatMap((room) =>
  readdirSync(join(root, room), { recursive: true, encoding: 'utf8' })
    .map((file) => join(room, file))
    .filter((file) => isSource.test(file) && !isMade.test(file)),
);

const textOf = (file: string) => readFileSync(join(root, file), 'utf8');
const among = (pattern: RegExp) => files.filter((file) => pattern.test(file));

/** The lines of `file` that are meant, as `file:line text`. */
function linesWhere(
  file: string,
  isMeant: (line: string, index: number, lines: readonly string[]) => boolean,
): string[] {
  return textOf(file)
    .split('\n')
    .flatMap((line, index, lines) =>
      isMeant(line, index, lines) ? [`${file}:${index + 1} ${line.trim()}`] : [],
    );
}

function expectNone(found: readonly string[]): void {
  assert.ok(found.length === 0, `found:\n${found.join('\n')}`);
}

/** Where a newcomer adds one file and one line, and what such a file exports. */
const lists: readonly (readonly [folder: string, exports: RegExp])[] = [
  ['brain/core/methods', /^export const \w+: Method\b/m],
  ['brain/core/policies', /^export const \w+: Policy\b/m],
  ['agent/collectors', /^export (function|const) create\w+Collector\b/m],
];

describe('quality/tidy', () => {
  for (const room of [...rooms, 'deploy', 'brain/core', 'agent/collectors']) {
    it(`${room} says in a README what it is for`, () => {
      assert.ok(existsSync(join(root, room, 'README.md')), `write ${room}/README.md`);
    });
  }

  for (const [folder, exports] of lists) {
    it(`every file of ${folder} is in its list`, () => {
      const list = textOf(`${folder}/index.ts`);
      const members = files.filter(
        (file) => dirname(file) === folder && exports.test(textOf(file)),
      );
      assert.ok(members.length > 0);
      const missing = members.filter((file) => !list.includes(`'./${basename(file)}'`));
      expectNone(missing);
    });

    it(`every file of ${folder} has a test below test/${folder}`, () => {
      const members = files.filter(
        (file) => dirname(file) === folder && exports.test(textOf(file)),
      );
      const tests = among(new RegExp(`^test/${folder}/.*\\.test\\.ts$`))
        .map(textOf)
        .join('\n');
      const untested = members.filter((file) => !tests.includes(`/${folder}/${basename(file)}'`));
      expectNone(untested);
    });
  }

  it('no file has more than 250 lines', () => {
    const long = files.filter((file) => textOf(file).trimEnd().split('\n').length > 250);
    expectNone(long);
  });

  it('nothing is left for later, and no test is left out', () => {
    const later = new RegExp(`\\b(${['TO' + 'DO', 'FIX' + 'ME'].join('|')})\\b`);
    const leftOut = /\b(it|describe|context)\.(only|skip)\(/;
    const found = files.flatMap((file) =>
      linesWhere(file, (line) => later.test(line) || leftOut.test(line)),
    );
    expectNone(found);
  });

  it('every exported function and class says what it does', () => {
    const found = among(/^(shared|agent|brain|cli)\/.*\.ts$/).flatMap((file) => {
      const undocumented = linesWhere(file, isUndocumented);
      // The comment at the head of a file speaks for the only function in it.
      const headSpeaks = textOf(file).startsWith('/**') && exportsOf(file) === 1;
      return headSpeaks ? [] : undocumented;
    });
    expectNone(found);
  });
});

const isExported = /^export (async )?(function|class) /;

function exportsOf(file: string): number {
  return linesWhere(file, (line) => isExported.test(line)).length;
}

function isUndocumented(line: string, index: number, lines: readonly string[]): boolean {
  const before = lines[index - 1] ?? '';
  return isExported.test(line) && !before.trimEnd().endsWith('*/');
}
