import assert from 'node:assert/strict';
import type { ProbeReport } from '../../../shared/sample.ts';
import { around, unknownLink } from '../../../brain/core/link.ts';
import type { Migration } from '../../../brain/core/migration.ts';
import {
  predictMigration,
  type FamilyPrediction,
  type Span,
} from '../../../brain/core/prediction.ts';
import { withWorkingSet } from '../../../brain/core/workload.ts';
import { mebibyte, probeReport, randomCurve, readyMigration, vmFacts } from './support.ts';

const idle: Partial<ProbeReport> = {
  dirtyCurve: [{ windowMilliseconds: 500, dirtyBytes: 0 }],
};
const sparse: Partial<ProbeReport> = {
  xbzrleDeltaShare: 0.02,
  dirtyCurve: randomCurve(48 * mebibyte, 60 * mebibyte),
};

function predicted(probe: Partial<ProbeReport>, change: Partial<Migration> = {}) {
  return predictMigration(withWorkingSet(readyMigration({ probe: probeReport(probe), ...change })));
}

function familyIn(families: readonly FamilyPrediction[], name: string): FamilyPrediction {
  const found = families.find(({ family }) => family === name);
  assert.ok(found, name);
  return found;
}

const spans = (family: FamilyPrediction): readonly Span[] => [
  family.totalMilliseconds,
  family.downtimeMilliseconds,
  family.transferredBytes,
  family.guestWorkLostSeconds,
  family.throttlePercent,
];

describe('core/prediction', () => {
  it('has every figure of every legal family within its range, least cost first', () => {
    const { families } = predicted(sparse);
    assert.equal(families.length, vmFacts('source').families.length);
    const costs = families.map(({ cost }) => cost);
    assert.deepEqual(
      costs,
      [...costs].sort((left, right) => left - right),
    );
    for (const { likely, low, high } of families.flatMap(spans)) {
      assert.ok(low <= likely && likely <= high, `${low} ${likely} ${high}`);
    }
  });

  it('predicts one copy at the speed of the link for an idle guest, left alone', () => {
    const { families, chosen } = predicted(idle);
    const plain = familyIn(families, 'plain');
    assert.ok(plain.finishes);
    assert.equal(plain.finishingShare, 1);
    assert.ok(Math.abs(plain.totalMilliseconds.likely - 4000) < 200);
    assert.equal(plain.throttlePercent.likely, 0);
    assert.equal(chosen.family, 'plain');
    assert.equal(chosen.rule, 'no-method-pays');
  });

  it('knows the method that each content asks for', () => {
    assert.equal(predicted(sparse).chosen.family, 'xbzrle');
    const text = predicted({ compressionRatio: 3, dirtyCompressionRatio: 3 });
    assert.match(text.chosen.family, /^multifd-z/);
  });

  it('counts bytes on the wire, not guest RAM', () => {
    const text = predicted({ ...idle, compressionRatio: 4, dirtyCompressionRatio: 4 });
    const { transferredBytes, ratio } = familyIn(text.families, 'multifd-zlib');
    assert.ok(Math.abs(transferredBytes.likely / (32 * mebibyte) - 1) < 0.05);
    assert.ok(Math.abs(ratio.likely - 4) < 0.1 && ratio.low < 4 && ratio.high > 4);
    assert.equal(familyIn(text.families, 'plain').ratio.likely, 1);
  });

  it('lets no promise of a family shorten the first pass, which is sent in full', () => {
    const source = vmFacts('source', { ramBytes: 64 * mebibyte });
    const xbzrle = familyIn(predicted(sparse, { source }).families, 'xbzrle');
    assert.ok(xbzrle.totalMilliseconds.low > 1500, String(xbzrle.totalMilliseconds.low));
  });

  it('says what a guest that outruns the link costs, and that nothing ends without a throttle', () => {
    const busy = predicted({});
    const plain = familyIn(busy.families, 'plain');
    assert.ok(plain.throttlePercent.likely > 0 && plain.guestWorkLostSeconds.likely > 0);
    const source = vmFacts('source', { throttles: [] });
    const helpless = familyIn(predicted({}, { source }).families, 'plain');
    assert.equal(helpless.finishes, false);
    assert.equal(helpless.finishingShare, 0);
    assert.equal(helpless.totalMilliseconds.likely, 600_000);
  });

  it('throttles as late as pays, since the policy waits for that as well', () => {
    const plain = familyIn(predicted({}).families, 'plain');
    assert.equal(plain.throttleFromRound, 2, 'a guest that outruns the link is not waited for');
    const slow = { dirtyCurve: randomCurve(64 * mebibyte, 40 * mebibyte) };
    const patient = familyIn(predicted(slow).families, 'plain');
    assert.ok(patient.throttlePercent.likely > 0);
    assert.ok((patient.throttleFromRound ?? 0) > 2, String(patient.throttleFromRound));
    assert.equal(familyIn(predicted(idle).families, 'plain').throttleFromRound, undefined);
  });

  it('has a wider range the less is known of the link and of the guest', () => {
    const width = ({ low, high }: Span) => high - low;
    const totalOf = (probe: Partial<ProbeReport>, link: Migration['link']) =>
      width(familyIn(predicted(probe, { link }).families, 'plain').totalMilliseconds);
    const configured = around(32 * mebibyte, 'configured');
    const known = totalOf(sparse, configured);
    assert.ok(known < totalOf(sparse, around(32 * mebibyte, 'learned')));
    assert.ok(known < totalOf({ ...sparse, sampledPages: 50 }, configured));
    const unknown = predicted(idle, { link: unknownLink });
    assert.equal(unknown.link.provenance, 'unknown');
    assert.ok(familyIn(unknown.families, 'plain').totalMilliseconds.high > 10_000);
  });

  it('tells each usual speed of a link that is not known, and none of one that is', () => {
    const { overLinks = [] } = predicted(idle, { link: unknownLink });
    assert.deepEqual(
      overLinks.map(({ bytesPerSecond }) => bytesPerSecond),
      [12.5e6, 125e6, 1.25e9],
    );
    const seconds = overLinks.map(({ totalMilliseconds }) => totalMilliseconds / 1000);
    assert.ok(Math.abs((seconds[0] ?? 0) / ((128 * mebibyte) / 12.5e6) - 1) < 0.1);
    assert.ok(seconds.every((each, index) => each < (seconds[index - 1] ?? Infinity)));
    const known = predicted(idle, { link: around(32 * mebibyte, 'configured') });
    assert.equal(known.overLinks, undefined);
  });

  it('does not invent a guest where there was no probe', () => {
    const { guest, unprobedBecause, families } = predictMigration(readyMigration());
    assert.equal(guest, undefined);
    assert.match(unprobedBecause ?? '', /cannot be probed/);
    assert.ok(familyIn(families, 'plain').finishes);
  });

  it('tells the guest as the probe saw it', () => {
    const { guest } = predicted({ ...sparse, zeroShare: 0.25 });
    assert.equal(guest?.zeroShare, 0.25);
    assert.ok(Math.abs(guest.workingSetBytes / (48 * mebibyte) - 1) < 0.1);
  });
});
