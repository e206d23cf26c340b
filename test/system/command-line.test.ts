/** The built command as scripts meet it: exit codes and messages. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createProgram } from '../../cli/program.ts';
import { projectRoot } from '../../scripts/tools.mjs';

const bundle = join(projectRoot, 'dist/ferryman.mjs');

function ferryman(...flags: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [bundle, ...flags], {
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
  });
  return { status, stdout, stderr };
}

describe('dist/ferryman.mjs', () => {
  let folder: string;
  let missing: string;
  const run = (...flags: readonly string[]) =>
    ferryman(
      ...['run', '--source-qmp', missing, '--destination-qmp', join(folder, 'other.qmp')],
      ...['--uri', 'tcp:127.0.0.1:4444', ...flags],
    );

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'ferryman-cli-'));
    missing = join(folder, 'missing.qmp');
    const build = spawnSync(process.execPath, [join(projectRoot, 'scripts/build.mjs')]);
    assert.equal(build.status, 0, build.stderr.toString());
  });
  after(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it('is a program of its own', () => {
    const { status, stdout } = spawnSync(bundle, ['--version'], { encoding: 'utf8' });
    assert.equal(status, 0);
    assert.match(stdout, /^\d+\.\d+\.\d+\n$/);
  });

  it('helps with every command', async () => {
    const { commands: all } = await createProgram(() => undefined);
    const commands = all.map((command) => command.name());
    assert.ok(commands.length > 15);
    for (const command of commands) {
      const { status, stdout } = ferryman(command, '--help');
      assert.equal(status, 0);
      assert.match(stdout, new RegExp(`^Usage: ferryman ${command}`));
    }
  });

  it('ends with 2 on an unknown option, command or value, and names it', () => {
    const cases = [
      { result: run('--bogus'), names: /--bogus/ },
      { result: ferryman('sail'), names: /sail/ },
      { result: run('--uri', 'exec:nc'), names: /--uri.*shell command/ },
      { result: run('--downtime-limit', 'short'), names: /--downtime-limit.*300ms/ },
      { result: ferryman('replay', missing), names: /missing\.qmp/ },
      { result: ferryman('list', '--nats', 'http://n'), names: /--nats: write nats:/ },
    ];
    for (const { result, names } of cases) {
      assert.equal(result.status, 2, result.stderr);
      assert.match(result.stderr, names);
      assert.equal(result.stdout, '');
    }
  });

  it('ends with 3 when a socket is missing, and says which and why', () => {
    const { status, stdout, stderr } = run('--json');
    assert.equal(status, 3);
    assert.match(stderr, /source cannot be reached.*missing\.qmp.*-qmp unix:/);
    const { message, ...error } = JSON.parse(stdout) as Record<string, unknown>;
    assert.deepEqual(error, { type: 'error', exitCode: 3 });
    assert.equal(stderr, `ferryman: ${String(message)}\n`);
  });

  it('refuses one socket for both sides', () => {
    const { status, stderr } = run('--destination-qmp', missing);
    assert.equal(status, 2);
    assert.match(stderr, /same socket/);
  });
});
