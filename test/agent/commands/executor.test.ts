import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createExecutor, type Commandable } from '../../../agent/commands/executor.ts';
import { JournalError, openJournal, type Journal } from '../../../agent/commands/journal.ts';
import { createLocks } from '../../../agent/commands/locks.ts';
import { ConnectionLostError, ExecuteError } from '../../../agent/monitor/qmp/errors.ts';
import { standalonePolicy } from '../../../agent/host/policy-file.ts';
import { silentLog } from '../../../shared/log.ts';
import type { OperationKind } from '../../../shared/command.ts';
import { command, migrating, plainArming } from '../situations.ts';

describe('executor', () => {
  let directory: string;
  let journal: Journal;
  let applied: OperationKind[];
  let vm: Commandable;

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'ferryman-executor-'));
    journal = await openJournal(join(directory, 'journal'));
    applied = [];
    vm = {
      situation: () => Promise.resolve(migrating()),
      apply: async ({ kind }) => {
        await sleep(5);
        applied.push(kind);
        return {};
      },
    };
  });
  afterEach(async () => {
    await journal.close();
    rmSync(directory, { recursive: true });
  });

  const executor = (overrides: Partial<Parameters<typeof createExecutor>[0]> = {}) =>
    createExecutor({
      host: 'h1',
      agentBoot: 'boot-1',
      clock: { wallMilliseconds: () => 0, monotonicMilliseconds: () => 1000 },
      log: silentLog,
      policy: standalonePolicy({ postCopy: true }),
      journal,
      locks: createLocks(),
      brainIsSilent: () => false,
      find: () => vm,
      startDestination: () => assert.fail('not asked for'),
      ...overrides,
    });
  const cancel = command({ kind: 'cancel' });

  it('applies a command once, however often and however closely it comes', async () => {
    const execute = executor();
    const results = await Promise.all([execute(cancel), execute(cancel), execute(cancel)]);
    assert.deepEqual(
      results.map(({ outcome }) => outcome),
      ['applied', 'refused', 'refused'],
    );
    assert.deepEqual(applied, ['cancel']);
  });

  it('lets exactly one of cancel and start-postcopy win, in the order of their coming', async () => {
    const execute = executor();
    const start = command({ kind: 'start-postcopy' }, { id: 'a', sequence: 6 });
    const late = command({ kind: 'cancel' }, { id: 'b', sequence: 7 });
    const [first, second] = await Promise.all([execute(start), execute(late)]);
    assert.equal(first.outcome, 'applied');
    assert.match(second.reason ?? '', /post-copy was requested/);
    assert.deepEqual(applied, ['start-postcopy']);
  });

  it('does not act without a written intent', async () => {
    const full: Journal = {
      ...journal,
      highestEpoch: 0,
      intent: () => Promise.reject(new JournalError('/j', 'cannot be written', 'ENOSPC')),
    };
    const result = await executor({ journal: full })(cancel);
    assert.equal(result.outcome, 'refused');
    assert.match(result.reason ?? '', /journal \/j cannot be written: ENOSPC/);
    assert.deepEqual(applied, []);
  });

  it('tells apart what failed and what nobody can know', async () => {
    const failing = (error: Error) => {
      vm = { ...vm, apply: () => Promise.reject(error) };
      return executor();
    };
    const refused = new ExecuteError('/q', 'migrate_cancel', 'GenericError', 'no');
    const failed = await failing(refused)(cancel);
    assert.equal(failed.outcome, 'failed');
    const lost = await failing(new ConnectionLostError('/q', 'gone'))({
      ...cancel,
      id: 'm1.2',
      sequence: 6,
    });
    assert.equal(lost.outcome, 'indeterminate');
  });

  it('has done nothing to a VM that could not be asked', async () => {
    vm = { ...vm, situation: () => Promise.reject(new ConnectionLostError('/q', 'gone')) };
    assert.equal((await executor()(cancel)).outcome, 'failed');
    assert.equal(journal.has(cancel.id), false);
  });

  it('does not repeat after a restart what it had begun', async () => {
    await journal.intent('u-1:42', cancel);
    await journal.close();
    journal = await openJournal(join(directory, 'journal'));
    assert.deepEqual(journal.unfinished, [cancel.id]);
    assert.match((await executor()(cancel)).reason ?? '', /^sequence/);
    assert.deepEqual(applied, []);
  });

  it('does not let one VM wait for another', async () => {
    const slow: Commandable = { ...vm, apply: () => new Promise(() => undefined) };
    const execute = executor({ find: ({ uuid }) => (uuid === 'slow' ? slow : vm) });
    const target = { ...cancel.target, uuid: 'slow' };
    void execute({ ...cancel, id: 'stuck', target });
    assert.equal((await execute(cancel)).outcome, 'applied');
  });

  it('hands the VM only what the host allows', async () => {
    const asked: unknown[] = [];
    vm = {
      situation: () => Promise.resolve(migrating({ armed: plainArming })),
      apply: (operation) => {
        asked.push(operation);
        return Promise.resolve({});
      },
    };
    const policy = standalonePolicy({ maxThrottlePercent: 60 });
    const throttle = { kind: 'throttle', percent: 95, mechanism: 'qemu' } as const;
    await executor({ policy })(command(throttle));
    assert.deepEqual(asked, [{ ...throttle, percent: 60 }]);
  });
});
