/** `ferryman run` on real QEMU: what an interrupt leaves behind, and what is refused up front. */
import assert from 'node:assert/strict';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { openQmp } from '../../agent/monitor/qmp-socket.ts';
import { projectRoot } from '../../scripts/tools.mjs';
import type { Guest } from '../guests/guest.ts';
import { startPair, type Pair } from '../rig/pair.ts';

type Line = Readonly<Record<string, unknown>>;

const bundle = join(projectRoot, 'dist/ferryman.mjs');
const mebibyte = 1024 * 1024;
const link = 32 * mebibyte;
const quiet: Guest = { workingSetBytes: 8 * mebibyte, dirtyBytesPerSecond: 0, content: 'random' };
const restless: Guest = {
  workingSetBytes: 64 * mebibyte,
  dirtyBytesPerSecond: 2 * link,
  content: 'random',
};

interface Run {
  readonly child: ChildProcess;
  readonly lines: Line[];
  readonly code: Promise<number | null>;
}

function run(pair: Pair, ...flags: readonly string[]): Run {
  const child = spawn(
    process.execPath,
    [
      ...[bundle, 'run', '--json', '--uri', pair.uri],
      ...['--source-qmp', pair.sourceQmp, '--destination-qmp', pair.destinationQmp],
      ...(pair.isShaped ? [] : ['--max-bandwidth', String(link)]),
      ...flags,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const lines: Line[] = [];
  createInterface(child.stdout).on('line', (line) => lines.push(JSON.parse(line) as Line));
  const code = new Promise<number | null>((resolve) => child.once('close', resolve));
  return { child, lines, code };
}

async function until(met: () => boolean): Promise<void> {
  const giveUpAt = Date.now() + 30_000;
  while (!met()) {
    assert.ok(Date.now() < giveUpAt, 'it did not come about within 30 s');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function ask(path: string, command: string): Promise<Line> {
  const monitor = await openQmp(path);
  const reply = await monitor.execute(command);
  monitor.close();
  return reply as Line;
}

describe('ferryman run, interrupted or misused', () => {
  let pair: Pair;
  const begin = async (guest: Guest) => {
    pair = await startPair({ qemu: '7.2', guest, memoryMebibytes: 96, linkBytesPerSecond: link });
  };

  before(() => {
    const build = spawnSync(process.execPath, [join(projectRoot, 'scripts/build.mjs')]);
    assert.equal(build.status, 0, build.stderr.toString());
  });
  afterEach(() => pair.stop());

  it('cancels on an interrupt, even on a second one, and puts the settings back', async () => {
    await begin(restless);
    const settings = await ask(pair.sourceQmp, 'query-migrate-parameters');
    const { child, lines, code } = run(pair, '--policy', 'none');
    await until(() => lines.some((line) => line['status'] === 'active'));
    child.kill('SIGINT');
    child.kill('SIGTERM');
    assert.equal(await code, 4);
    assert.equal(lines.at(-1)?.['outcome'], 'cancelled');
    assert.equal((await ask(pair.sourceQmp, 'query-status'))['status'], 'running');
    assert.deepEqual(await ask(pair.sourceQmp, 'query-migrate-parameters'), settings);
  });

  it('refuses a destination that does not wait for a migration', async () => {
    await begin(quiet);
    const swapped = {
      ...pair,
      sourceQmp: pair.destinationQmp,
      destinationQmp: pair.sourceQmp,
    };
    assert.equal(await run(swapped).code, 2);
  });
});
