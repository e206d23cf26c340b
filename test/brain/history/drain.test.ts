import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { StoredMessage } from '../../../shared/durable-stream.ts';
import { silentLog } from '../../../shared/log.ts';
import { startDrain } from '../../../brain/history/drain.ts';
import type { Drain } from '../../../brain/history/drain.ts';
import { appender, linesIn } from '../../../brain/history/parcels.ts';

/** A stream in memory: what is not acknowledged is handed out again. */
function memoryStream() {
  let messages: StoredMessage[] = [];
  let lent: StoredMessage[] = [];
  let position = 0;
  const stream = {
    isAway: false,
    floor: undefined as number | undefined,
    ids: new Set<string>(),
    append: async (subject: string, payload: Uint8Array, id: string) => {
      if (stream.isAway) throw new Error('away');
      if (stream.ids.has(id)) return;
      stream.ids.add(id);
      const own = (position += 1);
      const acknowledge = () => {
        messages = messages.filter((each) => each.position !== own);
      };
      messages.push({ position: own, subject, payload, acknowledge });
    },
    acknowledged: async () => {
      if (stream.isAway) throw new Error('away');
      return stream.floor;
    },
    next: async (limit: number) => {
      await sleep(1);
      if (stream.isAway) throw new Error('away');
      return messages.slice(0, limit);
    },
    oldest: async () =>
      Math.min(position + 1, ...[...messages, ...lent].map((message) => message.position)),
    loseOldest: () => {
      messages.shift();
    },
    /** It was let go of after those before it had been handed out, and before those behind it were. */
    lose: (gone: number) => {
      messages = messages.filter((each) => each.position !== gone);
    },
    /** Handed to a reader that has died; it comes again later. */
    lend: () => {
      lent = messages.splice(0, 1);
      return () => void messages.push(...lent.splice(0));
    },
    left: () => messages.length,
  };
  return stream;
}

describe('brain/history/drain', () => {
  const drains: Drain[] = [];
  afterEach(() => Promise.all(drains.splice(0).map((drain) => drain.finish(0))));

  function board(
    deliver: (lines: readonly string[]) => number | undefined,
    isOn: () => boolean = () => true,
  ) {
    const stream = memoryStream();
    const send = appender(stream, 's');
    const start = () => {
      const drain = startDrain({
        stream,
        linesOf: ({ payload }) => linesIn(payload),
        deliver: (lines) => Promise.resolve(deliver(lines)),
        log: silentLog,
        isOn,
        pauseMilliseconds: 2,
      });
      drains.push(drain);
      return drain;
    };
    return { stream, send, start };
  }

  async function until(isTrue: () => boolean): Promise<void> {
    for (let round = 0; !isTrue(); round += 1) {
      assert.ok(round < 500, 'did not come true');
      await sleep(2);
    }
  }

  it('keeps in the stream what the database has not taken', async () => {
    const database = { isUp: false, lines: [] as string[] };
    const { stream, send, start } = board((lines) => {
      if (!database.isUp) return undefined;
      database.lines.push(...lines);
      return 0;
    });
    const first = start();
    await send(['a', 'b']);
    await sleep(10);
    await first.finish(5);
    assert.equal(stream.left(), 1);
    database.isUp = true;
    const second = start();
    await send(['c']);
    await until(() => stream.left() === 0);
    assert.deepEqual(database.lines, ['a', 'b', 'c']);
    assert.equal(second.counts().writtenLines, 3);
  });

  it('goes on when the stream is back', async () => {
    const { stream, send, start } = board(() => 0);
    stream.isAway = true;
    const drain = start();
    await assert.rejects(send(['a']));
    stream.isAway = false;
    await send(['a']);
    await until(() => drain.counts().writtenLines === 1);
  });

  it('counts what the stream let go of unread, and what the database refused', async () => {
    const { stream, send, start } = board((lines) => (lines.includes('bad') ? 1 : 0));
    for (const line of ['read', 'gone', 'a', 'b', 'c', 'bad']) await send([line]);
    stream.floor = 1;
    stream.loseOldest();
    stream.loseOldest();
    stream.loseOldest();
    const drain = start();
    await until(() => stream.left() === 0);
    const { droppedMessages, refusedLines } = drain.counts();
    assert.equal(droppedMessages, 2);
    assert.equal(refusedLines, 1);
  });

  it('counts what the stream let go of while it handed out a batch', async () => {
    const { stream, send, start } = board(() => 0);
    for (const line of ['a', 'gone', 'gone too', 'b', 'and gone', 'c']) await send([line]);
    const next = stream.next;
    stream.next = async (limit) => {
      const handed = await next(limit);
      for (const gone of [1, 2, 3, 4, 5]) stream.lose(gone);
      return handed.filter(({ position }) => [1, 4, 6].includes(position));
    };
    const drain = start();
    await until(() => stream.left() === 0);
    assert.equal(drain.counts().droppedMessages, 3);
  });

  it('writes in the end what was handed to a reader that died, and takes none of it for lost', async () => {
    const lines: string[] = [];
    const { stream, send, start } = board((written) => {
      lines.push(...written);
      return 0;
    });
    for (const line of ['read', 'lent', 'a']) await send([line]);
    stream.floor = 1;
    stream.loseOldest();
    const giveBack = stream.lend();
    const drain = start();
    await until(() => lines.length === 1);
    giveBack();
    await until(() => stream.left() === 0);
    assert.deepEqual(lines, ['a', 'lent']);
    assert.equal(drain.counts().droppedMessages, 0);
  });

  it('reads nothing while it is not its turn', async () => {
    const turn = { isMine: false };
    const { stream, send, start } = board(
      () => 0,
      () => turn.isMine,
    );
    await send(['a']);
    start();
    await sleep(20);
    assert.equal(stream.left(), 1);
    turn.isMine = true;
    await until(() => stream.left() === 0);
  });
});

describe('brain/history/parcels', () => {
  it('puts lines into few messages, and the same lines only once', async () => {
    const stream = memoryStream();
    const send = appender(stream, 's');
    const lines = Array.from({ length: 100 }, (_, index) => `${index}`.padEnd(2_000, 'x'));
    await send(lines);
    await send(lines);
    const messages = await stream.next(1_000);
    assert.ok(messages.length < 10, `${messages.length} messages`);
    assert.deepEqual(
      messages.flatMap(({ payload }) => linesIn(payload)),
      lines,
    );
    await assert.rejects(send(['x'.repeat(70_000)]), { status: 413 });
  });
});
