/**
 * Predictions against the simulator: a guest is probed, every family is predicted over a link that is
 * configured, learned and unknown, and then the same guest is migrated from the same moment on.
 */
import { learnedBytesPerSecond } from '../../../brain/core/link-lesson.ts';
import { around, unknownLink } from '../../../brain/core/link.ts';
import { predictMigration, type FamilyPrediction } from '../../../brain/core/prediction.ts';
import type { Scenario } from '../../simulator/simulation.ts';
import type { Foretold, Happened, NamedGuess } from './foretold.ts';
import { configuredLink, happenedIn, heldWorld, watchWorld } from './worlds.ts';

/** What is predicted to last longer is not waited for. */
const judgedMilliseconds = 50_000;

/** Workloads, over a link that stays as it is, that are tomorrow what they are today: nobody can foresee the others. */
const steadyShapes: readonly string[] = ['idle', 'working-set', 'hot-set', 'sweep'];

/** All that is foretold of the guest of one seed, and what became of it. */
export function foretellSeed(
  seed: number,
  scenario: Scenario,
): { readonly foretold: readonly Foretold[]; readonly backlogs: readonly NamedGuess[] } {
  const earlier = watchWorld(scenario);
  const learned = learnedBytesPerSecond(earlier.run.migration);
  const configured = configuredLink(scenario);
  const links = [
    configured,
    ...(learned === undefined ? [] : [around(learned, 'learned')]),
    unknownLink,
  ];
  const about = {
    name: `seed ${String(seed)}`,
    workload: scenario.workload.name,
    isSteady:
      steadyShapes.includes(scenario.workload.name) &&
      typeof scenario.linkBytesPerSecond === 'number',
  };
  const happens = rememberingHeld(scenario);
  const held = links.flatMap((link) =>
    predictMigration({ ...earlier.probed, link })
      .families.filter((predicted) => !isTooLong(predicted))
      .map((predicted): Foretold => {
        const happened = happens(predicted);
        return { ...about, run: 'held', link: link.provenance, predicted, happened };
      }),
  );
  const { families, chosen } = predictMigration({ ...earlier.probed, link: configured });
  const free = watchWorld(scenario, { link: configured });
  const adaptive = families
    .filter((predicted) => predicted.family === chosen.family && !isTooLong(predicted))
    .map((predicted): Foretold => {
      const happened = happenedIn(free.run);
      return { ...about, run: 'adaptive', link: 'configured', predicted, happened };
    });
  return {
    foretold: [...held, ...adaptive],
    backlogs: [...earlier.backlogs, ...free.backlogs].map((guess) => ({ ...about, ...guess })),
  };
}

function isTooLong({ finishes, totalMilliseconds }: FamilyPrediction): boolean {
  return finishes && totalMilliseconds.likely > judgedMilliseconds;
}

/** Runs the guest as a prediction says, and no two times alike. */
function rememberingHeld(scenario: Scenario): (predicted: FamilyPrediction) => Happened {
  const known = new Map<string, Happened>();
  return (predicted) => {
    const { family, throttlePercent, throttleFromRound = 0 } = predicted;
    const key = `${family} ${String(throttlePercent.likely)} ${String(throttleFromRound)}`;
    const happened = known.get(key) ?? happenedIn(heldWorld(scenario, predicted).run);
    known.set(key, happened);
    return happened;
  };
}
