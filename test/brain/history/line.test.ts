import assert from 'node:assert/strict';
import fc from 'fast-check';
import { escapeText, lineOf, tagValue, unescapeText } from '../../../brain/history/line.ts';

const point = { measurement: 'm', tags: {}, atMilliseconds: 12.4, number: 7 };

describe('brain/history/line', () => {
  it('writes whole and real figures, text and the time', () => {
    const line = lineOf({
      ...point,
      tags: { host: 'h1' },
      whole: { bytes: 2 ** 40 + 1 },
      real: { share: 0.5 },
      text: { reason: 'it "pays"' },
    });
    assert.equal(line, 'm,host=h1 bytes=1099511627777i,reason="it \\"pays\\"",share=0.5 12000007');
  });

  it('leaves out what is absent or no number, and a point without fields altogether', () => {
    const whole = { a: undefined, b: NaN, c: Infinity };
    assert.equal(lineOf({ ...point, whole, text: { d: 'x' } }), 'm d="x" 12000007');
    assert.equal(lineOf({ ...point, whole, real: { e: -Infinity } }), undefined);
  });

  it('tells times apart within a millisecond, to the nanosecond of today', () => {
    const line = lineOf({
      ...point,
      whole: { a: 1 },
      atMilliseconds: 1.7e12 + 0.9,
      number: 3_000_012,
    });
    assert.equal(line, 'm a=1i 1700000000000000012');
  });

  it('carries a document as JSON, and none that no server would take', () => {
    const document = { name: 'a "b"\n\\', share: 0.1 };
    const line = lineOf({ ...point, document }) ?? '';
    const [, field = ''] = /^m document="(.*)" 12000007$/.exec(line) ?? [];
    assert.deepEqual(JSON.parse(field.replace(/\\(["\\])/g, '$1')), document);
    assert.equal(lineOf({ ...point, document: { text: 'x'.repeat(40_000) } }), undefined);
  });

  it('gives back whatever text a name holds', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        assert.doesNotMatch(escapeText(text), /\p{Cc}/u);
        assert.equal(unescapeText(escapeText(text)), text);
      }),
    );
    assert.equal(escapeText('vm "1", größe=2'), 'vm "1", größe=2');
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
        assert.match(line, /^m(,tag=[A-Za-z0-9._-]+)? text="(?:[^"\\\n\r]|\\["\\])*" 12000007$/u);
      }),
    );
  });
});
