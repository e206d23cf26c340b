import assert from 'node:assert/strict';
import fc from 'fast-check';
import { LineDecoder } from '../../../agent/monitor/qmp/framing.ts';

/** All sockets are read into one buffer: nothing may be left in it once a chunk has been pushed. */
function decode(decoder: LineDecoder, chunks: readonly Buffer[]): string[] {
  const received = Buffer.alloc(Math.max(1, ...chunks.map(({ length }) => length)));
  return chunks.flatMap((chunk) => {
    chunk.copy(received);
    const lines = [...decoder.push(received.subarray(0, chunk.length))];
    received.fill('#');
    return lines;
  });
}

function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...places.map((place) => place % (bytes.length + 1)), bytes.length];
  ends.sort((left, right) => left - right);
  return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
}

describe('LineDecoder', () => {
  it('gives the same lines however the bytes are chunked', () => {
    const messages = fc.array(fc.string({ unit: 'grapheme', maxLength: 20 }), { maxLength: 10 });
    fc.assert(
      fc.property(messages, fc.array(fc.nat()), (values, places) => {
        const lines = values.map((text) => JSON.stringify({ text }));
        const bytes = Buffer.from(lines.map((line) => `${line}\r\n`).join(''));
        assert.deepEqual(decode(new LineDecoder(), cut(bytes, places)), lines);
      }),
    );
  });

  it('keeps an unfinished line until the rest of it comes', () => {
    const decoder = new LineDecoder();
    assert.deepEqual([...decoder.push(Buffer.from('{"a"'))], []);
    assert.deepEqual([...decoder.push(Buffer.from(':1}\n\n'))], ['{"a":1}']);
  });

  it('accepts a line of exactly the limit and refuses one byte more', () => {
    assert.deepEqual([...new LineDecoder(4).push(Buffer.from('abcd\n'))], ['abcd']);
    assert.throws(() => [...new LineDecoder(4).push(Buffer.from('abcde'))], RangeError);
  });

  it('counts the limit across chunks', () => {
    const decoder = new LineDecoder(4);
    assert.deepEqual([...decoder.push(Buffer.from('ab\nabc'))], ['ab']);
    assert.throws(() => [...decoder.push(Buffer.from('de'))], /longer than 4 bytes/);
  });
});
