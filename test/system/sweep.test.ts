/** `adaptive` on hundreds of simulated guests: too long for the inner loop. */
import { itHoldsOver } from '../brain/core/sweep.ts';

const seeds = 300;

describe(`adaptive on ${seeds} simulated guests`, () => {
  itHoldsOver(
    Array.from({ length: seeds }, (_, seed) => seed),
    1.8,
  );
});
