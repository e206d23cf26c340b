import assert from 'node:assert/strict';
import { figuresOf } from '../../../brain/history/figures.ts';

describe('brain/history/figures', () => {
  it('names every number in snake case, and its name decides its type', () => {
    const record = {
      status: 'active',
      downtimeMilliseconds: 12.4,
      ram: { remainingBytes: 1, dirtyPagesPerSecond: 2, dirtySyncCount: 3 },
      xbzrle: { cacheMissShare: 0.5, overflowPages: 4 },
      families: [1, 2],
      absent: undefined,
    };
    assert.deepEqual(figuresOf(record, ['xbzrle']), {
      whole: {
        downtime_milliseconds: 12.4,
        remaining_bytes: 1,
        dirty_sync_count: 3,
        xbzrle_overflow_pages: 4,
      },
      real: { dirty_pages_per_second: 2, xbzrle_cache_miss_share: 0.5 },
    });
  });
});
