import { existsSync } from 'node:fs';
import { Command } from 'commander';
import type { Migration } from '../../brain/core/migration.ts';
import { reduce, startMigration } from '../../brain/core/reduce.ts';
import { replayFile } from '../../brain/trace/replay.ts';
import { exitCodes, type Finish } from '../exit.ts';
import { addFleetOptions, type FleetFlags } from '../fleet/address.ts';
import { withFleet } from '../fleet/client.ts';
import type { Output } from '../reporters/reporter.ts';
import { storyOf, storyOfMigration, type Story } from '../story.ts';
import { renderStory } from '../terminal/story.ts';
import { styleFor } from '../terminal/style.ts';

/** `ferryman explain`: the story of a migration, recorded or of the fleet. */
export function explainCommand(finish: Finish): Command {
  const command = new Command('explain')
    .description('tell a migration: each decision, why, what it promised, what came of it')
    .argument(
      '<what>',
      'a file of `ferryman run --record`, else a migration by id, or a VM, of which the latest',
    );
  return addFleetOptions(command, 'NDJSON on standard output, the result last').action(
    async (what: string, flags: FleetFlags) => {
      const story = isFileName(what) ? await recorded(what) : await told(what, flags);
      const print = flags.json === true ? printStoryJson : printStory;
      print(story, process.stdout);
      finish(exitCodes.ok);
    },
  );
}

/** A path, or a file that is there: ids hold neither slash nor dot. */
function isFileName(what: string): boolean {
  return /[/.]/.test(what) || existsSync(what);
}

async function recorded(path: string): Promise<Story> {
  return storyOf(await replayFile(path, { reduce, start: startMigration }));
}

async function told(name: string, flags: FleetFlags): Promise<Story> {
  return withFleet(flags, async (fleet) => {
    const { migration } = await fleet.ask<{ migration: Migration }>('show', { migration: name });
    return storyOfMigration(migration);
  });
}

/** One line for the migration, then rounds and decisions in the order of time, and the result. */
export function printStoryJson({ migration, chapters, retold }: Story, output: Output): void {
  const print = (type: string, body: object) => {
    output.write(`${JSON.stringify({ type, ...body })}\n`);
  };
  const { id, policy, source, link, probe, rounds, result } = migration;
  print('migration', { id, policy, vm: source?.name, link, ...(probe && { probe }), retold });
  const events = [
    ...rounds.map((round) => ({ at: round.endedAtMilliseconds, type: 'round', body: round })),
    ...chapters.map(({ explanation, record }) => {
      const { decision, ...became } = record;
      const body = { ...decision, ...became, explanation };
      return { at: decision.atMilliseconds, type: 'decision', body };
    }),
  ].sort((left, right) => left.at - right.at);
  for (const { type, body } of events) print(type, body);
  if (result) print('result', result);
}

/** The same for people. */
export function printStory(story: Story, output: Output): void {
  for (const line of renderStory(story, styleFor(output, process.env))) output.write(`${line}\n`);
}
