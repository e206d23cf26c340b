import assert from 'node:assert/strict';
import type { Migration } from '../../../brain/core/migration.ts';
import { brainMetrics } from '../../../brain/monitoring/metrics.ts';
import { activeSample, mebibyte, movingMigration, roundOf } from '../core/support.ts';
import { factsOf, order, sampleOf, settle } from '../fixtures.ts';
import type { Decide } from '../fixtures.ts';
import { closeHouses, openHouse, type House } from '../house.ts';

function moving(id: string, change: Partial<Migration> = {}): Migration {
  const last = { ...activeSample({ dirtyPagesPerSecond: 100 }), throttlePercent: 30 };
  return movingMigration({ id, last, lastProgressAtMilliseconds: 7_500, ...change });
}

/** All lines of a brain with these migrations. */
async function linesOf(migrations: readonly Migration[], labelled = 10): Promise<string[]> {
  const brain = { hosts: () => [], migrations: () => migrations };
  const bus = { connected: true };
  const { meter } = brainMetrics(() => ({ brain, bus, leads: () => true }), {
    labelledMigrations: labelled,
    hasHistory: false,
  });
  return (await meter.registry.metrics()).split('\n');
}

function assertHas(lines: readonly string[], wanted: readonly string[]): void {
  for (const line of wanted) assert.ok(lines.includes(line), `${line}, in\n${lines.join('\n')}`);
}

describe('brain/monitoring/metrics', () => {
  afterEach(closeHouses);

  it('tells of a migration under way in base units, by its id', async () => {
    assertHas(await linesOf([moving('m1')]), [
      'ferryman_migration_start_time_seconds{migration="m1"} 1',
      `ferryman_migration_data_total_bytes{migration="m1"} ${128 * mebibyte}`,
      `ferryman_migration_data_remaining_bytes{migration="m1"} ${64 * mebibyte}`,
      `ferryman_migration_data_processed_bytes{migration="m1"} ${64 * mebibyte}`,
      'ferryman_migration_dirty_memory_rate_bytes{migration="m1"} 409600',
      `ferryman_migration_memory_transfer_rate_bytes{migration="m1"} ${32 * mebibyte}`,
      'ferryman_migration_throttle_ratio{migration="m1"} 0.3',
      'ferryman_migration_diverging{migration="m1"} 1',
      'ferryman_migration_stalled_seconds{migration="m1"} 2.5',
    ]);
  });

  it('does not call diverging what gets smaller', async () => {
    const rounds = [roundOf(1, 128 * mebibyte, 64 * mebibyte), roundOf(2, 64 * mebibyte, mebibyte)];
    assertHas(await linesOf([moving('m1', { rounds })]), [
      'ferryman_migration_diverging{migration="m1"} 0',
    ]);
  });

  it('keeps to its cap of labels, and says how many have none', async () => {
    const lines = await linesOf(
      ['m1', 'm2', 'm3'].map((id) => moving(id)),
      2,
    );
    const labelled = lines.filter((line) => line.startsWith('ferryman_migration_diverging{'));
    assert.equal(labelled.length, 2);
    assertHas(lines, [
      'ferryman_migrations_unlabelled 1',
      'ferryman_migrations_in_running_phase 3',
    ]);
  });

  it('counts by phase, and has no figures of what does not move', async () => {
    const lines = await linesOf([
      moving('m1', { phase: 'probing' }),
      moving('m2', { phase: 'needs-human' }),
      moving('m3', { phase: 'settled' }),
    ]);
    assertHas(lines, [
      'ferryman_migrations_in_pending_phase 1',
      'ferryman_migrations_in_running_phase 0',
      'ferryman_migrations_in_need_of_help 1',
    ]);
    assert.ok(!lines.some((line) => line.includes('migration="')));
  });

  it('says of the history what waits, what came and what is lost, where there is one', async () => {
    const counts = { waitingLines: 1, writtenLines: 2, dropped: 3, refusedLines: 4 };
    const brain = { hosts: () => [], migrations: () => [] };
    const leads = () => false;
    const history = { counts: () => counts };
    const sources = { brain, bus: { connected: false }, leads, history };
    const { meter } = brainMetrics(() => sources, { labelledMigrations: 1, hasHistory: true });
    assertHas((await meter.registry.metrics()).split('\n'), [
      'ferryman_history_waiting_lines 1',
      'ferryman_history_written_lines_total 2',
      'ferryman_history_dropped_total 3',
      'ferryman_history_refused_lines_total 4',
      'ferryman_brain_bus_connected 0',
      'ferryman_brain_is_leader 0',
    ]);
    assert.ok(!(await linesOf([])).some((line) => /^ferryman_history\w* /.test(line)));
  });

  it('counts decisions, commands and ends, and sees an agent fall silent', async () => {
    const decide: Decide = (input) =>
      input.kind === 'order' ? [{ side: 'source', operation: { kind: 'cancel' } }] : [];
    const made: { house?: House } = {};
    const sources = () =>
      made.house && { brain: made.house.brain, bus: made.house.bus, leads: () => true };
    const metrics = brainMetrics(sources, { labelledMigrations: 1, hasHistory: false });
    const answer = () => ({ outcome: 'refused' }) as const;
    const house = await openHouse({ decide, answer, listeners: metrics.listeners });
    made.house = house;
    const lines = async () => (await metrics.meter.registry.metrics()).split('\n');
    assertHas(await lines(), [
      'ferryman_commands_total{operation="cancel",outcome="refused"} 0',
      'ferryman_migrations_total{outcome="completed"} 0',
      'ferryman_agents_up 2',
      'ferryman_vms 2',
    ]);
    house.brain.migrate(order);
    await settle();
    house.source.say({ kind: 'migration', ref: factsOf('h1').ref, sample: sampleOf('completed') });
    await settle();
    house.clock.advance(6_000);
    assertHas(await lines(), [
      'ferryman_decisions_total{method="plan"} 1',
      'ferryman_commands_total{operation="cancel",outcome="refused"} 1',
      'ferryman_migrations_total{outcome="completed"} 1',
      'ferryman_migration_duration_seconds_sum 1',
      'ferryman_migration_downtime_seconds_sum 0.03',
      'ferryman_agent_up{host="h1"} 0',
      'ferryman_agents_up 0',
      'ferryman_agents 2',
    ]);
  });
});
