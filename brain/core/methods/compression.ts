/**
 * Memory compression: multifd with zlib or zstd (5.0 on), or the talk's own `compress` (until 9.0).
 * Level 1 always: higher levels cost several times the CPU for a few percent.
 */
import type { Family } from '../../../shared/sample.ts';
import { compressionThreads } from '../budget.ts';
import type { Method } from './method.ts';

export const compressionFamilies: readonly Family[] = ['multifd-zstd', 'multifd-zlib', 'compress'];

const level = 1;

export const compression: Method = {
  name: 'compression',
  arm: (migration, family) => {
    const threads = compressionThreads(migration);
    switch (family) {
      case 'multifd-zstd':
      case 'multifd-zlib':
        return { arming: { multifdChannels: Math.max(2, threads), compressionLevel: level } };
      case 'compress':
        return { arming: { compressThreads: threads, compressionLevel: level } };
      default:
        return undefined;
    }
  },
};
