/** Plain multifd: several streams, for links faster than one migration thread. */
import { compressionThreads } from '../budget.ts';
import type { Method } from './method.ts';

export const multifd: Method = {
  name: 'multifd',
  arm: (migration, family) =>
    family === 'multifd'
      ? { arming: { multifdChannels: Math.max(2, compressionThreads(migration)) } }
      : undefined,
};
