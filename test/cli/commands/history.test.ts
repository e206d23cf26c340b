import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import type { MigrationRecord } from '../../../brain/history/points.ts';
import { historyCommand, printHistory, printHistoryJson } from '../../../cli/commands/history.ts';
import { exitCodeOf } from '../../../cli/exit.ts';
import { addInfluxOptions, influxOf, type InfluxFlags } from '../../../cli/influx-options.ts';
import { completedResult, migration } from '../fixture.ts';

/** What the environment of whoever runs the tests says of databases. */
const variables = Object.keys(process.env).filter((name) => name.startsWith('FERRYMAN_INFLUX_'));
const said = variables.map((name) => [name, process.env[name]] as const);
before(() => {
  for (const name of variables) Reflect.deleteProperty(process.env, name);
});
after(() => {
  Object.assign(process.env, Object.fromEntries(said));
});

function record(id: string, name: string, outcome: 'completed' | 'failed'): MigrationRecord {
  const { source, destination, policy, link } = migration();
  assert.ok(source && destination);
  const result = { ...completedResult, outcome };
  const settled = { nowMilliseconds: Date.UTC(2026, 10, 23, 7), orderedAtMilliseconds: 0 };
  return { id, policy, link, ...settled, source: { ...source, name }, destination, result };
}

const records = [record('m1', 'redis-7', 'completed'), record('m2', 'n'.repeat(4096), 'failed')];

function printed(print: typeof printHistory, told: readonly MigrationRecord[]): string[] {
  const written: string[] = [];
  print(told, { columns: 120, write: (text) => written.push(text) });
  return written.join('').trimEnd().split('\n');
}

describe('ferryman history', () => {
  it('is a line for each migration, which keeps its figures in their columns', () => {
    const [, first = '', second = ''] = printed(printHistory, records);
    assert.match(
      first,
      /2026-11-23 07:00:00 +m1 +redis-7 +source .+ destination +completed +7\.1 s/,
    );
    assert.match(second, /m2 +n{23}. +source .+ failed +7\.1 s +210 ms +150\.0 MiB +90 %/);
    assert.match(printed(printHistory, [])[0] ?? '', /No migration/);
  });

  it('is one object per line for scripts, with the whole name', () => {
    const lines = printed(printHistoryJson, records).map((line) => JSON.parse(line) as object);
    assert.deepEqual(lines[1], {
      type: 'migration',
      id: 'm2',
      vm: 'n'.repeat(4096),
      uuid: 'uuid',
      source: 'source',
      destination: 'destination',
      orderedAtMilliseconds: 0,
      settledAtMilliseconds: Date.UTC(2026, 10, 23, 7),
      ...completedResult,
      outcome: 'failed',
    });
  });

  it('ends with 2 when nothing says where history is', async () => {
    const command = historyCommand(() => undefined).exitOverride();
    await assert.rejects(command.parseAsync([], { from: 'user' }), (error) => {
      assert.match(String(error), /--influx http/);
      assert.equal(exitCodeOf(error), 2);
      return true;
    });
  });
});

describe('cli/influx-options', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ferryman-influx-options-'));
  after(() => {
    rmSync(folder, { recursive: true });
  });
  const read = (...words: readonly string[]) => {
    const command = addInfluxOptions(new Command()).exitOverride();
    return influxOf(command.parse(words, { from: 'user' }).opts<InfluxFlags>());
  };
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text, { mode: 0o600 });
    return join(folder, name);
  };

  it('reads flags, and secrets from files', () => {
    const token = file('token', 'me:pw\n');
    assert.deepEqual(read('--influx', 'http://h:8086', '--influx-token-file', token), {
      flavor: 'v1',
      url: 'http://h:8086',
      database: 'ferryman',
      token: 'me:pw',
    });
  });

  it("reads a brain's configuration, which must name a database", () => {
    const nats = 'nats: { url: nats://127.0.0.1:4222 }\n';
    const influx = { flavor: 'v2', url: 'http://h:8086', database: 'b' };
    const config = file('brain.yaml', `${nats}influx: ${JSON.stringify(influx)}\n`);
    assert.deepEqual(read('--config', config), influx);
    const other = read('--config', config, '--influx', 'http://other:8086');
    assert.deepEqual(other, { ...influx, url: 'http://other:8086' });
    assert.throws(() => read('--config', file('none.yaml', nats)), /names no influx/);
  });
});
