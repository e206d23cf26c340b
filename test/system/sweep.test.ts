/** `adaptive` on hundreds of simulated guests: too long for the inner loop. */
import { itHoldsOver } from '../brain/core/sweep.ts';

const seeds = 300;

describe(`adaptive on ${seeds} simulated guests`, () => {
  itHoldsOver(
    Array.from({ length: seeds }, (_, seed) => seed),
    {
      throttledAtAGain: [27, 67, 207, 263, 282],
      dearBursts: { seeds: [208], bound: 1.8 },
    },
  );
});
