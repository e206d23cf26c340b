/** Figures for people: the unit is read off the end of the figure's name. */

const binaryPrefixes = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** 80 * 1024 * 1024 is `80.0 MiB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let index = 0;
  while (Math.abs(value) >= 1024 && index < binaryPrefixes.length - 1) {
    value /= 1024;
    index += 1;
  }
  return `${value.toFixed(index === 0 ? 0 : 1)} ${binaryPrefixes[index] ?? 'B'}`;
}

/** 210 is `210 ms`, 2500 is `2.5 s`, 125000 is `2 min 5 s`. */
export function formatMilliseconds(milliseconds: number): string {
  if (Math.abs(milliseconds) < 1000) return `${milliseconds.toFixed(0)} ms`;
  if (Math.abs(milliseconds) < 120_000) return `${(milliseconds / 1000).toFixed(1)} s`;
  const seconds = Math.round(milliseconds / 1000);
  return `${Math.floor(seconds / 60).toFixed(0)} min ${(seconds % 60).toFixed(0)} s`;
}

interface Unit {
  readonly suffix: string;
  readonly format: (value: number) => string;
}

/** Longest suffix first, as `BytesPerSecond` also ends in `Second`. */
const units: readonly Unit[] = [
  { suffix: 'BytesPerSecond', format: (value) => `${formatBytes(value)}/s` },
  { suffix: 'PagesPerSecond', format: (value) => `${value.toFixed(0)} pages/s` },
  { suffix: 'Milliseconds', format: formatMilliseconds },
  { suffix: 'Percent', format: (value) => `${value.toFixed(0)} %` },
  { suffix: 'Seconds', format: (value) => formatMilliseconds(value * 1000) },
  { suffix: 'Bytes', format: formatBytes },
  { suffix: 'Share', format: (value) => `${(value * 100).toFixed(0)} %` },
];

/** `dirtyBytesPerSecond, 43e6` is `dirty 41.0 MiB/s`; names without a unit keep the number. */
export function formatFigure(name: string, value: number | string | boolean): string {
  if (typeof value === 'boolean') return value ? inWords(name) : `not ${inWords(name)}`;
  if (typeof value === 'string') return `${inWords(name)} ${value}`;
  const unit = units.find(({ suffix }) => name.endsWith(suffix));
  if (unit === undefined) return `${inWords(name)} ${plainNumber(value)}`;
  return `${inWords(name.slice(0, -unit.suffix.length))} ${unit.format(value)}`.trimStart();
}

/** `throttle-pays-now` and `throttlePaysNow` are both `throttle pays now`. */
export function inWords(name: string): string {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replaceAll('-', ' ')
    .toLowerCase();
}

function plainNumber(value: number): string {
  const isWhole = Number.isInteger(value) || Math.abs(value) >= 1000;
  return isWhole ? value.toFixed(0) : value.toPrecision(3);
}
