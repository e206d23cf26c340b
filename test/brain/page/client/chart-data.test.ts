import assert from 'node:assert/strict';
import { backlogColumns, secondsShown } from '../../../../brain/page/client/chart-data.ts';
import { createChronicle } from '../../../../brain/page/view/chronicle.ts';
import { detailOf } from '../../../../brain/page/view/detail.ts';
import type { BacklogAt, Point } from '../../../../brain/page/view/view.ts';
import { mebibyte, migration } from '../../../cli/fixture.ts';

describe('page/client/chart-data', () => {
  const detail = detailOf(migration(), createChronicle(0));
  const points: readonly Point[] = [
    [1_500, 90, null, null, 0],
    [6_000, 30, null, null, 0],
  ];
  const ahead = (atMilliseconds: number): BacklogAt => ({ atMilliseconds, bytes: 1 });

  it('lays what has times of its own onto one axis, in order', () => {
    const [xs, remaining, found] = backlogColumns(detail, points);
    assert.deepEqual(xs, [1, 1.5, 2, 6]);
    assert.deepEqual(remaining, [undefined, 90, undefined, 30]);
    assert.deepEqual(found, [128 * mebibyte, undefined, 80 * mebibyte, undefined]);
  });

  it('shows the forecast, but does not let an endless one press the past into a corner', () => {
    assert.equal(Math.round(secondsShown({ ...detail, forecast: [ahead(9_000)] }, points)), 9);
    assert.equal(Math.round(secondsShown({ ...detail, forecast: [ahead(600_000)] }, points)), 16);
  });
});
