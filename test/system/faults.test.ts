/** `ferryman run` when things break: the VM keeps running, unthrottled, and the message helps. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fakeQemu } from '../fakes/qemu.ts';
import { fakeQmp } from '../fakes/qmp-server.ts';
import type { Pair } from '../rig/pair.ts';
import { startBus } from './bus.ts';
import {
  ask,
  build,
  createStage,
  ended,
  familiesOf,
  guests,
  isMoving,
  linkBytesPerSecond,
  mebibyte,
  runningSides,
  settingsOf,
  until,
  type Ferryman,
} from './support.ts';

const stage = createStage();

/** A migration under way that would not end by itself. */
async function underWay(...flags: readonly string[]) {
  const pair = await stage.pair(guests.diverging);
  const settings = await settingsOf(pair.sourceQmp);
  const run = stage.run(pair, '--policy', 'auto-converge', ...flags);
  await until('pages are sent', () => isMoving(run));
  return { pair, settings, run };
}

/** The VM stayed where it was, as it was, and the run says why. */
async function assertStayed(
  run: Ferryman,
  { pair, settings }: { readonly pair: Pair; readonly settings: readonly unknown[] },
  reason: RegExp,
): Promise<void> {
  const { code, result } = await ended(run);
  assert.equal(code, 4);
  assert.match(result.reason ?? '', reason);
  assert.deepEqual(await runningSides(pair), ['source']);
  assert.deepEqual(await settingsOf(pair.sourceQmp), settings);
  const status = await ask(pair.sourceQmp, 'query-migrate');
  assert.equal(status?.['cpu-throttle-percentage'], undefined);
}

function kill(pid: number | undefined, signal: NodeJS.Signals = 'SIGKILL'): void {
  assert.ok(pid !== undefined, 'there is a process to signal');
  process.kill(pid, signal);
}

/** The private nats-server of a run. */
function natsServerOf({ child }: Ferryman): number {
  const children = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8');
  const isNats = (pid: string) => readFileSync(`/proc/${pid}/comm`, 'utf8').startsWith('nats');
  return Number(children.trim().split(' ').find(isNats));
}

