/**
 * Root hooks of the system tests: whatever they start, nothing of it is left at the end.
 *
 * All of them work below a temporary folder of this run, which everything they start inherits as
 * TMPDIR; so a process that still has it, whoever its parent is by now, was left behind.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sweep } from '../../agent/throttle/groups.ts';
import { detectLayout } from '../../agent/throttle/layouts.ts';
import { tools } from '../../scripts/tools.mjs';
import { canShape } from '../rig/network.ts';

const folder = mkdtempSync(join(tmpdir(), 'fm-'));
process.env['TMPDIR'] = folder;

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** Ends the processes that were started by this run and are still there; as `pid command`. */
function endProcesses(): string[] {
  const left = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => read(`/proc/${pid}/environ`).includes(`TMPDIR=${folder}`))
    .map((pid) => `${pid} ${read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').slice(0, 200)}`)
    // The compiler of tsx, which runs us, ends with us.
    .filter((each) => !/^\d+ \S*\/esbuild /.test(each));
  for (const each of left) process.kill(parseInt(each), 'SIGKILL');
  return left;
}

function networks(): string[] {
  if (!canShape()) return [];
  const names = execFileSync(tools().ip, ['netns', 'list'], { encoding: 'utf8' }).split('\n');
  return names.filter((name) => name.startsWith(`ferryman-${process.pid}-`));
}

/** How many groups ferryman processes that no longer live have left; they are removed. */
function sweepGroups(): number {
  const layout = detectLayout();
  return layout === undefined || !canShape() ? 0 : sweep(layout);
}

export const mochaHooks = {
  beforeAll(): void {
    sweepGroups();
    if (canShape()) return;
    const instead =
      'links are capped by --max-bandwidth, and tests of the cgroup throttle left out';
    console.log(`  without root no link can be shaped and no cgroup made: ${instead}`);
  },
  afterAll(): void {
    const left = [...endProcesses(), ...networks()];
    rmSync(folder, { recursive: true, force: true });
    assert.deepEqual(left, [], 'left behind by these tests');
    assert.equal(sweepGroups(), 0, 'cgroups left behind');
  },
};
