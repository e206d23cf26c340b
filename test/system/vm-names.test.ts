/** VMs that are called whatever their owners liked, moved and looked up again by these names. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { queryInflux } from '../../brain/history/influx.ts';
import { measurements } from '../../brain/history/points.ts';
import { isExecutable, tools } from '../../scripts/tools.mjs';
import { startBus } from './bus.ts';
import { startInflux } from './influx.ts';
import { build, createStage, guests, until, type Line } from './support.ts';

/** Whatever a shell, a command line, a database, a page or a terminal takes for something else. */
const hostile = `"'\\ \\\\\n\r\t,a=b <b>&amp; $(x) \`y\` %n größe 日本 \u{1f980} \u2028\u0007\\`;
const names = {
  'quotes, newlines, backslashes and unicode': hostile,
  'four kibibytes': `${hostile}${'n'.repeat(4096 - Buffer.byteLength(hostile) * 2)}${hostile}`,
  'four kibibytes of backslashes and quotes': `\\"`.repeat(2048),
};

describe('a VM whose name holds', function () {
  const stage = createStage();
  before(function () {
    if (!isExecutable(tools().natsServer) || !isExecutable(tools().influxd)) this.skip();
    build();
  });
  afterEach(() => stage.clear());

  for (const [what, name] of Object.entries(names)) {
    it(`${what} is moved, and told of unharmed`, async () => {
      const [pair, bus, influx] = await Promise.all([
        stage.pair(guests.small, { name }),
        startBus(stage, { hasStreams: true }),
        startInflux(stage),
      ]);
      const folder = stage.folder();
      const daemon = (part: 'agent' | 'brain', id: string, config: object) => {
        const file = join(folder, `${id}.yaml`);
        // JSON is YAML.
        writeFileSync(file, JSON.stringify({ nats: { url: bus.url }, ...config }));
        return stage.ferryman(part, '--config', file);
      };
      const port = Number(pair.uri.split(':').at(-1));
      const policyFile = join(folder, 'policy.yaml');
      const migrationPorts = { first: port, last: port };
      writeFileSync(policyFile, JSON.stringify({ migrationAddress: '127.0.0.1', migrationPorts }));
      for (const [host, socket] of Object.entries({
        one: pair.sourceQmp,
        two: pair.destinationQmp,
      })) {
        const stateDirectory = join(folder, host);
        daemon('agent', host, { host, policyFile, stateDirectory, qmp: { sockets: [socket] } });
      }
      const { flavor, url, database } = influx.settings;
      const settings = { flavor, url, database };
      daemon('brain', 'b1', { brain: 'b1', mode: 'act', influx: settings });
      const fleet = async (...words: readonly string[]): Promise<readonly Line[]> => {
        const run = stage.ferryman(...words, '--json', '--nats', bus.url);
        await run.code;
        return run.lines;
      };
      await until('both sides are known', async () => {
        const vms = (await fleet('list')).filter(({ vm }) => vm === name);
        return new Set(vms.map(({ host }) => host)).size === 2;
      });
      const moved = await fleet('migrate', name, '--to', 'two', '--max-bandwidth', '32MiB/s');
      assert.equal(moved.at(-1)?.['outcome'], 'completed');
      const told = async (...words: readonly string[]): Promise<readonly Line[]> => {
        const run = stage.ferryman(...words, '--json', '--influx', url);
        await run.code;
        return run.lines;
      };
      await until('it is in the history', async () => (await told('history', name)).length === 1);
      const [line] = await told('history', name);
      assert.equal(line?.['vm'], name);
      const report = await told('report', String(line['id']));
      assert.equal(report.at(-1)?.['outcome'], 'completed');
      const page = join(folder, 'report.html');
      await told('report', String(line['id']), '--html', page);
      const field = `SELECT "vm_name" FROM "${measurements.result}"`;
      const [series] = await queryInflux(influx.settings, field);
      assert.equal(series?.values.length, 1);
    });
  }
});
