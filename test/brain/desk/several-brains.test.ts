import assert from 'node:assert/strict';
import { openDesk } from '../../../brain/desk/order-desk.ts';
import type { Brain } from '../../../brain/service.ts';
import { silentLog } from '../../../shared/log.ts';
import { memoryBus } from '../../../shared/memory-bus.ts';

describe('the desk of one of several brains', () => {
  it('answers nothing from the moment on in which its brain no longer leads', async () => {
    const bus = memoryBus();
    const brain = { hosts: () => [], migrations: () => [], held: () => new Map() };
    let isLeading = true;
    openDesk({
      ...{ bus, brain: brain as unknown as Brain, log: silentLog, isLeading: () => isLeading },
      ...{ policy: 'adaptive', name: 'b1', mode: 'act' as const },
    });
    const list = () => bus.request('ferryman.v1.op.list', new TextEncoder().encode('{}'), 50);
    assert.ok(await list());
    isLeading = false;
    await assert.rejects(list(), /no answer/);
  });
});
