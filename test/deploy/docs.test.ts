import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { agentMetrics } from '../../agent/metrics.ts';
import { brainMetrics } from '../../brain/monitoring/metrics.ts';
import { projectRoot } from '../../scripts/tools.mjs';
import { loadAgentConfig, loadBrainConfig } from '../../shared/config.ts';

const read = (path: string) => readFileSync(join(projectRoot, path), 'utf8');

/** What can be set by a flag, as the refusal of an unknown one lists it. */
function settableKeys(load: typeof loadAgentConfig | typeof loadBrainConfig): readonly string[] {
  try {
    load('/dev/null', {}, { unknown: '' });
  } catch (error) {
    return (error as Error).message.replace(/^.*it can be /, '').split(', ');
  }
  return [];
}

describe('docs', () => {
  it('tell of every setting', () => {
    const text = read('docs/configuration.md');
    const keys = [...settableKeys(loadAgentConfig), ...settableKeys(loadBrainConfig)];
    assert.ok(keys.length > 20);
    assert.deepEqual(
      keys.filter((key) => !text.includes(`\`${key}\``)),
      [],
    );
  });

  it('tell of every figure', async () => {
    const text = read('docs/monitoring.md');
    const options = { labelledMigrations: 1, hasHistory: true };
    const meters = [agentMetrics(() => undefined), brainMetrics(() => undefined, options)];
    const figures = await Promise.all(meters.map(({ meter }) => meter.registry.getMetricsAsJSON()));
    const names = figures.flat().map(({ name }) => name);
    assert.ok(names.length > 30);
    assert.deepEqual(
      names.filter((name) => !text.includes(`\`${name}\``)),
      [],
    );
  });

  it('lead nowhere that is not there', () => {
    const pages = readdirSync(join(projectRoot, 'docs'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.md'))
      .map((name) => `docs/${name}`);
    for (const page of pages) {
      for (const [, link = ''] of read(page).matchAll(/\]\((?!https?:)([^)#]+)/g)) {
        assert.ok(existsSync(join(projectRoot, dirname(page), link)), `${page} leads to ${link}`);
      }
    }
  });
});
