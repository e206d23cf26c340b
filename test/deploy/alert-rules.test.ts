import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { projectRoot } from '../../scripts/tools.mjs';

interface Rule {
  readonly alert: string;
  readonly annotations: { readonly runbook_url: string };
}

const read = (...parts: string[]) => readFileSync(join(projectRoot, ...parts), 'utf8');
const { groups } = parse(read('deploy/prometheus/ferryman.rules.yml')) as {
  groups: readonly { rules: readonly Rule[] }[];
};
const rules = groups.flatMap((group) => group.rules);

describe('deploy/prometheus', () => {
  it('has a runbook page for each alert, which speaks of it, and no page without', () => {
    const pages = rules.map(({ alert, annotations: { runbook_url: page } }) => {
      assert.ok(existsSync(join(projectRoot, page)), page);
      assert.ok(read(page).includes(alert), `${page} does not speak of ${alert}`);
      assert.ok(read('docs/runbooks/README.md').includes(alert), `README without ${alert}`);
      return page.split('/').at(-1);
    });
    const there = readdirSync(join(projectRoot, 'docs/runbooks'));
    assert.deepEqual(new Set(there), new Set([...pages, 'README.md']));
  });

  it('plays each alert, and what must not raise it', () => {
    const tests = read('deploy/prometheus/ferryman.rules.test.yml');
    for (const { alert } of rules) {
      const cases = tests.split(`alertname: ${alert}\n`).slice(1);
      const isQuiet = (text: string) => text.trimStart().startsWith('exp_alerts: []');
      assert.ok(cases.some(isQuiet), `${alert} is never seen quiet`);
      assert.ok(
        cases.some((text) => !isQuiet(text)),
        `${alert} is never raised`,
      );
    }
  });
});