describe('ferryman run, when things break', () => {
  before(build);
  afterEach(() => stage.clear());

  const notQmp = {
    'says nothing': false,
    'speaks another protocol': 'SSH-2.0-OpenSSH_9.2\r\n',
    'says garbage': '\u0000\u0001{]\u007f\n',
    'sends a line of 64 MiB': 'x'.repeat(64 * mebibyte),
  };
  for (const [what, greeting] of Object.entries(notQmp)) {
    it(`ends with 3 and names the socket when it ${what}`, async () => {
      const server = await fakeQmp({ greeting });
      stage.undo(() => server.stop());
      const folder = stage.folder();
      const run = stage.ferryman(
        ...['run', '--source-qmp', server.path, '--destination-qmp', join(folder, 'none')],
        ...['--uri', 'tcp:127.0.0.1:4444'],
      );
      assert.equal(await run.code, 3);
      assert.match(run.messages(), /^ferryman: The source cannot be reached: .*monitor\.sock/);
      assert.ok(run.messages().length < 1000, 'the message is short');
    });
  }

  it('ends when the source is killed, and starts nothing at the destination', async () => {
    const { pair, run } = await underWay();
    kill(pair.sourcePid());
    const { code, result } = await ended(run);
    assert.equal(code, 4);
    assert.match(result.reason ?? '', /source/);
    assert.deepEqual(await runningSides(pair), []);
  });

  it('ends when the source hangs, and the VM runs on one side once it goes on', async () => {
    const { pair, run } = await underWay('--deadline', '8s');
    const pid = pair.sourcePid();
    kill(pid, 'SIGSTOP');
    const code = await run.code;
    kill(pid, 'SIGCONT');
    assert.equal(code, 4);
    assert.match(JSON.stringify(run.lines.at(-1)) + run.messages(), /source/);
    await until('one side runs', async () => (await runningSides(pair)).length === 1);
  });

  it('goes on when the source hung for a moment only', async () => {
    const pair = await stage.pair(guests.moderate);
    const run = stage.run(pair);
    await until('pages are sent', () => isMoving(run));
    const pid = pair.sourcePid();
    kill(pid, 'SIGSTOP');
    await sleep(1500);
    kill(pid, 'SIGCONT');
    assert.equal((await ended(run)).code, 0);
    assert.deepEqual(await runningSides(pair), ['destination']);
  });

  it('stays on the source when the destination is killed before pre-copy', async () => {
    const pair = await stage.pair(guests.diverging);
    const settings = await settingsOf(pair.sourceQmp);
    const run = stage.run(pair);
    await until('the guest is probed', () => run.lines.some(({ rule }) => rule === 'probe'));
    kill(pair.destinationPid());
    await assertStayed(run, { pair, settings }, /destination/);
  });

  it('stays on the source when the destination is killed during pre-copy', async () => {
    const { pair, settings, run } = await underWay();
    kill(pair.destinationPid());
    await assertStayed(run, { pair, settings }, /./);
  });

  it('moves the VM at the second try, after a first one that failed', async () => {
    const pair = await stage.pair(guests.moderate);
    const settings = await settingsOf(pair.sourceQmp);
    const first = stage.run(pair);
    await until('pages are sent', () => isMoving(first));
    kill(pair.destinationPid());
    await assertStayed(first, { pair, settings }, /./);
    assert.equal(spawnSync(pair.destinationCommand).status, 0);
    const { code } = await stage.migrate(pair);
    assert.equal(code, 0);
    assert.deepEqual(await runningSides(pair), ['destination']);
  });

  it('stays on the source when the destination refuses a capability, and says which', async () => {
    const pair = await stage.pair(guests.text);
    const settings = await settingsOf(pair.sourceQmp);
    const fake = await fakeQemu('7.2');
    stage.undo(() => fake.stop());
    fake.uuid = String((await ask(pair.sourceQmp, 'query-uuid'))?.['UUID']);
    fake.runState = 'inmigrate';
    fake.refusals = { 'migrate-set-capabilities': 'multifd is not supported here' };
    const run = stage.run({ ...pair, destinationQmp: fake.server.path });
    const { code, result } = await ended(run);
    assert.equal(code, 4);
    assert.match(result.reason ?? '', /multifd is not supported here/);
    assert.deepEqual(await runningSides(pair), ['source']);
    assert.deepEqual(await settingsOf(pair.sourceQmp), settings);
  });

  it('moves to another version by what both sides can do', async () => {
    const pair = await stage.pair(guests.text, { destinationQemu: '10.0' });
    const hint = ['--link-bandwidth', String(linkBytesPerSecond)];
    const { code, lines } = await stage.migrate(pair, ...hint);
    assert.equal(code, 0);
    assert.match(familiesOf(lines).at(-1) ?? '', /^multifd-z/);
    assert.deepEqual(await runningSides(pair), ['destination']);
  });

  it('brings the VM across although nats-server was killed and came back', async () => {
    const bus = await startBus(stage);
    const pair = await stage.pair(guests.moderate);
    const run = stage.run(pair, '--nats', bus.url);
    await until('pages are sent', () => isMoving(run));
    await bus.kill();
    await sleep(500);
    await bus.start();
    const { code } = await ended(run);
    assert.equal(code, 0);
    assert.deepEqual(await runningSides(pair), ['destination']);
  });

  it('does not lose the VM when its private nats-server is killed', async () => {
    const { pair, run } = await underWay('--deadline', '8s');
    kill(natsServerOf(run));
    assert.notEqual(await run.code, null);
    await until('one side runs', async () => (await runningSides(pair)).length === 1);
    await until('nothing holds the guest back', async () => {
      const side = (await runningSides(pair))[0] === 'source' ? pair.sourceQmp : undefined;
      const status = side === undefined ? undefined : await ask(side, 'query-migrate');
      return Number(status?.['cpu-throttle-percentage'] ?? 0) <= 1;
    });
  });
});
