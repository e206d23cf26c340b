/** The rules of deploy/prometheus, judged by Prometheus' own tool. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot, tools } from '../../scripts/tools.mjs';
import { createStage } from './support.ts';

const deployed = (name: string) => join(projectRoot, 'deploy/prometheus', name);

/** Runs promtool and returns what it says; fails when it complains. */
function promtool(...words: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(tools().promtool, words, { encoding: 'utf8' });
  assert.equal(status, 0, `${stdout}${stderr}`);
  return stdout;
}

describe('the alert rules', () => {
  const stage = createStage();
  afterEach(() => stage.clear());

  it('fire when they should and at no other time', () => {
    promtool('test', 'rules', deployed('ferryman.rules.test.yml'));
  });

  it('are found by a Prometheus that is configured as shown', () => {
    const folder = stage.folder();
    copyFileSync(deployed('ferryman.rules.yml'), join(folder, 'ferryman.rules.yml'));
    const configuration = readFileSync(deployed('prometheus.yml'), 'utf8');
    writeFileSync(
      join(folder, 'prometheus.yml'),
      configuration.replace('/etc/prometheus/', `${folder}/`),
    );
    assert.match(promtool('check', 'config', join(folder, 'prometheus.yml')), /SUCCESS: 10 rules/);
  });
});
