import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { nkeys } from 'nats';
import { nkeyCommand } from '../../cli/commands/nkey.ts';
import { natsUser, parts, type Part } from '../../cli/nats-users.ts';
import { projectRoot } from '../../scripts/tools.mjs';

describe('cli/nats-users', () => {
  it('is what deploy/nats shows', () => {
    const example = readFileSync(join(projectRoot, 'deploy/nats/users.conf'), 'utf8');
    const shown = [...example.matchAll(/^ {2}# (\w+) (\S+)\n {2}\{\n {4}nkey: (U\w+)$/gm)];
    assert.deepEqual(new Set(shown.map(([, part]) => part)), new Set(parts));
    for (const [, part, id = '', key = ''] of shown) {
      assert.ok(example.includes(natsUser(part as Part, id, key)), `${part} ${id}`);
    }
  });

  it('takes no name that would reach into the subjects of others', () => {
    for (const id of ['*', '>', 'a b', 'a"', '']) assert.throws(() => natsUser('agent', id, 'U'));
    assert.match(
      natsUser('agent', 'Host-1.example', 'U'),
      /"ferryman\.v1\.tel\.host-1_example\.>"/,
    );
  });
});

describe('ferryman nkey', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ferryman-nkey-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  /** Runs the command; what it printed. */
  const run = async (...words: string[]): Promise<string> => {
    const { write } = process.stdout;
    let printed = '';
    process.stdout.write = (text) => (printed += String(text)) !== '';
    const program = new Command().addCommand(nkeyCommand(() => undefined));
    await program.parseAsync(['nkey', ...words], { from: 'user' }).finally(() => {
      process.stdout.write = write;
    });
    return printed;
  };

  it('prints the user of the seed that it keeps for its owner alone', async () => {
    const file = join(folder, 'seed');
    const printed = await run('agent', 'host-1', '--seed-file', file);
    const pair = nkeys.fromSeed(new TextEncoder().encode(readFileSync(file, 'utf8').trim()));
    assert.equal(printed, natsUser('agent', 'host-1', pair.getPublicKey()));
    assert.equal(statSync(file).mode & 0o777, 0o600);
  });

  it('never replaces a seed', async () => {
    const file = join(folder, 'seed');
    await run('brain', 'brain-1', '--seed-file', file);
    const before = readFileSync(file, 'utf8');
    await assert.rejects(run('brain', 'brain-1', '--seed-file', file), /EEXIST/);
    assert.equal(readFileSync(file, 'utf8'), before);
  });
});
