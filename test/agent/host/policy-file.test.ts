import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  hostPolicy,
  loadPolicy,
  PolicyError,
  standalonePolicy,
} from '../../../agent/host/policy-file.ts';

describe('host policy', () => {
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'ferryman-policy-'));
  });
  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  const file = (text: string): string => {
    const path = join(directory, 'policy.yaml');
    writeFileSync(path, text);
    return path;
  };

  it('is cautious about post-copy and ports when it says nothing', () => {
    const policy = loadPolicy(file(''));
    assert.equal(policy.postCopy, false);
    assert.deepEqual(policy.migrationPorts, { first: 49_152, last: 49_215 });
    assert.equal(policy.brainLost, 'continue');
    assert.equal(policy.mode, 'act');
  });

  it('reads what the administrator wrote', () => {
    const policy = loadPolicy(file('maxThrottlePercent: 60\nbrainLost: cancel\n'));
    assert.equal(policy.maxThrottlePercent, 60);
    assert.equal(policy.brainLost, 'cancel');
  });

  for (const [what, text, named] of [
    ['an unknown key', 'maxThrotle: 3', /maxThrotle/],
    ['a cap out of range', 'maxThrottlePercent: 100', /maxThrottlePercent/],
    ['a cap of the wrong kind', 'maxThrottlePercent: "90%"', /maxThrottlePercent/],
    ['ports the wrong way round', 'migrationPorts: {first: 9, last: 2}', /first must not be above/],
    ['broken YAML', 'a: [', /policy\.yaml:\d/],
    ['the line', 'probe: true\npostCopy: 3', /policy\.yaml:2: postCopy/],
  ] as const) {
    it(`refuses ${what} and names it`, () => {
      const path = file(text);
      assert.throws(
        () => loadPolicy(path),
        (error: Error) =>
          error instanceof PolicyError && error.message.includes(path) && named.test(error.message),
      );
    });
  }

  it('lets the operator of a single run use any port', () => {
    assert.deepEqual(standalonePolicy().migrationPorts, { first: 1, last: 65_535 });
    assert.throws(() => hostPolicy({ destinationCommand: '' }), PolicyError);
  });
});
