import assert from 'node:assert/strict';
import { cost, defaultWeights, forecastCost } from '../../../brain/core/cost.ts';

const harm = { finishes: true, totalSeconds: 10, guestWorkLostSeconds: 2, gapSeconds: 0.3 };

describe('core/cost', () => {
  it('is total + 5 x work lost + 10 x the gap above the limit (design: J)', () => {
    assert.equal(cost(harm, 0.3), 20);
    assert.ok(Math.abs(cost({ ...harm, gapSeconds: 0.8 }, 0.3) - 25) < 1e-9);
  });

  it('does not reward a gap below the limit', () => {
    assert.equal(cost({ ...harm, gapSeconds: 0 }, 0.3), cost(harm, 0.3));
  });

  it('holds not ending against a migration whatever it saves', () => {
    const endless = { ...harm, finishes: false, totalSeconds: 0, guestWorkLostSeconds: 0 };
    assert.ok(cost(endless, 0.3) > cost({ ...harm, totalSeconds: 500 }, 0.3));
  });

  it('weighs as it is told', () => {
    const weights = { ...defaultWeights, guestWorkLost: 0 };
    assert.equal(cost(harm, 0.3, weights), 10);
  });

  it('of a forecast takes the switchover for the only gap', () => {
    const forecast = {
      ...harm,
      downtimeSeconds: 1.3,
      rounds: 1,
      firstRateBytes: 0,
      sentBytes: 0,
      nextRoundBytes: 0,
    };
    assert.equal(forecastCost(forecast, 0.3), cost({ ...harm, gapSeconds: 1.3 }, 0.3));
  });
});
