/** Quantities as operators write them, into base units. How they are shown is the cli's matter. */
import { FerrymanError } from './errors.ts';

/** A text that is no quantity of the kind asked for. */
export class UnitError extends FerrymanError {
  constructor(text: string, kind: string, examples: string) {
    super('UNIT', `${JSON.stringify(text)} is not a ${kind}; write ${examples}`);
  }
}

interface Quantity {
  readonly kind: string;
  readonly examples: string;
  /** Factors to the base unit; `''` is a number without a unit. Case matters only where it must. */
  readonly factors: ReadonlyMap<string, number>;
}

const duration: Quantity = {
  kind: 'duration',
  examples: '300ms, 2s, 10m or 1h',
  factors: new Map([
    ['ms', 1],
    ['s', 1000],
    ['m', 60_000],
    ['min', 60_000],
    ['h', 3_600_000],
  ]),
};

/** K, M and G are binary, as in QEMU; bits are decimal, as on network cards. */
const bandwidth: Quantity = {
  kind: 'bandwidth',
  examples: '32MiB/s, 250M (MiB/s), 1gbit or 100000000 (bytes/s)',
  factors: new Map([
    ['', 1],
    ['b/s', 1],
    ...['k', 'm', 'g'].flatMap((letter, index): [string, number][] => {
      const binary = 1024 ** (index + 1);
      const decimal = 1000 ** (index + 1);
      return [
        [letter, binary],
        [`${letter}ib/s`, binary],
        [`${letter}b/s`, decimal],
        [`${letter}bit`, decimal / 8],
        [`${letter}bit/s`, decimal / 8],
      ];
    }),
  ]),
};

const percentage: Quantity = {
  kind: 'percentage',
  examples: '90% or 90, from 0 to 100',
  factors: new Map([
    ['', 1],
    ['%', 1],
  ]),
};

/** Milliseconds of `300ms`, `2s`, `10m`, `1h`. Throws UnitError. */
export function parseDuration(text: string): number {
  return parse(text, duration);
}

/**
 * Bytes per second of `32MiB/s`, `250M`, `1gbit`, `4MB/s` or plain bytes. Bits are said by the word
 * `bit` alone: case is not looked at, so `Mb/s` is megabytes. Throws UnitError.
 */
export function parseBandwidth(text: string): number {
  return parse(text, bandwidth);
}

/** 0 to 100 of `90%` or `90`. Throws UnitError. */
export function parsePercent(text: string): number {
  const percent = parse(text, percentage);
  if (percent <= 100) return percent;
  throw new UnitError(text, percentage.kind, percentage.examples);
}

function parse(text: string, { kind, examples, factors }: Quantity): number {
  const [, digits, unit] = /^(\d{1,15}(?:\.\d{1,9})?) ?([a-z/%]*)$/i.exec(text.trim()) ?? [];
  const factor = unit === undefined ? undefined : factors.get(unit.toLowerCase());
  if (digits === undefined || factor === undefined) throw new UnitError(text, kind, examples);
  return Number(digits) * factor;
}
