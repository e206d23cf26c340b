/** How exposed the services of the packages are, as systemd-analyze rates them: 0 is best, 10 worst. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectRoot } from './tools.mjs';

const source = join(projectRoot, 'deploy/systemd');

/** What is rated: a service, alone or with rights added. */
const profiles = [
  { service: 'ferryman-brain', rights: [] },
  { service: 'ferryman-agent', rights: [] },
  { service: 'ferryman-agent', rights: ['probe'] },
  { service: 'ferryman-agent', rights: ['quota'] },
  { service: 'ferryman-agent', rights: ['probe', 'quota'] },
];

/** Each profile with its rating, undefined where there is no systemd-analyze that can tell. */
export function exposures() {
  return profiles.map(({ service, rights }) => ({
    profile: [service, ...rights].join(' + '),
    exposure: exposureOf(service, rights),
  }));
}

function exposureOf(service, rights) {
  const root = mkdtempSync(join(tmpdir(), 'ferryman-units-'));
  try {
    const units = join(root, 'etc/systemd/system');
    const unit = `${service}.service`;
    mkdirSync(join(units, `${unit}.d`), { recursive: true });
    cpSync(join(source, unit), join(units, unit));
    for (const right of rights)
      cpSync(join(source, `agent-rights/${right}.conf`), join(units, `${unit}.d/${right}.conf`));
    const args = ['security', '--no-pager', '--offline=true', `--root=${root}`, unit];
    const { stdout } = spawnSync('systemd-analyze', args, { encoding: 'utf8' });
    const [, figure] = /exposure level for .*: ([\d.]+)/.exec(stdout ?? '') ?? [];
    return figure === undefined ? undefined : Number(figure);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}
