/** Two hosts of libvirt, an agent on each, and a brain that follows what it sees, in this process. */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createAgent } from '../../agent/agent.ts';
import { hostPolicy } from '../../agent/host/policy-file.ts';
import type { Migration, MigrationResult } from '../../brain/core/migration.ts';
import { reduce, startMigration } from '../../brain/core/reduce.ts';
import type { Following } from '../../brain/migrations/following.ts';
import { openDesk } from '../../brain/desk/order-desk.ts';
import { createBrain, type Brain } from '../../brain/service.ts';
import { systemClock } from '../../shared/clock.ts';
import { silentLog } from '../../shared/log.ts';
import { memoryBroker } from '../../shared/memory-bus.ts';
import { defaultObjective } from '../../shared/objective.ts';
import { startLibvirtPair, type LibvirtHost, type LibvirtPair } from '../rig/libvirt.ts';
import { linkBytesPerSecond, mebibyte, until, type Stage } from './support.ts';

/** QEMU's limit is a soft one: what the socket holds comes on top, and this machine may be busy. */
export const mostDowntimeMilliseconds = defaultObjective.downtimeLimitMilliseconds + 150;

export interface Watched {
  readonly pair: LibvirtPair;
  readonly brain: Brain;
  /** How migrations of others are followed from now on; `observe` at first. */
  follow(mode: Following['mode']): void;
  /** Orders in the words of the desk, of a brain in mode act. */
  order(verb: string, order: object): Promise<Readonly<Record<string, unknown>>>;
  /** The migration that the brain took in hand last. */
  latest(): Migration | undefined;
  /** The migration that is the nth to be taken in hand. */
  seen(count: number): Promise<Migration>;
  settled(): Promise<Migration>;
  /** Hosts on which this VM is shown as running. */
  runsOn(uuid: string): readonly string[];
}

/** Both up and watched; the stage ends them. */
export async function watchLibvirt(stage: Stage): Promise<Watched> {
  const pair = await startLibvirtPair(linkBytesPerSecond);
  stage.undo(() => pair.stop());
  const broker = memoryBroker();
  let mode: Following['mode'] = 'observe';
  const bus = broker.connect();
  const brain = createBrain({
    ...{ bus, clock: systemClock, log: silentLog, reduce, start: startMigration, epoch: 1 },
    following: () => ({ mode, policy: 'adaptive', objective: defaultObjective }),
  });
  brain.start();
  const desk = openDesk({ bus, brain, log: silentLog, name: 'b', policy: 'adaptive', mode: 'act' });
  stage.undo(() => {
    desk.stop();
    brain.stop();
  });
  const folder = stage.folder();
  for (const [host, libvirt, name] of [
    ['a', pair.source, 'host-a'],
    ['b', pair.destination, 'host-b'],
  ] as const) {
    const agent = createAgent({
      ...{ host, bus: broker.connect(), clock: systemClock, log: silentLog },
      libvirt: { uri: libvirt.uri },
      policy: hostPolicy({ libvirtUri: `qemu+tcp://${name}/system` }),
      journalPath: join(folder, `${host}.journal`),
    });
    await agent.start();
    stage.undo(() => agent.stop());
  }
  const latest = () => brain.migrations().at(-1);
  const operator = broker.connect();
  return {
    ...{ pair, brain, latest },
    follow: (next) => {
      mode = next;
    },
    order: async (verb, order) => {
      const payload = new TextEncoder().encode(JSON.stringify(order));
      const reply = await operator.request(`ferryman.v1.op.${verb}`, payload, 30_000);
      return JSON.parse(new TextDecoder().decode(reply)) as Record<string, unknown>;
    },
    seen: async (count) => {
      await until('the migration is seen', () => brain.migrations().length === count);
      return latest() ?? assert.fail();
    },
    settled: async () => {
      await until('it is settled', () => latest()?.phase === 'settled', 90_000);
      return latest() ?? assert.fail();
    },
    runsOn: (uuid) =>
      brain
        .hosts()
        .flatMap(({ vms }) => vms)
        .filter(({ ref, runState }) => ref.uuid === uuid && runState === 'running')
        .map(({ ref }) => ref.host),
  };
}

/** What QEMU's parameters are now, by libvirt. */
export async function parametersOf(
  host: LibvirtHost,
  name: string,
): Promise<Readonly<Record<string, unknown>>> {
  const query = '{"execute":"query-migrate-parameters"}';
  const reply = await host.virsh('qemu-monitor-command', name, query);
  return (JSON.parse(reply) as { return: Record<string, unknown> }).return;
}

/** The group of the domain's vCPU, as the controller of CPU time knows it. */
export function vcpuGroup(host: LibvirtHost, name: string): string {
  const tasks = `/proc/${String(host.pidOf(name))}/task`;
  const vcpu = readdirSync(tasks).find((id) =>
    readFileSync(join(tasks, id, 'comm'), 'utf8').startsWith('CPU 0/'),
  );
  const text = readFileSync(join(tasks, vcpu ?? '', 'cgroup'), 'utf8');
  return /^\d+:(?:[^:]*,)?cpu(?:,[^:]*)?:(\/.*)$/m.exec(text)?.[1] ?? assert.fail(text);
}

/** What `domjobinfo` says of it, in the unit in which it does. */
export function figure(text: string, label: string): number {
  return Number(new RegExp(`^${label}:\\s+([\\d.]+)`, 'm').exec(text)?.[1]);
}

/** libvirt counts from its own start: it brings the destination up first. */
const mostPreparationMilliseconds = 2000;

/** libvirt's figures on a migration that came to this host are those of the result. */
export async function agrees(host: LibvirtHost, name: string, result: MigrationResult) {
  const told = await host.virsh('domjobinfo', '--completed', name);
  const story = `${told}\n${JSON.stringify(result)}`;
  const elapsed = figure(told, 'Time elapsed') - result.totalMilliseconds;
  assert.ok(elapsed > -500 && elapsed < mostPreparationMilliseconds, story);
  assert.ok(Math.abs(figure(told, 'Total downtime') - result.downtimeMilliseconds) <= 10, story);
  // The last passes may be shorter than the time between two samples.
  assert.ok(Math.abs(figure(told, 'Iteration') - result.rounds) <= 2, story);
  const [, amount, unit] = /^Memory processed:\s+([\d.]+) (\w)iB$/m.exec(told) ?? [];
  const processedBytes = Number(amount) * (unit === 'G' ? 1024 * mebibyte : mebibyte);
  assert.ok(Math.abs(processedBytes - result.transferredBytes) < mebibyte, story);
}
