/** A real InfluxDB 1.x with the configuration that is deployed, which can die and come back. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { queryInflux, type InfluxSettings } from '../../brain/history/influx.ts';
import { projectRoot, tools } from '../../scripts/tools.mjs';
import { freePort } from './bus.ts';
import { until, type Stage } from './support.ts';

export interface RestartableInflux {
  readonly settings: InfluxSettings;
  start(): Promise<void>;
  /** At once; what it has acknowledged is on its disk. */
  kill(): Promise<void>;
}

/** Starts it on free ports; the stage ends it. */
export async function startInflux(stage: Stage): Promise<RestartableInflux> {
  const folder = stage.folder();
  const file = join(folder, 'influxdb.conf');
  const [http, bind] = [await freePort(), await freePort()];
  const deployed = await readFile(join(projectRoot, 'deploy/influxdb/influxdb.conf'), 'utf8');
  const config = deployed
    .replaceAll('/var/lib/influxdb', folder)
    .replace('127.0.0.1:8086', `127.0.0.1:${http}`)
    .replace('127.0.0.1:8088', `127.0.0.1:${bind}`);
  await writeFile(file, config);
  const settings = { flavor: 'v1', url: `http://127.0.0.1:${http}`, database: 'ferryman' } as const;
  let child: ChildProcess | undefined;
  const influx: RestartableInflux = {
    settings,
    start: async () => {
      child = spawn(tools().influxd, ['-config', file], { stdio: 'ignore' });
      await until('InfluxDB answers', () => answers(settings));
    },
    kill: async () => {
      if (child === undefined) return;
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      child = undefined;
      await exited;
    },
  };
  stage.undo(() => influx.kill());
  await influx.start();
  return influx;
}

function answers(settings: InfluxSettings): Promise<boolean> {
  return queryInflux(settings, 'SHOW MEASUREMENTS').then(
    () => true,
    (error: unknown) => error instanceof Error && error.message.includes('database not found'),
  );
}
