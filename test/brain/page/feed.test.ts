import assert from 'node:assert/strict';
import type { Migration } from '../../../brain/core/migration.ts';
import { createFeed } from '../../../brain/page/feed.ts';
import { createStore } from '../../../brain/page/store.ts';
import type { Standby } from '../../../brain/page/view/view.ts';
import { completedResult, migration, sample } from '../../cli/fixture.ts';

const leading = () => undefined;

function house() {
  const store = createStore();
  const tell = (each: Migration) => {
    const { nowMilliseconds: atMilliseconds } = each;
    store.listener.onInput?.(each, { kind: 'sample', side: 'source', atMilliseconds, sample });
    if (each.result) store.listener.onSettled?.(each, each.result);
  };
  return { store, tell };
}

describe('page/feed', () => {
  it('is silent while nothing changes, but for a beat', () => {
    const { store, tell } = house();
    tell(migration());
    const feed = createFeed({ store, standby: leading });
    assert.equal(feed.next(0)?.rows?.length, 1);
    assert.equal(feed.next(1_000), undefined);
    assert.deepEqual(feed.next(2_000), { nowMilliseconds: 2_000 });
  });

  it('says with each frame that this brain stands by, and behind whom', () => {
    const { store, tell } = house();
    let standby: Standby | undefined = { leader: 'b2' };
    const feed = createFeed({ store, standby: () => standby });
    assert.deepEqual(feed.next(0), { nowMilliseconds: 0, standby });
    tell(migration());
    assert.deepEqual(feed.next(200)?.standby, standby);
    standby = undefined;
    assert.deepEqual(feed.next(2_200), { nowMilliseconds: 2_200 });
  });

  it('catches up with a reader who has missed frames', () => {
    const { store, tell } = house();
    const feed = createFeed({ store, openId: 'm1', standby: leading });
    tell(migration({ nowMilliseconds: 1_000 }));
    feed.next(0);
    for (const nowMilliseconds of [2_000, 3_000, 4_000]) tell(migration({ nowMilliseconds }));
    const frame = feed.next(200);
    assert.equal(frame?.rows?.length, 1);
    assert.equal(frame.points?.from, 1);
    assert.deepEqual(
      frame.points.points.map(([at]) => at),
      [1_000, 2_000, 3_000],
    );
  });

  it('sends all points again once they were thinned out', () => {
    const { store, tell } = house();
    const feed = createFeed({ store, openId: 'm1', standby: leading });
    tell(migration({ nowMilliseconds: 0 }));
    feed.next(0);
    for (let at = 1; at <= 1_300; at += 1) tell(migration({ nowMilliseconds: 100 * at }));
    const points = feed.next(200)?.points;
    assert.equal(points?.from, 0);
    assert.ok(points.points.length <= 600);
    assert.ok((points.points.at(-1)?.[0] ?? 0) >= 129_000);
  });

  it('keeps the latest hundred that have settled, and says which are gone', () => {
    const { store, tell } = house();
    const feed = createFeed({ store, standby: leading });
    tell(migration({ id: 'runs' }));
    for (let number = 1; number <= 100; number += 1) {
      tell(migration({ id: `m${number}`, result: completedResult }));
    }
    feed.next(0);
    tell(migration({ id: 'm101', result: completedResult }));
    assert.deepEqual(feed.next(200)?.gone, ['m1']);
    assert.ok(store.get('runs'));
  });
});
