import assert from 'node:assert/strict';
import { createCleanup, within } from '../../cli/cleanup.ts';

describe('cleanup', () => {
  it('takes steps last come first served, whether or not one fails', async () => {
    const taken: string[] = [];
    const failures: unknown[] = [];
    const cleanup = createCleanup((error) => failures.push(error));
    cleanup.add(() => void taken.push('first'));
    cleanup.add(() => {
      throw new Error('broken');
    });
    cleanup.add(async () => void taken.push('last'));
    await cleanup.run(1000);
    assert.deepEqual(taken, ['last', 'first']);
    assert.equal(failures.length, 1);
  });

  it('leaves a step behind that does not end', async () => {
    const taken: string[] = [];
    const cleanup = createCleanup(() => undefined);
    cleanup.add(() => void taken.push('first'));
    cleanup.add(() => new Promise(() => undefined));
    await cleanup.run(20);
    assert.deepEqual(taken, ['first']);
  });

  it('takes each step once', async () => {
    let times = 0;
    const cleanup = createCleanup(() => undefined);
    cleanup.add(() => void (times += 1));
    await cleanup.run(1000);
    await cleanup.run(1000);
    assert.equal(times, 1);
  });

  it('passes on what comes in time', async () => {
    assert.equal(await within(Promise.resolve('value'), 1000, () => 'late'), 'value');
  });
});
