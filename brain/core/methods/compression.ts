/**
 * Memory compression: multifd with zlib or zstd (5.0 on), or the talk's own `compress` (until 9.0).
 * Level 1 always: higher levels cost several times the CPU for a few percent.
 */
import type { Family } from '../../../shared/sample.ts';
import { compressionThreads } from '../budget.ts';
import { multifdConnections } from '../families.ts';
import type { Method } from './method.ts';

export const compressionFamilies: readonly Family[] = ['multifd-zstd', 'multifd-zlib', 'compress'];

const level = 1;

export const compression: Method = {
  name: 'compression',
  arm: (migration, family) => {
    switch (family) {
      case 'multifd-zstd':
      case 'multifd-zlib':
        return {
          arming: {
            multifdChannels: multifdConnections(migration, family),
            compressionLevel: level,
          },
        };
      case 'compress':
        return {
          arming: { compressThreads: compressionThreads(migration), compressionLevel: level },
        };
      default:
        return undefined;
    }
  },
};
