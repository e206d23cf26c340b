/** `adaptive` on simulated guests: some dozens here, hundreds in `test/system/sweep.test.ts`. */
import assert from 'node:assert/strict';
import { defaultObjective } from '../../../shared/objective.ts';
import type { VmFacts } from '../../../shared/sample.ts';
import { drawScenario } from '../../simulator/scenarios.ts';
import { itHoldsOver, migrate } from './sweep.ts';

/** Drawn far out, and hard: slow leaks that no model foresaw, and bursts. */
const hardSeeds = [80, 152, 176, 212];

function seeds(count: number): readonly number[] {
  return Array.from({ length: count }, (_, seed) => seed);
}

describe('adaptive on simulated guests', () => {
  itHoldsOver([...seeds(24), ...hardSeeds]);
});

describe('adaptive with other means', () => {
  it('keeps the gap short also when it knows the link beforehand', function () {
    this.timeout(60_000);
    for (const seed of [1, 13, 16, 43, 50, 52, 57, 59]) {
      const scenario = drawScenario(seed);
      const bytesPerSecond = scenario.linkBytesPerSecond as number;
      const link = {
        provenance: 'configured',
        bytesPerSecond,
        lowBytesPerSecond: 0.9 * bytesPerSecond,
        highBytesPerSecond: 1.05 * bytesPerSecond,
      } as const;
      const { truth } = migrate(scenario, {}, link);
      // Stopping and starting takes up to 100 ms here beside the transfer.
      const allowed = defaultObjective.downtimeLimitMilliseconds + 150;
      assert.ok(
        truth.longestGapMilliseconds < allowed,
        `seed ${String(seed)}: ${truth.longestGapMilliseconds.toFixed(0)} ms`,
      );
    }
  });

  const poorer: Readonly<Record<string, Partial<VmFacts>>> = {
    'without a probe': { canProbe: false },
    "with QEMU's throttle only": {
      throttles: [{ mechanism: 'qemu', lag: 'next-sync', perVcpu: false }],
    },
    'without a way to start a destination': { canStartDestination: false },
    'with plain pre-copy only': { families: ['plain'] },
  };
  for (const [means, facts] of Object.entries(poorer)) {
    it(`still completes ${means}`, function () {
      this.timeout(60_000);
      for (const seed of seeds(7)) {
        const run = migrate(drawScenario(seed), facts);
        assert.equal(run.truth.completed, true, `seed ${String(seed)}`);
        assert.deepEqual(run.rejections, [], `seed ${String(seed)}`);
      }
    });
  }
});
