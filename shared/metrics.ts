/** Figures for Prometheus: most are read only when somebody asks. Names carry base units. */
import { Counter, Gauge, Histogram, Registry } from 'prom-client';

/** One value of a figure that has labels. */
export interface Reading {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

type Read = () => number | readonly Reading[];

export interface Meter {
  readonly registry: Registry;
  /** What is so now, read when asked. */
  gauge(name: string, help: string, read: Read, labelNames?: readonly string[]): void;
  /** What was counted elsewhere since the start, read when asked; its name ends in `_total`. */
  total(name: string, help: string, read: Read, labelNames?: readonly string[]): void;
  /** What is counted here, event by event; its name ends in `_total`. */
  counter(name: string, help: string, labelNames: readonly string[]): Counter;
  histogram(name: string, help: string, buckets: readonly number[]): Histogram;
}

/** A meter of one daemon, with its process in it. `part` is `agent` or `brain`. */
export function createMeter(part: string): Meter {
  const registry = new Registry();
  const shape = (name: string, help: string, labelNames: readonly string[] = []) => ({
    name,
    help,
    labelNames: [...labelNames],
    registers: [registry],
  });
  const meter: Meter = {
    registry,
    gauge: (name, help, read, labelNames) => {
      new Gauge({
        ...shape(name, help, labelNames),
        collect() {
          this.reset();
          for (const { labels, value } of readings(read)) this.set(labels, value);
        },
      });
    },
    total: (name, help, read, labelNames) => {
      new Counter({
        ...shape(name, help, labelNames),
        collect() {
          this.reset();
          for (const { labels, value } of readings(read)) this.inc(labels, value);
        },
      });
    },
    counter: (name, help, labelNames) => new Counter(shape(name, help, labelNames)),
    histogram: (name, help, buckets) =>
      new Histogram({ ...shape(name, help), buckets: [...buckets] }),
  };
  describeProcess(meter, part);
  return meter;
}

function readings(read: Read): readonly Reading[] {
  const given = read();
  return typeof given === 'number' ? [{ labels: {}, value: given }] : given;
}

/** Under the names that Prometheus' own exporters use. */
function describeProcess(meter: Meter, part: string): void {
  const startSeconds = Date.now() / 1000 - process.uptime();
  meter.total('process_cpu_seconds_total', 'CPU time of this process.', () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  });
  meter.gauge('process_resident_memory_bytes', 'Memory of this process.', () =>
    process.memoryUsage.rss(),
  );
  meter.gauge('process_start_time_seconds', 'Start of this process.', () => startSeconds);
  const labels = {
    part,
    version: process.env['FERRYMAN_VERSION'] ?? 'development',
    node: process.versions.node,
  };
  meter.gauge(
    'ferryman_build_info',
    'Always 1; what runs here.',
    () => [{ labels, value: 1 }],
    Object.keys(labels),
  );
}
