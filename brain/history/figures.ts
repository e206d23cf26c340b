/** The figures of a message as fields: each under its own name in snake case, of one type for ever. */
import type { PointParts } from './line.ts';

type Figures = Required<Pick<PointParts, 'whole' | 'real'>>;

/** A database keeps the type it first saw, so the name decides: counts are whole, the rest is not. */
const isWhole = /(^|_)(bytes|pages|count|requests|operations|milliseconds)$/;

/** Every number of a record and of the records in it; the names of `prefixed` stand before theirs. */
export function figuresOf(record: object, prefixed: readonly string[] = [], prefix = ''): Figures {
  const figures = Object.entries(record).map(([name, value]: [string, unknown]): Figures => {
    const field = prefix + snakeCase(name);
    if (typeof value === 'number') {
      return isWhole.test(field)
        ? { whole: { [field]: value }, real: {} }
        : { whole: {}, real: { [field]: value } };
    }
    const isRecord = typeof value === 'object' && value !== null && !Array.isArray(value);
    if (!isRecord) return { whole: {}, real: {} };
    return figuresOf(value, prefixed, prefixed.includes(name) ? `${field}_` : '');
  });
  return {
    whole: Object.assign({}, ...figures.map(({ whole }) => whole)) as Figures['whole'],
    real: Object.assign({}, ...figures.map(({ real }) => real)) as Figures['real'],
  };
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
