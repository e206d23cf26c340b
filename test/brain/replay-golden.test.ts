/**
 * Migrations recorded on real QEMU, decided again: the decisions are the same, byte for byte.
 * `npm run golden` takes over what the core decides now, after a change that is meant.
 */
import assert from 'node:assert/strict';
import type { Input } from '../../brain/core/input.ts';
import {
  expectAnew,
  goldenNames,
  readGolden,
  replayGolden,
  writeGolden,
} from '../traces/golden.ts';

const isRewriting = process.env['FERRYMAN_GOLDEN'] === 'rewrite';

type Sample = Extract<Input, { kind: 'sample' }>;

/** The lines with the backlog halved in the sample at which the core first tuned a migration. */
function withOneBacklogChanged(lines: readonly string[]): readonly string[] {
  const { decisions } = replayGolden(lines);
  const tuned = decisions.find(({ operation: { kind } }) => kind === 'throttle' || kind === 'tune');
  assert.ok(tuned, 'the core tuned this migration');
  return lines.map((text) => {
    const line = JSON.parse(text) as { type: string; input?: Input };
    const { input } = line;
    if (input?.kind !== 'sample' || input.side !== 'source') return text;
    if (input.atMilliseconds !== tuned.atMilliseconds || !input.sample.ram) return text;
    return JSON.stringify({ ...line, input: halved(input, input.sample.ram) });
  });
}

function halved(input: Sample, ram: NonNullable<Sample['sample']['ram']>): Sample {
  const remainingBytes = ram.remainingBytes / 2;
  return { ...input, sample: { ...input.sample, ram: { ...ram, remainingBytes } } };
}

describe('golden traces', () => {
  const names = goldenNames();

  it('are there for each kind and both versions of QEMU', () => {
    const kinds = ['random-cgroup', 'random-qemu', 'text', 'sparse', 'moderate', 'ladder'];
    const expected = kinds.flatMap((kind) => [`${kind}-10.0`, `${kind}-7.2`]);
    assert.deepEqual(names, expected.sort());
  });

  for (const name of names) {
    it(`${name} is decided as it was`, () => {
      const lines = readGolden(name);
      if (isRewriting) writeGolden(name, expectAnew(lines));
      const { mismatch, decisions, result, recordedResult } = replayGolden(readGolden(name));
      assert.equal(mismatch, undefined, JSON.stringify(mismatch, undefined, 2));
      assert.ok(decisions.length > 5);
      assert.deepEqual(result, recordedResult);
      assert.equal(result?.outcome, 'completed');
    });
  }

  for (const name of names.filter((each) => /^(random|ladder)/.test(each))) {
    it(`${name} is decided otherwise when one backlog was another`, () => {
      const changed = withOneBacklogChanged(readGolden(name));
      assert.notEqual(replayGolden(changed).mismatch, undefined);
    });
  }
});
