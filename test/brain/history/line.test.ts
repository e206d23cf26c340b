import assert from 'node:assert/strict';
import fc from 'fast-check';
import { lineOf, tagValue } from '../../../brain/history/line.ts';

const point = { measurement: 'm', tags: {}, atMilliseconds: 12.4 };

describe('brain/history/line', () => {
  it('writes whole and real figures, text and the time', () => {
    const line = lineOf({
      ...point,
      tags: { host: 'h1' },
      whole: { bytes: 2 ** 40 + 1 },
      real: { share: 0.5 },
      text: { reason: 'it "pays"' },
    });
    assert.equal(line, 'm,host=h1 bytes=1099511627777i,reason="it \\"pays\\"",share=0.5 12');
  });

  it('leaves out what is absent or no number, and a point without fields altogether', () => {
    const whole = { a: undefined, b: NaN, c: Infinity };
    assert.equal(lineOf({ ...point, whole, text: { d: 'x' } }), 'm d="x" 12');
    assert.equal(lineOf({ ...point, whole, real: { e: -Infinity } }), undefined);
  });

  it('keeps tags plain', () => {
    assert.equal(tagValue('a b,c=d\\'), 'a_b_c_d_');
    assert.equal(tagValue('vm-1.example_2'), 'vm-1.example_2');
  });

  it('is one line with one time, whatever names and reasons hold', () => {
    const hostile = ['\\', '"', ',', '=', ' ', '\n', '\r', '\u2028', '\0', 'é', 'a', '.'];
    const strange = fc.string({ unit: fc.constantFrom(...hostile) });
    fc.assert(
      fc.property(strange, strange, (tag, text) => {
        const line = lineOf({ ...point, tags: { tag }, text: { text } }) ?? assert.fail();
        assert.match(line, /^m(,tag=[A-Za-z0-9._-]+)? text="(?:[^"\\\n\r]|\\["\\])*" 12$/u);
      }),
    );
  });
});
