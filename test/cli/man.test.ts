import assert from 'node:assert/strict';
import { manPages } from '../../cli/man.ts';
import { createProgram } from '../../cli/program.ts';

const program = await createProgram(() => undefined);

describe('cli/man', () => {
  const pages = manPages(program, '1.2.3', '2026-11-23');
  const pageOf = (name: string) => pages.find(({ fileName }) => fileName === name)?.text ?? '';

  it('has a page for ferryman and for each command, with all its options', () => {
    assert.equal(pages.length, program.commands.length + 1);
    for (const command of program.commands) {
      const page = pageOf(`ferryman-${command.name()}.1`);
      for (const { long } of command.options) {
        assert.ok(page.includes(String(long).replaceAll('-', '\\-')), `${command.name()} ${long}`);
      }
      assert.match(page, /^\.SH EXIT STATUS$/m);
    }
    assert.match(pageOf('ferryman.1'), /ferryman\\-migrate/);
  });

  it('begins with the title, and lets no text be a macro', () => {
    for (const { text } of pages) {
      assert.match(text, /^\.TH FERRYMAN[A-Z-]* 1 "2026-11-23" "ferryman 1\.2\.3"/);
      for (const line of text.split('\n').filter((each) => each.startsWith('.'))) {
        assert.match(line, /^\.(TH|SH|TP)\b/);
      }
    }
  });

  it('says exactly what a hold means', () => {
    assert.match(
      pageOf('ferryman-hold.1'),
      /DESCRIPTION\n.*no longer held back.*deadline still holds/,
    );
  });
});
