import assert from 'node:assert/strict';
import fc from 'fast-check';
import * as units from '../../shared/units.ts';

const readers = [units.parseDuration, units.parseBandwidth, units.parsePercent] as const;

describe('shared/units', () => {
  it('reads durations', () => {
    const cases = { '300ms': 300, '2s': 2000, '1.5 s': 1500, '10m': 600_000, '1h': 3_600_000 };
    for (const [text, expected] of Object.entries(cases)) {
      assert.equal(units.parseDuration(text), expected, text);
    }
    assert.throws(() => units.parseDuration('300'), /not a duration; write 300ms/);
  });

  it('reads bandwidths: binary bytes, decimal bits', () => {
    const cases = {
      '32MiB/s': 32 * 1024 ** 2,
      '250M': 250 * 1024 ** 2,
      '1gbit': 125_000_000,
      '1Gbit/s': 125_000_000,
      '4MB/s': 4_000_000,
      '2GiB/s': 2 * 1024 ** 3,
      '1000': 1000,
    };
    for (const [text, expected] of Object.entries(cases)) {
      assert.equal(units.parseBandwidth(text), expected, text);
    }
  });

  it('reads percentages up to 100', () => {
    assert.equal(units.parsePercent('90%'), 90);
    assert.equal(units.parsePercent('12.5'), 12.5);
    assert.throws(() => units.parsePercent('101%'), { code: 'UNIT', message: /from 0 to 100/ });
  });

  it('refuses what is no quantity, and never returns nonsense', () => {
    for (const read of readers) {
      for (const text of ['', ' ', '-1', '1e9', 'NaN', '5 parsecs', '1 2', '0x10', '١٢']) {
        assert.throws(() => read(text), { name: 'UnitError', code: 'UNIT' }, text);
      }
      const anything = (text: string) => {
        try {
          assert.ok(Number.isFinite(read(text)) && read(text) >= 0);
        } catch (thrown) {
          assert.ok(thrown instanceof units.UnitError);
        }
      };
      fc.assert(fc.property(fc.string({ maxLength: 12 }), anything), { numRuns: 200 });
    }
  });
});
