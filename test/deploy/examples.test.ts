import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadPolicy } from '../../agent/host/policy-file.ts';
import { projectRoot } from '../../scripts/tools.mjs';
import { loadClientConfig } from '../../shared/config/client.ts';
import { loadAgentConfig, loadBrainConfig } from '../../shared/config.ts';

const example = (name: string) => join(projectRoot, 'deploy/ferryman', name);

describe('deploy/ferryman', () => {
  let folder: string;
  let flags: Readonly<Record<string, string>>;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'ferryman-examples-'));
    const seed = join(folder, 'seed');
    writeFileSync(seed, 'SUAEXAMPLE\n', { mode: 0o600 });
    flags = { 'nats.nkeySeedFile': seed };
  });
  after(() => {
    rmSync(folder, { recursive: true });
  });

  it('has configurations that are read as they are', () => {
    const agent = loadAgentConfig(example('agent.yaml'), {}, flags);
    assert.deepEqual(agent.nats.credentials, { kind: 'nkey', seed: 'SUAEXAMPLE' });
    assert.equal(agent.policyFile, '/etc/ferryman/policy.yaml');
    const brain = loadBrainConfig(example('brain.yaml'), {}, flags);
    assert.equal(brain.mode, 'advise');
    assert.notEqual(agent.monitoring?.listen.port, brain.monitoring?.listen.port);
  });

  it('shows an operator how to log in', () => {
    const { nats } = loadClientConfig(example('client.yaml'), {
      FERRYMAN_NATS_NKEY_SEED_FILE: flags['nats.nkeySeedFile'],
    });
    assert.equal(nats.credentials?.kind, 'nkey');
  });

  it('has a host policy that lets no brain do its worst', () => {
    const { postCopy, maxThrottlePercent, destinationCommand } = loadPolicy(example('policy.yaml'));
    assert.equal(postCopy, false);
    assert.ok(maxThrottlePercent < 99);
    assert.equal(destinationCommand, undefined);
  });
});

describe('deploy/debian', () => {
  const shipped = (name: string) => join(projectRoot, 'deploy/debian/etc', name);

  it('has configurations that work as they are, and change nothing', () => {
    const agent = loadAgentConfig(shipped('agent.yaml'), {}, {});
    const brain = loadBrainConfig(shipped('brain.yaml'), {}, {});
    const { nats } = loadClientConfig(shipped('ferryman.yaml'), {});
    assert.equal(agent.nats.url, nats.url);
    assert.equal(brain.nats.url, nats.url);
    assert.equal(brain.mode, 'advise');
    const { postCopy, destinationCommand } = loadPolicy(shipped('policy.yaml'));
    assert.deepEqual([postCopy, destinationCommand], [false, undefined]);
  });
});
