/** Pressure stall information (PSI): how long tasks waited, from /proc/pressure. */
import { type HostCollector, type HostSource, readKernelFile } from './collector.ts';

/** Parses one PSI file: the share (0 to 1) of the last 10 s in which some task waited. */
export function parsePressure(text: string): number {
  const percent = /^some avg10=([\d.]+)/m.exec(text)?.[1];
  if (percent === undefined) throw new Error('a file in /proc/pressure has no "some avg10="');
  return Number(percent) / 100;
}

/** Watches how long tasks of the host waited; silent on a kernel without PSI. */
export function createPressureCollector({ procRoot }: HostSource): HostCollector {
  const read = (resource: string) => readKernelFile(`${procRoot}/pressure/${resource}`);
  return {
    name: 'pressure',
    collect() {
      const [cpu, memory, io] = [read('cpu'), read('memory'), read('io')];
      if (cpu === undefined || memory === undefined || io === undefined) return undefined;
      return {
        pressure: {
          cpu: parsePressure(cpu),
          memory: parsePressure(memory),
          io: parsePressure(io),
        },
      };
    },
  };
}
