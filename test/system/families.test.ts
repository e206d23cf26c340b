/** The family that adaptive chooses from the probe and the link, and what it gains, on real QEMU. */
import assert from 'node:assert/strict';
import type { QemuVersion } from '../../scripts/tools.mjs';
import type { Guest } from '../guests/guest.ts';
import { canShape } from '../rig/network.ts';
import {
  bothVersions,
  build,
  copyMilliseconds,
  createStage,
  familiesOf,
  guests,
  linkBytesPerSecond,
  median,
  mebibyte,
  repetitions,
  versions,
} from './support.ts';

const stage = createStage();

/** XBZRLE sends most pages in full twice: in the first pass, and when they enter the cache. */
const sparseCopies = 2.2;

/** Migrates under adaptive; the family it ended in and the median of its times. */
async function move(qemu: QemuVersion, guest: Guest) {
  const totals: number[] = [];
  const families: (string | undefined)[] = [];
  for (let time = 0; time < repetitions; time += 1) {
    const pair = await stage.pair(guest, { qemu });
    const { code, result, lines } = await stage.migrate(pair);
    assert.equal(code, 0);
    totals.push(result.totalMilliseconds);
    families.push(familiesOf(lines).at(-1));
    await stage.clear();
  }
  return { totalMilliseconds: median(totals), families };
}

describe('the choice of a family', () => {
  before(build);
  afterEach(() => stage.clear());

  for (const qemu of bothVersions) {
    it(`compresses text on QEMU ${qemu}, faster than one plain copy`, async function () {
      this.timeout(repetitions * 40_000);
      const { totalMilliseconds, families } = await move(qemu, guests.text);
      for (const family of families) assert.match(family ?? '', /^(multifd-z(lib|std)|compress)$/);
      const copy = copyMilliseconds(guests.text);
      assert.ok(totalMilliseconds < copy, `${totalMilliseconds} ms, and a copy takes ${copy} ms`);
    });

    it(`sends sparse updates by XBZRLE on QEMU ${qemu}, within ${sparseCopies} copies`, async function () {
      this.timeout(repetitions * 40_000);
      const { totalMilliseconds, families } = await move(qemu, guests.sparse);
      assert.deepEqual(new Set(families), new Set(['xbzrle']));
      const limit = sparseCopies * copyMilliseconds(guests.sparse);
      assert.ok(totalMilliseconds <= limit, `${totalMilliseconds} ms, the limit is ${limit} ms`);
    });
  }

  for (const qemu of versions) {
    it(`does not compress random content on a fast link, on QEMU ${qemu}`, async function () {
      this.timeout(40_000);
      const fastBytesPerSecond = 250 * mebibyte;
      const pair = await stage.pair(guests.diverging, {
        qemu,
        linkBytesPerSecond: fastBytesPerSecond,
      });
      const cap = canShape() ? [] : ['--max-bandwidth', String(fastBytesPerSecond)];
      const { code, lines, result } = await stage.migrate(pair, ...cap);
      assert.equal(code, 0);
      assert.doesNotMatch(familiesOf(lines).join(), /zlib|zstd|compress/);
      const copy = (copyMilliseconds(guests.diverging) * linkBytesPerSecond) / fastBytesPerSecond;
      assert.ok(result.totalMilliseconds < 6 * copy, `${result.totalMilliseconds} ms`);
    });
  }
});
