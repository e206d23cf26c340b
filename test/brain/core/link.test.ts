import assert from 'node:assert/strict';
import { around, currentLink, plausibleBandwidths, unknownLink } from '../../../brain/core/link.ts';
import { mebibyte, migrateOrder, movingMigration, readyMigration } from './support.ts';

const provenances = ['measured', 'configured', 'learned', 'nic', 'unknown'] as const;

describe('core/link', () => {
  it('gives every figure a range that holds it, wider the less it is known', () => {
    const widths = provenances.map((provenance) => {
      const { lowBytesPerSecond: low, highBytesPerSecond: high } = around(1e9, provenance);
      assert.ok(low <= 1e9 && high >= 1e9, provenance);
      return high / low;
    });
    assert.ok((widths[0] ?? 0) < (widths[2] ?? 0));
    assert.ok((widths[2] ?? 0) < (widths[3] ?? 0));
    assert.ok((widths[2] ?? 0) < (widths[4] ?? 0));
  });

  it('takes the speed of a NIC as a ceiling', () => {
    assert.equal(around(1.25e9, 'nic').highBytesPerSecond, 1.25e9);
  });

  it('believes a measurement more than any hint', () => {
    const link = currentLink(movingMigration({ bandwidthBytesPerSecond: 5e6 }));
    assert.equal(link.provenance, 'measured');
    assert.equal(link.bytesPerSecond, 5e6);
  });

  it('says where the figure came from before anything was measured', () => {
    assert.equal(currentLink(readyMigration()).provenance, 'configured');
    assert.equal(currentLink(readyMigration({ link: unknownLink })).provenance, 'unknown');
  });

  it('never promises more than the cap of the objective', () => {
    const order = migrateOrder({ maxBandwidthBytesPerSecond: 10 * mebibyte });
    for (const link of [unknownLink, around(1e9, 'learned')]) {
      const known = currentLink(readyMigration({ order, link }));
      assert.ok(known.highBytesPerSecond <= 10 * mebibyte);
      assert.ok(known.lowBytesPerSecond <= known.bytesPerSecond);
    }
  });

  it('weighs a known link at one bandwidth, an unknown one over its whole range', () => {
    assert.deepEqual(plausibleBandwidths(around(1e8, 'measured')), [1e8]);
    const grid = plausibleBandwidths(unknownLink);
    assert.ok(grid.length > 5);
    assert.equal(grid[0], unknownLink.lowBytesPerSecond);
    assert.ok(Math.abs((grid.at(-1) ?? 0) / unknownLink.highBytesPerSecond - 1) < 1e-9);
    grid.slice(1).forEach((each, index) => assert.ok(each > (grid[index] ?? Infinity)));
  });
});
