import assert from 'node:assert/strict';
import type { Family } from '../../../shared/sample.ts';
import { learnedBytesPerSecond } from '../../../brain/core/link-lesson.ts';
import type { Migration, Round } from '../../../brain/core/migration.ts';
import { mebibyte, plainArming, probeReport, readyMigration } from './support.ts';

const link = 32 * mebibyte;
/** What the kernel has taken at the end of a round and not sent yet. */
const buffer = 4 * mebibyte;

/** A round that drained this much RAM at the speed of the link. */
function round(seconds: number, change: Partial<Round> = {}): Round {
  return {
    number: 1,
    attempt: 1,
    startedAtMilliseconds: 0,
    endedAtMilliseconds: seconds * 1000,
    startRemainingBytes: seconds * link,
    endRemainingBytes: 0,
    unsentBytes: 0,
    transferredBytes: seconds * link + buffer,
    guestRunMilliseconds: seconds * 1000,
    throttlePercent: 0,
    ...change,
  };
}

function after(family: Family, ...rounds: readonly Round[]): Migration {
  const arming = { ...plainArming, family };
  const attempts = [{ number: 1, arming, transferredBytes: 0 }];
  return readyMigration({ probe: probeReport({ compressionRatio: 3 }), attempts, rounds });
}

describe('core/link-lesson', () => {
  it('is what the fullest long round got through', () => {
    const slack = round(2, { transferredBytes: link });
    assert.equal(learnedBytesPerSecond(after('plain', slack, round(3))), link);
  });

  it('takes no short round for the link', () => {
    assert.equal(learnedBytesPerSecond(after('plain', round(0.2))), undefined);
    assert.equal(learnedBytesPerSecond(after('plain')), undefined);
  });

  it('learns from compressed rounds that waited for the link, not for the CPU', () => {
    const drained = (bytesPerSecond: number) =>
      round(2, { startRemainingBytes: 2 * bytesPerSecond });
    assert.equal(learnedBytesPerSecond(after('multifd-zlib', drained(3 * link))), link);
    // Four threads at 67 microseconds a page: about 244 MB/s.
    assert.equal(learnedBytesPerSecond(after('multifd-zlib', drained(230e6))), undefined);
  });

  it('does not take what waits in socket buffers for what went over the link', () => {
    const brief = round(0.6, { transferredBytes: 0.6 * link + 4 * buffer });
    const { attempts, ...rest } = after('multifd-zlib', brief);
    const wide = attempts.map((each) => ({
      ...each,
      arming: { ...each.arming, multifdChannels: 4 },
    }));
    assert.equal(learnedBytesPerSecond({ ...rest, attempts: wide }), undefined);
  });

  it('takes no count from before compression for what went over the link', () => {
    assert.equal(learnedBytesPerSecond(after('multifd-zlib', round(2))), undefined);
  });

  it('learns nothing from a pass over empty memory', () => {
    const empty = round(1, { startRemainingBytes: 2e9, transferredBytes: mebibyte });
    assert.equal(learnedBytesPerSecond(after('plain', empty)), undefined);
  });
});
