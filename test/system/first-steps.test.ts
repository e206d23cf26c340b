/** docs/first-steps.md, pasted line by line into a shell. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { readFileSync, symlinkSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { MigrationResult } from '../../brain/core/migration.ts';
import { projectRoot, tools } from '../../scripts/tools.mjs';
import { build, createStage, type Line } from './support.ts';

const stage = createStage();
const page = readFileSync(join(projectRoot, 'docs/first-steps.md'), 'utf8');

/** What a reader pastes: every block of shell but the set-up, which installs packages. */
const pasted = [...page.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block]) => block).join('');

/** The guest, assembled as the set-up has it. */
function assembleGuest(path: string): void {
  const command = /^nasm (.+) -o dist\/busy-guest (\S+)/m.exec(page);
  const [, options = '', source = ''] = command ?? [];
  const words = [...options.split(' '), '-o', path, source];
  execFileSync(tools().nasm, words, { cwd: projectRoot });
}

/** A folder in which the programs have the names that the page gives them. */
function programs(): string {
  const folder = stage.folder();
  const { natsServer, influxd, qemu } = tools();
  const named = {
    'nats-server': natsServer,
    influxd,
    'qemu-system-x86_64': qemu['7.2'].binary,
    ferryman: join(projectRoot, 'dist/ferryman.mjs'),
  };
  for (const [name, path] of Object.entries(named)) symlinkSync(path, join(folder, name));
  return folder;
}

/** All that a shell says to what is pasted into it; it must reach the end. */
async function paste(commands: string): Promise<string> {
  const folder = programs();
  const guest = join(folder, 'busy-guest');
  assembleGuest(guest);
  const shell = spawn('bash', ['-e'], {
    env: {
      ...process.env,
      PATH: [folder, process.env['PATH']].join(delimiter),
      NO_COLOR: '1',
      XDG_CONFIG_HOME: '/nonexistent',
      guest,
    },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  stage.undo(() => shell.kill('SIGKILL'));
  let said = '';
  for (const stream of [shell.stdout, shell.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (said += text));
  }
  const code = new Promise((resolve) => shell.once('close', resolve));
  shell.stdin.end(commands);
  assert.equal(await code, 0, said);
  return said;
}

const figureNames: readonly (keyof MigrationResult)[] = [
  ...(['outcome', 'policy', 'totalMilliseconds', 'preparationMilliseconds'] as const),
  ...(['downtimeMilliseconds', 'transferredBytes', 'rounds', 'restarts', 'postCopy'] as const),
  ...(['throttleSeconds', 'maxThrottlePercent'] as const),
];

/** Of each command that printed the migration as JSON: its figures. */
function figuresIn(said: string): readonly Line[] {
  const lines = said.split('\n').filter((line) => line.startsWith('{"type":'));
  return lines.map((text) => {
    const line = JSON.parse(text) as Line;
    const result = (line['result'] ?? line) as Line;
    return Object.fromEntries(figureNames.map((name) => [name, result[name]]));
  });
}

describe('docs/first-steps.md', () => {
  before(build);
  afterEach(() => stage.clear());

  it('brings up a fleet and moves a VM that nothing but holding back moves', async () => {
    const said = await paste(pasted);
    assert.match(said, /web-1 +one +running/);
    assert.match(said, /ok +agent +host two is heard/);
    assert.match(said, /nothing keeps web-1 from moving to two/);
    assert.match(said, /Hold the guest back by/);
    assert.match(said, /web-1 +two +running/);
    // There, told again, and back.
    assert.equal(said.match(/● completed · web-1 moved in/g)?.length, 3, said);
    assert.match(said, /fault +influxdb +InfluxDB does not answer.*\n(?:.*\n)*doctor ends with 3/);
    const [listed, ...others] = figuresIn(said);
    assert.equal(listed?.['outcome'], 'completed');
    assert.ok(Number(listed['throttleSeconds']) > 0 && Number(listed['transferredBytes']) > 80e6);
    assert.equal(others.length, 3, said);
    for (const other of others) assert.deepEqual(other, listed);
  });
});
