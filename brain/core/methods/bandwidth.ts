/** max-bandwidth is always written: QEMU's own default of 128 MiB/s is a cap that nobody asked for. */
import type { Method } from './method.ts';

/** "No cap", as large as the agent's allow-list takes. */
export const uncappedBytesPerSecond = 16 * 2 ** 30;

export const bandwidth: Method = {
  name: 'bandwidth',
  arm: (migration) => ({
    tuning: {
      maxBandwidthBytesPerSecond:
        migration.order?.objective.maxBandwidthBytesPerSecond ?? uncappedBytesPerSecond,
    },
  }),
};
