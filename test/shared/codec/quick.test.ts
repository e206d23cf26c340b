import assert from 'node:assert/strict';
import fc from 'fast-check';
import * as z from 'zod';
import * as commandSchemas from '../../../shared/codec/command-schemas.ts';
import { quickCheck } from '../../../shared/codec/quick.ts';
import * as telemetrySchemas from '../../../shared/codec/telemetry-schemas.ts';
import * as messages from './messages.ts';

const kinds = {
  telemetry: { schema: telemetrySchemas.telemetry, arbitrary: messages.telemetry },
  command: { schema: commandSchemas.command, arbitrary: messages.command },
  beacon: { schema: telemetrySchemas.beacon, arbitrary: messages.beacon },
};

/** What a field may be changed into. */
const oddities = [undefined, null, -1, 0.5, NaN, Infinity, 2 ** 53, '', 'x'.repeat(5000), [], {}];

/** Every object and list within, the message itself first. */
function parts(value: unknown): Record<string, unknown>[] {
  if (typeof value !== 'object' || value === null) return [];
  return [value as Record<string, unknown>, ...Object.values(value).flatMap(parts)];
}

describe('shared/codec/quick', () => {
  for (const [name, { schema, arbitrary }] of Object.entries(kinds)) {
    it(`says yes to what a ${name} may be, but where only zod can tell`, () => {
      const isValid = quickCheck(schema);
      const yes = fc.sample(arbitrary as fc.Arbitrary<unknown>, 300).filter(isValid).length;
      assert.ok(yes > 150, `${yes} of 300`);
    });

    it(`never says yes to a ${name} that zod refuses`, () => {
      const isValid = quickCheck(schema);
      const spoilt = fc.tuple(arbitrary as fc.Arbitrary<unknown>, fc.nat(), fc.nat());
      const odd = fc.constantFrom(...oddities);
      fc.assert(
        fc.property(spoilt, odd, ([message, which, field], oddity) => {
          const copy = structuredClone(message);
          const all = parts(copy);
          const part = all[which % all.length] ?? {};
          const keys = Object.keys(part);
          const key = keys[field % keys.length];
          if (key !== undefined) part[key] = oddity;
          if (!isValid(copy)) return;
          assert.deepEqual(schema.parse(copy), copy);
        }),
        { numRuns: 1000 },
      );
    });
  }

  it('leaves to zod what it does not know', () => {
    const strange = [z.email(), z.date(), z.string().trim(), z.number().gt(0), z.strictObject({})];
    const values = ['a@b.example', new Date(), ' a ', 1, {}];
    for (const [index, schema] of strange.entries()) {
      assert.equal(quickCheck(schema)(values[index]), false, schema.type);
    }
  });
});
