import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { createReaders } from '../../../brain/page/readers.ts';

/** A socket that takes what it gets as long as it is not full. */
function stubResponse() {
  const written: string[] = [];
  const response = Object.assign(new EventEmitter(), {
    writableNeedDrain: false,
    destroyed: false,
    write: (text: string) => written.push(text) > 0,
    end: () => undefined,
    destroy: () => {
      response.destroyed = true;
      response.emit('close');
    },
  });
  return { response, written, asResponse: response as unknown as ServerResponse };
}

const ticking = () => {
  let number = 0;
  return { next: () => ({ nowMilliseconds: (number += 1) }) };
};

describe('page/readers', () => {
  it('sends nothing to a socket that is full, and gives it up in the end', async () => {
    let now = 0;
    const readers = createReaders(() => now);
    const [slow, quick] = [stubResponse(), stubResponse()];
    slow.response.writableNeedDrain = true;
    readers.add(slow.asResponse, ticking());
    readers.add(quick.asResponse, ticking());
    await new Promise((resolve) => setTimeout(resolve, 250));
    assert.equal(slow.written.length, 0);
    assert.ok(quick.written.length >= 2);
    now = 31_000;
    await new Promise((resolve) => setTimeout(resolve, 250));
    assert.ok(slow.response.destroyed);
    assert.ok(!quick.response.destroyed);
    readers.close();
  });

  it('takes only so many', () => {
    const readers = createReaders(() => 0);
    const taken = Array.from({ length: 70 }, () =>
      readers.add(stubResponse().asResponse, ticking()),
    );
    assert.equal(taken.filter(Boolean).length, 64);
    readers.close();
  });
});
