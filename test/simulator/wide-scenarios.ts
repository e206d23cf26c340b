/** Scenarios beyond those of `scenarios.ts`: idle and light guests, mixed content, fast and failing links. */
import { seededRandom, type Random } from './random.ts';
import { drawScenario } from './scenarios.ts';
import type { Scenario } from './simulation.ts';
import {
  contents,
  cyclic,
  hotSet,
  idle,
  mebibyte,
  pageBytes,
  phaseChange,
  sweep,
  workingSet,
  type Content,
  type Workload,
} from './workload.ts';

/** A guest and a link as they were drawn. */
interface Drawn {
  readonly random: Random;
  readonly ramBytes: number;
  readonly linkBytesPerSecond: number;
}

type Draw = (drawn: Drawn) => Workload;

const mixed: readonly Content[] = [
  contents.random,
  contents.text,
  contents.counters,
  contents.text,
];

/** Writes at `low` to `high` times the link's rate, over a tenth to nine tenths of RAM. */
function writes({ random, ramBytes, linkBytesPerSecond }: Drawn, low: number, high: number) {
  const pace = low * (high / low) ** random.next();
  return {
    ramBytes,
    bytes: random.between(0.1, 0.9) * ramBytes,
    pagesPerSecond: (pace * linkBytesPerSecond) / pageBytes,
    scattered: random.next() < 0.75,
    writtenContent: random.pick([contents.random, contents.binary, contents.text]),
    restContent: random.pick([contents.random, contents.binary, contents.empty]),
    vcpuBusyShare: random.pick([1, 1, 0.6]),
  };
}

const drawIdle: Draw = ({ random, ramBytes }) =>
  idle({
    ramBytes,
    restContent: random.pick([contents.random, contents.text, contents.empty]),
  });

const shapes: readonly Draw[] = [
  drawIdle,
  (drawn) => workingSet(writes(drawn, 0.03, 0.7)),
  (drawn) => workingSet({ ...writes(drawn, 0.7, 6), writtenContent: contents.counters }),
  (drawn) => workingSet({ ...writes(drawn, 0.7, 6), writtenContent: mixed }),
  (drawn) => hotSet(writes(drawn, 0.5, 8)),
  (drawn) => sweep(writes(drawn, 0.5, 4)),
  (drawn) => cyclic({ ...writes(drawn, 1, 4), busyMilliseconds: 1000, calmMilliseconds: 2000 }),
  (drawn) =>
    phaseChange({ ...writes(drawn, 0.5, 4), atMilliseconds: drawn.random.between(1500, 8000) }),
];

/**
 * The scenario of a seed: every second one as `drawScenario` draws it, the others wider. Up to
 * 512 MiB of RAM, links of 16 to 250 MiB/s, of which every fifth falls to a quarter on the way.
 */
export function drawWideScenario(seed: number): Scenario {
  return seed % 2 === 0 ? drawScenario(seed / 2) : drawWide(seed);
}

function drawWide(seed: number): Scenario {
  const random = seededRandom(seed);
  const linkBytesPerSecond = 16 * mebibyte * (250 / 16) ** random.next();
  const ramBytes = random.pick([64, 128, 256, 512]) * mebibyte;
  const draw = shapes[((seed - 1) / 2) % shapes.length] ?? drawIdle;
  const workload = draw({ random, ramBytes, linkBytesPerSecond });
  const falls = random.next() < 0.2;
  const copyMilliseconds = (1000 * ramBytes) / linkBytesPerSecond;
  const fallMilliseconds = 1000 + copyMilliseconds * random.between(0.2, 1.2);
  const falling = (nowMilliseconds: number): number =>
    nowMilliseconds < fallMilliseconds ? linkBytesPerSecond : linkBytesPerSecond / 4;
  return {
    workload,
    seed,
    version: random.pick(['7.2', '10.0']),
    linkBytesPerSecond: falls ? falling : linkBytesPerSecond,
    idleCpuCores: random.pick([1, 2, 4]),
  };
}
