/** XBZRLE: sends what changed in a page instead of the page. Its cache is final at the start: a live resize does nothing. */
import { xbzrleCacheBytes } from '../families.ts';
import type { Method } from './method.ts';

export const xbzrle: Method = {
  name: 'xbzrle',
  arm: (migration, family) =>
    family === 'xbzrle' ? { arming: { xbzrleCacheBytes: xbzrleCacheBytes(migration) } } : undefined,
};
