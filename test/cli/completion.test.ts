import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { completionScript, shells } from '../../cli/completion.ts';
import { createProgram } from '../../cli/program.ts';

const program = await createProgram(() => undefined);

/** What bash would offer for the last of these words. */
function offered(...words: readonly string[]): readonly string[] {
  const last = words.at(-1) ?? '';
  const script = `${completionScript(program, 'bash')}
COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}
_ferryman ferryman '${last}'; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return execFileSync('bash', ['-c', script], { encoding: 'utf8' }).trim().split('\n');
}

describe('cli/completion', () => {
  it('offers commands, then their options, in a real bash', () => {
    assert.deepEqual(offered('ferryman', 'mi'), ['migrate']);
    assert.deepEqual(offered('ferryman', 'migrate', '--sh'), ['--shared-storage']);
    assert.deepEqual(offered('ferryman', 'doctor', 'web'), ['']);
  });

  it('knows every command and option in every shell', () => {
    for (const shell of shells) {
      const script = completionScript(program, shell);
      for (const command of program.commands) {
        assert.ok(script.includes(command.name()), `${shell}: ${command.name()}`);
        for (const { long } of command.options) {
          const flag = shell === 'fish' ? `-l ${long?.slice(2)}` : String(long);
          assert.ok(script.includes(flag), `${shell}: ${long}`);
        }
      }
    }
  });

  it('lets no text of ours end a quotation', () => {
    for (const shell of ['zsh', 'fish'] as const) {
      for (const line of completionScript(program, shell).split('\n')) {
        assert.equal((line.match(/'/g)?.length ?? 0) % 2, 0, line);
      }
    }
  });
});
