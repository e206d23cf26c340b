// Writes dashboards/*.json from code/; `--check` only compares and ends with 1 when they differ.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brain } from './code/brain.mjs';
import { fleet } from './code/fleet.mjs';
import { hosts } from './code/hosts.mjs';
import { migration } from './code/migration.mjs';

const folder = join(import.meta.dirname, 'dashboards');
mkdirSync(folder, { recursive: true });
for (const [name, dashboard] of Object.entries({ fleet, migration, hosts, brain })) {
  const file = join(folder, `${name}.json`);
  const text = `${JSON.stringify(dashboard, null, 2)}\n`;
  if (!process.argv.includes('--check')) {
    writeFileSync(file, text);
  } else if (readFileSync(file, 'utf8') !== text) {
    console.error(`${file} is not what code/ makes; run node deploy/grafana/build.mjs`);
    process.exitCode = 1;
  }
}
