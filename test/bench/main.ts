/** `npm run bench`: which bench, and with what. */
import { messageOf } from '../../shared/errors.ts';
import { benchAgent } from './agent/bench.ts';
import { benchDetection } from './detection/bench.ts';
import { benchOutages } from './outages/bench.ts';
import { benchPolicies } from './policies/bench.ts';
import { benchPredictions } from './predictions/bench.ts';
import { benchSweep } from './sweep/bench.ts';
import { benchThrottle } from './throttle/bench.ts';

type Bench = (ferryman: string, words: readonly string[]) => Promise<number>;

/** Another bench is one more line. */
const benches: Readonly<Record<string, Bench>> = {
  policies: benchPolicies,
  agent: benchAgent,
  sweep: benchSweep,
  predictions: benchPredictions,
  detection: benchDetection,
  throttle: benchThrottle,
  outages: benchOutages,
};

const [ferryman = '', name = '', ...words] = process.argv.slice(2);
const bench = benches[name];
if (bench === undefined) {
  process.stderr.write(`usage: npm run bench -- ${Object.keys(benches).join('|')} [flags]\n`);
  process.exitCode = 2;
} else {
  process.exitCode = await bench(ferryman, words).catch((error: unknown) => {
    process.stderr.write(`bench: ${messageOf(error)}\n`);
    return 1;
  });
}
