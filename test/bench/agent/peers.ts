/** Collectors that hosts run anyway, as Debian has them: what an agent may be measured against. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tools } from '../../../scripts/tools.mjs';
import { freePort } from '../../system/bus.ts';
import { startProcess, type Started } from './processes.ts';

export interface Peer extends Started {
  readonly name: string;
}

const periodMilliseconds = 1000;

/** With its default collectors, asked once a second. */
export async function startNodeExporter(): Promise<Peer> {
  const address = `127.0.0.1:${await freePort()}`;
  const words = [`--web.listen-address=${address}`, '--log.level=error'];
  const exporter = startProcess([tools().nodeExporter, ...words]);
  const timer = setInterval(() => {
    void ask(`http://${address}/metrics`);
  }, periodMilliseconds);
  const stop = (): void => {
    clearInterval(timer);
    exporter.stop();
  };
  return { ...exporter, name: 'prometheus-node-exporter', stop };
}

/** An exporter that does not answer shows by the CPU it then does not use. */
async function ask(url: string): Promise<void> {
  await fetch(url)
    .then((response) => response.text())
    .catch(() => undefined);
}

/** What its example configuration loads, and files to write to. */
const plugins = ['cpu', 'df', 'disk', 'interface', 'load', 'memory', 'processes', 'csv'];

/** Once a second, into files in `folder`. */
export function startCollectd(folder: string): Peer {
  const { binary, plugins: pluginFolder, types } = tools().collectd;
  mkdirSync(folder);
  const configuration = join(folder, 'collectd.conf');
  const lines = [
    `Interval ${periodMilliseconds / 1000}`,
    `BaseDir "${folder}"`,
    `PIDFile "${join(folder, 'collectd.pid')}"`,
    `PluginDir "${pluginFolder}"`,
    `TypesDB "${types}"`,
    ...plugins.map((plugin) => `LoadPlugin ${plugin}`),
    `<Plugin csv>\n  DataDir "${join(folder, 'csv')}"\n</Plugin>`,
  ];
  writeFileSync(configuration, `${lines.join('\n')}\n`);
  return { ...startProcess([binary, '-f', '-C', configuration]), name: 'collectd' };
}
