/** Scenarios for sweeps: a seed stands for a shape, its size, its content, a link and a version. */
import type { Random } from './random.ts';
import { seededRandom } from './random.ts';
import type { Scenario } from './simulation.ts';
import {
  bursty,
  contents,
  cyclic,
  hotSet,
  idle,
  mebibyte,
  pageBytes,
  phaseChange,
  sweep,
  workingSet,
  type Workload,
} from './workload.ts';

const ramBytes = 128 * mebibyte;

type Draw = (random: Random, linkBytesPerSecond: number) => Workload;

/** What every writing shape needs: from two thirds of the link's rate to six times it. */
function writes(random: Random, linkBytesPerSecond: number) {
  const dirtyBytesPerSecond = linkBytesPerSecond * 2 ** random.between(-0.6, 2.6);
  const content = random.pick([
    contents.random,
    contents.random,
    contents.text,
    contents.counters,
    contents.binary,
  ]);
  return {
    ramBytes,
    bytes: random.between(32, 112) * mebibyte,
    pagesPerSecond: dirtyBytesPerSecond / pageBytes,
    writtenContent: content,
    scattered: random.next() < 0.75,
    restContent: random.pick([content, contents.random, contents.binary]),
  };
}

const drawIdle: Draw = () => idle({ ramBytes });

const shapes: readonly Draw[] = [
  drawIdle,
  (random, link) => workingSet(writes(random, link)),
  (random, link) => hotSet(writes(random, link)),
  (random, link) => sweep(writes(random, link)),
  (random, link) =>
    cyclic({
      ...writes(random, link),
      busyMilliseconds: random.between(2000, 8000),
      calmMilliseconds: random.between(1000, 6000),
    }),
  (random, link) =>
    bursty({
      ...writes(random, link),
      fromMilliseconds: random.between(1000, 3000),
      toMilliseconds: random.between(5000, 9000),
    }),
  (random, link) =>
    phaseChange({ ...writes(random, link), atMilliseconds: random.between(2000, 6000) }),
];

/** The scenario of a seed; neighbouring seeds take the shapes in turn. */
export function drawScenario(seed: number): Scenario {
  const random = seededRandom(seed);
  const linkBytesPerSecond = random.between(24, 96) * mebibyte;
  const draw = shapes[seed % shapes.length] ?? drawIdle;
  return {
    workload: draw(random, linkBytesPerSecond),
    seed,
    version: random.pick(['7.2', '10.0']),
    linkBytesPerSecond,
    idleCpuCores: random.pick([1, 2, 4]),
  };
}
