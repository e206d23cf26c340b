import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { ProbeReport } from '../../../../../shared/sample.ts';
import { families } from '../../../../../shared/sample.ts';
import { around, unknownLink } from '../../../../../brain/core/link.ts';
import type { Migration } from '../../../../../brain/core/migration.ts';
import {
  chooseFamily,
  leastCost,
  methodOf,
  outlook,
} from '../../../../../brain/core/policies/adaptive/family-choice.ts';
import { withWorkingSet } from '../../../../../brain/core/workload.ts';
import {
  mebibyte,
  migrateOrder,
  probeReport,
  randomCurve,
  readyMigration,
  vmFacts,
} from '../../support.ts';

const text = { compressionRatio: 8, dirtyCompressionRatio: 8 };
const counters = { xbzrleDeltaShare: 0.01 };
const resting = { dirtyCurve: randomCurve(mebibyte, 10_000) };

function choose(probe: Partial<ProbeReport>, change: Partial<Migration> = {}) {
  return chooseFamily(withWorkingSet(readyMigration({ probe: probeReport(probe), ...change })));
}

const withFamilies = (
  ...families: NonNullable<Parameters<typeof vmFacts>[1]>['families'] & object
) => ({
  source: vmFacts('source', { families }),
  destination: vmFacts('destination', { families }),
});

describe('core/policies/adaptive/family-choice', () => {
  it('compresses what compresses on a link that is slow', () => {
    const plan = choose(text);
    assert.equal(plan.arming.family, 'multifd-zstd');
    assert.equal(plan.method, 'compression');
  });

  it('takes XBZRLE where pages change by little and do not compress', () => {
    assert.equal(choose(counters).arming.family, 'xbzrle');
  });

  it('leaves it plain where nothing gains: random pages, or a guest at rest', () => {
    assert.equal(choose({}).arming.family, 'plain');
    assert.equal(choose(resting).arming.family, 'plain');
    assert.equal(choose(resting).rule, 'no-method-pays');
  });

  it('leaves it plain for a small guest that hardly writes, although its deltas are tiny', () => {
    const small = { ...counters, dirtyCurve: randomCurve(8192, 1000), zeroShare: 0.93 };
    assert.equal(choose(small).arming.family, 'plain');
  });

  it('does not compress for a fast link', () => {
    const link = around(1.25e9, 'configured');
    const slow = { ...text, ...resting, compressionSecondsPerPage: 67e-6 };
    assert.equal(choose(slow, { link }).arming.family.includes('z'), false);
  });

  it('takes only what both sides have', () => {
    assert.equal(choose(text, withFamilies('plain', 'xbzrle')).arming.family, 'plain');
    assert.equal(choose(text, withFamilies('plain', 'multifd-zlib')).arming.family, 'multifd-zlib');
  });

  it('takes compression that post-copy can follow only where it was asked for', () => {
    const sides = withFamilies('plain', 'compress', 'multifd-zstd');
    assert.equal(choose(text, sides).arming.family, 'multifd-zstd');
    assert.equal(choose(text, withFamilies('plain', 'compress')).arming.family, 'compress');
  });

  it('arms post-copy where the chosen family bears it', () => {
    const order = migrateOrder({ postCopy: 'last-resort' });
    assert.equal(choose({}, { order }).arming.postCopy, true);
  });

  it('chooses over the whole range while the link is unknown', () => {
    const plan = choose(text, { link: unknownLink });
    assert.equal(plan.evidence['linkProvenance'], 'unknown');
    assert.equal(plan.arming.family, 'multifd-zstd');
  });

  it('says what it expects, and what each family would have cost', () => {
    const { evidence, prediction } = choose(text);
    assert.ok(Number(evidence['cost multifd-zstd']) < Number(evidence['cost plain']));
    assert.ok((prediction?.totalMilliseconds ?? 0) > 0);
    assert.ok((prediction?.transferredBytes ?? 0) > 0);
  });

  it('names the method that a family belongs to', () => {
    assert.deepEqual(
      (['plain', 'xbzrle', 'multifd', 'multifd-zstd', 'compress'] as const).map(methodOf),
      ['plan', 'xbzrle', 'multifd', 'compression', 'compression'],
    );
  });
});

describe('core/policies/adaptive/family-choice: the least cost', () => {
  it('is never above the outlook that it stands for, whatever the guest and the link', () => {
    const ratio = fc.double({ min: 1, max: 20, noNaN: true });
    const drawn = fc.record({
      compressionRatio: ratio,
      dirtyCompressionRatio: ratio,
      zeroShare: fc.double({ min: 0, max: 0.95, noNaN: true }),
      dirtyMebibytes: fc.integer({ min: 1, max: 200 }),
      linkMebibytes: fc.option(fc.integer({ min: 1, max: 2000 }), { nil: undefined }),
    });
    fc.assert(
      fc.property(drawn, ({ dirtyMebibytes, linkMebibytes, ...probe }) => {
        const dirtyCurve = randomCurve(64 * mebibyte, dirtyMebibytes * mebibyte);
        const link =
          linkMebibytes === undefined
            ? unknownLink
            : around(linkMebibytes * mebibyte, 'configured');
        const migration = withWorkingSet(
          readyMigration({ probe: probeReport({ ...probe, dirtyCurve }), link }),
        );
        for (const family of families) {
          const { cost } = outlook(migration, family);
          assert.ok(leastCost(migration, family) <= cost, `${family}: ${cost}`);
        }
      }),
      { numRuns: 60 },
    );
  });
});
