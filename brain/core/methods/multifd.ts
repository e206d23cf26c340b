/** Plain multifd: several streams, for links faster than one migration thread. */
import { multifdConnections } from '../families.ts';
import type { Method } from './method.ts';

export const multifd: Method = {
  name: 'multifd',
  arm: (migration, family) =>
    family === 'multifd'
      ? { arming: { multifdChannels: multifdConnections(migration, family) } }
      : undefined,
};
