/** The methods, in the order in which they are armed. */
import { autoConverge } from './auto-converge.ts';
import { bandwidth } from './bandwidth.ts';
import { compression } from './compression.ts';
import { downtime } from './downtime.ts';
import type { Method } from './method.ts';
import { multifd } from './multifd.ts';
import { postCopy } from './post-copy.ts';
import { xbzrle } from './xbzrle.ts';

export const methods: readonly Method[] = [
  bandwidth,
  downtime,
  autoConverge,
  compression,
  xbzrle,
  multifd,
  postCopy,
];
