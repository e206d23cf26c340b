import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  DestinationError,
  startDestination,
  type DestinationOptions,
} from '../../../agent/host/destination.ts';

describe('destination', () => {
  let directory: string;
  let previous: ChildProcess | undefined;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'ferryman-destination-'));
  });
  afterEach(() => {
    previous?.kill('SIGKILL');
    previous = undefined;
    rmSync(directory, { recursive: true });
  });

  const options = (command: string, rest: Partial<DestinationOptions<string>> = {}) => ({
    command,
    vm: 'u-1',
    family: 'xbzrle',
    logDirectory: directory,
    attached: () => never(),
    ...rest,
  });
  const never = (): Promise<string> => new Promise(() => undefined);
  const log = (): string => readFileSync(join(directory, 'destination-u-1.log'), 'utf8');
  const logged = async (wanted: RegExp): Promise<string> => {
    for (let tries = 0; tries < 400 && !wanted.test(log()); tries += 1) await sleep(5);
    return log();
  };
  const sleeper = (): number => {
    previous = spawn('sleep', ['60'], { stdio: 'ignore' });
    return previous.pid ?? assert.fail();
  };

  it('runs the command with VM and family in its environment, in a session of its own', async () => {
    const command = 'echo "$FERRYMAN_VM $FERRYMAN_FAMILY"; cut -d" " -f6 /proc/self/stat; echo end';
    const attached = async (): Promise<string> => {
      await logged(/end/);
      return 'attached';
    };
    assert.equal(await startDestination(options(command, { attached })), 'attached');
    const [names, session] = log().split('\n');
    assert.equal(names, 'u-1 xbzrle');
    const ours = readFileSync('/proc/self/stat', 'utf8').split(' ')[5];
    assert.notEqual(session, ours);
  });

  it('says with which words the command failed', async () => {
    const failing = startDestination(options('echo no such machine >&2; exit 3'));
    await assert.rejects(failing, (error: Error) => {
      assert.ok(error instanceof DestinationError);
      assert.match(error.message, /ended with 3; it said: no such machine/);
      return true;
    });
  });

  it('waits for the previous destination to leave by itself', async () => {
    const pid = sleeper();
    let isTold = false;
    setTimeout(() => (isTold = previous?.kill('SIGTERM') ?? false), 100);
    const before = { pid, isOurs: false, runState: () => Promise.resolve('inmigrate') };
    const attached = () => Promise.resolve(isTold ? 'after it left' : 'before it left');
    const starting = startDestination(options('true', { previous: before, attached }));
    assert.equal(await starting, 'after it left');
  });

  for (const [what, isOurs, runState, isEnded] of [
    ['ends one of ours that still waits', true, 'inmigrate', true],
    ['never ends one whose guest runs', true, 'running', false],
    ['never ends one that others started', false, 'inmigrate', false],
    ['never ends one that does not answer', true, undefined, false],
  ] as const) {
    it(what, async () => {
      const pid = sleeper();
      const before = { pid, isOurs, runState: () => Promise.resolve(runState) };
      const attached = () => Promise.resolve('attached');
      const patience = { selfExitMilliseconds: 30 };
      const left = previous && once(previous, 'exit');
      const starting = startDestination(
        options('true', { previous: before, attached, ...patience }),
      );
      if (!isEnded) {
        await assert.rejects(starting, /not ours to end/);
        assert.equal(previous?.signalCode, null);
        return;
      }
      assert.equal(await starting, 'attached');
      assert.deepEqual(await left, [null, 'SIGTERM']);
    });
  }
});
