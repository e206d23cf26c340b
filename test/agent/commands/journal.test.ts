import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { JournalError, openJournal } from '../../../agent/commands/journal.ts';
import { command } from '../situations.ts';

describe('journal', () => {
  let directory: string;
  let path: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'ferryman-journal-'));
    path = join(directory, 'journal');
  });
  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  /** Three commands of two epochs; the last one has no result. */
  async function fill(): Promise<Buffer> {
    const journal = await openJournal(path);
    await journal.intent('vm', command({ kind: 'cancel' }, { id: 'a', epoch: 3, sequence: 1 }));
    await journal.result('a', 'applied');
    const start = { kind: 'start-postcopy' } as const;
    await journal.intent('vm', command(start, { id: 'b', epoch: 9, sequence: 2 }));
    await journal.result('b', 'failed');
    await journal.intent('vm', command({ kind: 'cancel' }, { id: 'c', epoch: 9, sequence: 3 }));
    await journal.close();
    return readFileSync(path);
  }

  it('remembers ids, epoch, sequence and post-copy across lives', async () => {
    await fill();
    const journal = await openJournal(path);
    assert.equal(journal.highestEpoch, 9);
    assert.ok(['a', 'b', 'c'].every((id) => journal.has(id)));
    assert.equal(journal.has('d'), false);
    assert.deepEqual(journal.lastOf('vm'), { epoch: 9, sequence: 3 });
    assert.equal(journal.lastOf('other'), undefined);
    assert.equal(journal.postCopyRequested('vm'), true);
    assert.deepEqual(journal.unfinished, ['c']);
    await journal.close();
  });

  it('knows at once of a brain that was only heard, and still in another life', async () => {
    const journal = await openJournal(path, { compactAfterBytes: 1 });
    const written = journal.hear(12);
    assert.equal(journal.highestEpoch, 12);
    await written;
    await journal.hear(11);
    await journal.close();
    const again = await openJournal(path);
    assert.deepEqual([again.highestEpoch, again.damagedLines], [12, 0]);
    await again.close();
  });

  it('forgets a post-copy order only when another migration starts', async () => {
    await fill();
    const journal = await openJournal(path);
    const migrate = { kind: 'migrate', endpoint: { kind: 'unix', path: '/m' } } as const;
    await journal.intent('vm', command(migrate, { id: 'd', epoch: 9, sequence: 4 }));
    assert.equal(journal.postCopyRequested('vm'), false);
    await journal.close();
  });

  it('survives a cut at every byte and goes on after it', async () => {
    const whole = await fill();
    for (let length = 0; length <= whole.length; length += 1) {
      writeFileSync(path, whole);
      truncateSync(path, length);
      const cut = await openJournal(path);
      const lines = whole.subarray(0, length).toString().split('\n').slice(0, -1).length;
      assert.equal(cut.highestEpoch, lines >= 3 ? 9 : Math.max(0, cut.highestEpoch));
      assert.ok(cut.damagedLines <= 1);
      if (length % 40 === 0) {
        await cut.intent('vm', command({ kind: 'cancel' }, { id: 'z', epoch: 11, sequence: 1 }));
        const again = await openJournal(path);
        assert.equal(again.highestEpoch, 11);
        await again.close();
      }
      await cut.close();
    }
  });

  it('passes over one damaged line, wherever a bit flipped, and keeps the others', async () => {
    const whole = await fill();
    const lastLine = whole.lastIndexOf('\n', whole.length - 2) + 1;
    for (let at = 0; at < lastLine - 1; at += 5) {
      const damaged = Buffer.from(whole);
      damaged[at] = (damaged[at] ?? 0) ^ 0x04;
      writeFileSync(path, damaged);
      const journal = await openJournal(path);
      assert.equal(journal.highestEpoch, 9);
      assert.ok(journal.has('c'));
      assert.ok(journal.damagedLines <= 2);
      await journal.close();
    }
  });

  const settings = { capabilities: { xbzrle: false }, parameters: { 'max-cpu-throttle': 99 } };
  const arming = { family: 'plain', autoConverge: true, postCopy: false } as const;
  const arm = { kind: 'arm', arming, tuning: {} } as const;

  it('knows in another life what has to be put back, until it was', async () => {
    const first = await openJournal(path);
    assert.equal(first.touched('vm'), undefined);
    await first.intent('vm', command(arm, { id: 'a' }), settings);
    await first.close();
    const second = await openJournal(path);
    const changed = { ...settings, parameters: { 'max-cpu-throttle': 1 } };
    await second.intent('vm', command({ kind: 'cancel' }, { id: 'b' }), changed);
    await second.intent('vm', command(arm, { id: 'c' }), changed);
    assert.deepEqual(second.touched('vm'), {
      saved: settings,
      armed: arming,
      hasTouchedThrottle: true,
    });
    await second.intent('vm', command({ kind: 'restore' }, { id: 'd' }), changed);
    assert.deepEqual(second.touched('vm')?.saved, settings);
    await second.result('d', 'applied');
    assert.equal(second.touched('vm'), undefined);
    await second.close();
    const third = await openJournal(path);
    assert.equal(third.touched('vm'), undefined);
    await third.close();
  });

  it('stays small, and says the same as before', async () => {
    const compactAfterBytes = 4000;
    const journal = await openJournal(path, { compactAfterBytes });
    const start = { kind: 'start-postcopy' } as const;
    await journal.intent('other', command(start, { id: 'p', epoch: 9, sequence: 1 }), settings);
    await journal.intent('vm', command(arm, { id: 'a', epoch: 9, sequence: 1 }), settings);
    await journal.intent('vm', command({ kind: 'restore' }, { id: 'r', epoch: 9, sequence: 2 }));
    for (let sequence = 3; sequence < 200; sequence++) {
      const id = `t${sequence}`;
      await journal.intent('vm', command({ kind: 'cancel' }, { id, epoch: 9, sequence }));
      await journal.result(id, 'applied');
    }
    assert.ok(statSync(path).size < 3 * compactAfterBytes);
    assert.deepEqual(journal.touched('vm')?.saved, settings);
    await journal.result('r', 'applied');
    await journal.close();
    const again = await openJournal(path, { compactAfterBytes });
    assert.equal(again.highestEpoch, 9);
    assert.deepEqual(again.lastOf('vm'), { epoch: 9, sequence: 199 });
    assert.equal(again.postCopyRequested('other'), true);
    assert.equal(again.touched('vm'), undefined);
    assert.deepEqual(again.unfinished, ['p', 'a']);
    assert.ok(again.has('t3') && again.has('t199') && !again.has('t200'));
    await again.close();
  });

  it('goes on in its old file when there is no room for a new one', async () => {
    mkdirSync(`${path}.new`);
    const journal = await openJournal(path, { compactAfterBytes: 1 });
    await journal.intent('vm', command({ kind: 'cancel' }, { id: 'a', epoch: 4 }));
    await journal.result('a', 'applied');
    await journal.close();
    const again = await openJournal(path);
    assert.deepEqual([again.highestEpoch, again.damagedLines], [4, 0]);
    assert.deepEqual(again.unfinished, []);
    await again.close();
  });

  it('says what to do when it cannot be opened', async () => {
    await assert.rejects(openJournal(directory), (error: Error) => {
      assert.ok(error instanceof JournalError);
      assert.match(error.message, /cannot be opened: .*no command is applied until then/);
      return true;
    });
  });

  it('counts nothing as begun that could not be written', async () => {
    const journal = await openJournal(path);
    await journal.close();
    const given = command({ kind: 'cancel' }, { id: 'x', epoch: 99 });
    await assert.rejects(journal.intent('vm', given), JournalError);
    assert.equal(journal.has('x'), false);
    assert.equal(journal.highestEpoch, 0);
  });
});
