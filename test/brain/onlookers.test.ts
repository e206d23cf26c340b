import assert from 'node:assert/strict';
import { openOnlookers } from '../../brain/onlookers.ts';
import type { BrainConfig } from '../../shared/config.ts';
import { silentLog } from '../../shared/log.ts';

describe('brain/onlookers', () => {
  it('opens nothing that was not asked for', async () => {
    const config = { brain: 'b1', mode: 'advise' } as unknown as BrainConfig;
    const { listeners, history, page, close } = await openOnlookers(
      config,
      { url: 'nats://127.0.0.1:1' },
      silentLog,
      { epoch: () => 1, standby: () => undefined },
    );
    assert.deepEqual([listeners, history, page], [[], undefined, undefined]);
    await close();
  });
});
