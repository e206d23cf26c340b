/** A seeded source of numbers: the same seed gives the same run on every machine. */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** Uniform among 0 ... limit - 1. */
  integer(limit: number): number;
  /** Uniform in [low, high). */
  between(low: number, high: number): number;
  /** One of the given, all equally likely. */
  pick<T>(choices: readonly T[]): T;
}

/** A counter stepped by the golden ratio and scrambled: 32 bits, plenty for drawing pages. */
export function seededRandom(seed: number): Random {
  let counter = Math.imul(seed, 0x2545f491) | 0;
  const next = (): number => {
    counter = (counter + 0x9e3779b9) | 0;
    let bits = Math.imul(counter ^ (counter >>> 16), 0x21f0aaad);
    bits = Math.imul(bits ^ (bits >>> 15), 0x735a2d97);
    return ((bits ^ (bits >>> 15)) >>> 0) / 2 ** 32;
  };
  const integer = (limit: number): number => Math.floor(next() * limit);
  return {
    next,
    integer,
    between: (low, high) => low + next() * (high - low),
    pick<T>(choices: readonly T[]): T {
      if (choices.length === 0) throw new Error('pick: nothing to choose from; pass a choice');
      return choices[integer(choices.length)] as T;
    },
  };
}
