/** docs/first-steps.md, pasted line by line into a shell. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync, symlinkSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { projectRoot, tools } from '../../scripts/tools.mjs';
import { build, createStage } from './support.ts';

const stage = createStage();

/** What a reader pastes: every block of shell but the set-up, which installs packages. */
function pasted(page: string): string {
  const text = readFileSync(join(projectRoot, 'docs', page), 'utf8');
  return [...text.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block]) => block).join('');
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

describe('docs/first-steps.md', () => {
  before(build);
  afterEach(() => stage.clear());

  it('brings up a fleet and moves a VM', async () => {
    const path = [programs(), process.env['PATH']].join(delimiter);
    const environment = {
      ...process.env,
      PATH: path,
      NO_COLOR: '1',
      XDG_CONFIG_HOME: '/nonexistent',
    };
    const shell = spawn('bash', ['-e'], { env: environment, stdio: ['pipe', 'pipe', 'pipe'] });
    stage.undo(() => shell.kill('SIGKILL'));
    let said = '';
    for (const stream of [shell.stdout, shell.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => (said += text));
    }
    const code = new Promise((resolve) => shell.once('close', resolve));
    shell.stdin.end(pasted('first-steps.md'));
    assert.equal(await code, 0, said);
    assert.match(said, /web-1 +one +running/);
    assert.match(said, /ok +agent +host two is heard/);
    assert.match(said, /nothing keeps web-1 from moving to two/);
    assert.match(said, /completed .*moved in/);
    assert.match(said, /web-1 +two +running/);
    assert.match(said, /fault +influxdb +does not answer.*\n(?:.*\n)*doctor ends with 3/);
    const results = said.split('\n').filter((line) => line.startsWith('{"type":"result"'));
    assert.equal(results.length, 2, said);
    const [explained, reported] = results.map((line) => JSON.parse(line) as object);
    assert.deepEqual(reported, explained);
  });
});
