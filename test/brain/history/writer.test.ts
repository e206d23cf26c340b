import assert from 'node:assert/strict';
import { silentLog } from '../../../shared/log.ts';
import { createDelivery } from '../../../brain/history/delivery.ts';
import type { DeliveryOptions } from '../../../brain/history/delivery.ts';
import { InfluxError } from '../../../brain/history/influx.ts';
import { createWriter } from '../../../brain/history/writer.ts';
import type { Writer, WriterOptions } from '../../../brain/history/writer.ts';

describe('brain/history/writer', () => {
  const writers: Writer[] = [];
  afterEach(() => Promise.all(writers.splice(0).map((writer) => writer.close(0))));

  function writerTo(
    send: DeliveryOptions['send'],
    options: Partial<WriterOptions> & Pick<DeliveryOptions, 'prepare'> = {},
  ): Writer {
    const deliver = createDelivery({ send, log: silentLog, ...options });
    const writer = createWriter({ deliver, flushMilliseconds: 5, ...options });
    writers.push(writer);
    return writer;
  }

  const add = (writer: Writer, ...lines: readonly string[]) => {
    lines.forEach((line) => {
      writer.add(line);
    });
  };

  async function until(isTrue: () => boolean): Promise<void> {
    for (let round = 0; !isTrue(); round += 1) {
      assert.ok(round < 500, 'did not come true');
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  it('writes in order, in batches', async () => {
    const batches: (readonly string[])[] = [];
    const writer = writerTo((lines) => Promise.resolve(void batches.push(lines)), {
      batchLines: 2,
    });
    add(writer, 'a', 'b', 'c');
    await until(() => writer.counts().writtenLines === 3);
    assert.deepEqual(batches, [['a', 'b'], ['c']]);
  });

  it('keeps lines while the database is away, and writes them when it is back', async () => {
    let isUp = false;
    const written: string[] = [];
    const send = (lines: readonly string[]) => {
      if (!isUp) return Promise.reject(new InfluxError('refused'));
      written.push(...lines);
      return Promise.resolve();
    };
    const writer = writerTo(send, { longestPauseMilliseconds: 10 });
    add(writer, 'a', 'b');
    await new Promise((resolve) => setTimeout(resolve, 30));
    assert.equal(writer.counts().waitingLines, 2);
    isUp = true;
    add(writer, 'c');
    await until(() => written.length === 3);
    assert.deepEqual(written, ['a', 'b', 'c']);
  });

  it('drops the oldest of a full queue and counts them', async () => {
    const down = () => Promise.reject(new InfluxError('busy', 503));
    const writer = writerTo(down, { queueLines: 10 });
    const lines = Array.from({ length: 35 }, (_, index) => String(index));
    add(writer, ...lines);
    const { waitingLines, droppedLines } = writer.counts();
    assert.equal(waitingLines + droppedLines, 35);
    assert.ok(waitingLines >= 10 && waitingLines <= 11);
  });

  it('is bounded by bytes as well, and what was written makes room again', async () => {
    const database = { isUp: false };
    const send = () =>
      database.isUp ? Promise.resolve() : Promise.reject(new InfluxError('busy', 503));
    const writer = writerTo(send, { queueBytes: 1_000, longestPauseMilliseconds: 10 });
    const lines = Array.from({ length: 35 }, () => 'x'.repeat(100));
    add(writer, ...lines);
    const { waitingLines, droppedLines } = writer.counts();
    assert.ok(waitingLines >= 10 && waitingLines <= 11, `${waitingLines} wait`);
    assert.equal(waitingLines + droppedLines, 35);
    database.isUp = true;
    await until(() => writer.counts().waitingLines === 0);
    add(writer, ...lines.slice(0, 10));
    assert.equal(writer.counts().droppedLines, droppedLines);
  });

  it('neither repeats nor skips a line that is under way while the oldest are dropped', async () => {
    const written: string[] = [];
    const { promise: gate, resolve: release } = withResolvers();
    const send = async (lines: readonly string[]) => {
      written.push(...lines);
      await gate;
    };
    const writer = writerTo(send, { queueLines: 10, batchLines: 4 });
    add(writer, 'a', 'b', 'c', 'd', 'e', 'f');
    await until(() => written.length === 4);
    add(writer, 'g', 'h', 'i', 'j', 'k', 'l');
    release();
    await until(() => writer.counts().waitingLines === 0);
    assert.equal(written.join(''), 'abcdefghijkl');
  });

  it('gives up the one line that the database refuses, and goes on', async () => {
    const written: string[] = [];
    const send = (lines: readonly string[]) => {
      if (lines.includes('bad')) return Promise.reject(new InfluxError('cannot parse', 400));
      return Promise.resolve(void written.push(...lines));
    };
    const writer = writerTo(send);
    add(writer, 'good', 'better', 'bad', 'best', 'last');
    await until(() => writer.counts().waitingLines === 0);
    assert.deepEqual(written, ['good', 'better', 'best', 'last']);
    assert.equal(writer.counts().refusedLines, 1);
    assert.equal(writer.counts().writtenLines, 4);
  });

  it('prepares once, before the first write', async () => {
    const calls: string[] = [];
    const note = (call: string) => () => Promise.resolve(void calls.push(call));
    const writer = writerTo(note('send'), { prepare: note('prepare'), batchLines: 1 });
    add(writer, 'a', 'b');
    await until(() => writer.counts().writtenLines === 2);
    assert.deepEqual(calls, ['prepare', 'send', 'send']);
  });

  it('prepares again after a failure: a database may come back empty', async () => {
    const calls: string[] = [];
    const send = () => {
      calls.push('send');
      return calls.length > 2 ? Promise.resolve() : Promise.reject(new InfluxError('gone', 404));
    };
    const prepare = () => Promise.resolve(void calls.push('prepare'));
    const writer = writerTo(send, { prepare, longestPauseMilliseconds: 10 });
    add(writer, 'a');
    await until(() => writer.counts().writtenLines === 1);
    assert.deepEqual(calls, ['prepare', 'send', 'prepare', 'send']);
  });

  it('writes the rest on close, but does not wait for a database that hangs', async () => {
    const written: string[] = [];
    const writer = writerTo((lines) => Promise.resolve(void written.push(...lines)), {
      flushMilliseconds: 60_000,
    });
    add(writer, 'last');
    await writer.close();
    assert.deepEqual(written, ['last']);
    const hanging = writerTo(() => new Promise(() => undefined));
    add(hanging, 'lost');
    await hanging.close(20);
    assert.equal(hanging.counts().droppedLines, 1);
  });
});

function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve: () => void = assert.fail;
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
