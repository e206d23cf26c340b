#!/usr/bin/env node
/**
 * Stands in for `virsh`, as version 9 behaves when it is talked to through pipes: it echoes what it
 * reads, prompts, and complains where it answers. Answers come from the file at $TMPDIR/virsh.json:
 * pairs of the beginning of a command and its answer; `hang` is never answered. With
 * `qemu-monitor-event` on its command line it says the lines of $TMPDIR/events, and stays. With
 * `migrate` it notes its words in $TMPDIR/migrate, and ends when $TMPDIR/migrated is there: with the
 * complaint in it, if there is one.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const at = (name) => join(process.env.TMPDIR, name);

if (process.argv.includes('job-completed')) {
  setInterval(() => undefined, 1000);
} else if (process.argv.includes('qemu-monitor-event')) {
  process.stdout.write(readFileSync(at('events'), 'utf8'));
  setInterval(() => undefined, 1000);
} else if (process.argv.includes('migrate')) {
  writeFileSync(at('migrate.new'), process.argv.slice(process.argv.indexOf('migrate')).join(' '));
  renameSync(at('migrate.new'), at('migrate'));
  setInterval(() => {
    if (!existsSync(at('migrated'))) return;
    const complaint = readFileSync(at('migrated'), 'utf8');
    if (complaint !== '') process.stderr.write(`error: ${complaint}\n`);
    process.exit(complaint === '' ? 0 : 1);
  }, 5);
} else {
  process.stdout.write('virsh # ');
  const lines = createInterface({ input: process.stdin });
  let isHanging = false;
  lines.on('line', (line) => {
    if (isHanging) return;
    const answers = JSON.parse(readFileSync(at('virsh.json'), 'utf8'));
    const [, answer = "error: unknown command: '?'"] =
      answers.find(([beginning]) => line.startsWith(beginning)) ?? [];
    if (answer === 'hang') isHanging = true;
    else if (answer === 'end') process.exit(1);
    else if (line.startsWith('echo ')) process.stdout.write(`${line}\n${line.slice(5)}virsh # `);
    else process.stdout.write(`${line}\n${answer}\nvirsh # `);
  });
}
