import { Command } from 'commander';
import { reduce, startMigration } from '../../brain/core/reduce.ts';
import { replayFile } from '../../brain/replay.ts';
import { exitCodes, type Finish } from '../exit.ts';
import type { Output } from '../reporters/reporter.ts';
import { storyOf, type Story } from '../story.ts';
import { renderStory } from '../terminal/story.ts';
import { styleFor } from '../terminal/style.ts';

/** `ferryman explain`: the story of a recorded migration. */
export function explainCommand(finish: Finish): Command {
  return new Command('explain')
    .description('tell a recorded migration: each decision, why, what it promised, what came of it')
    .argument('<trace>', 'a file written by `ferryman run --record`')
    .option('--json', 'NDJSON on standard output, the result last')
    .action(async (path: string, { json }: { readonly json?: boolean }) => {
      const story = storyOf(await replayFile(path, { reduce, start: startMigration }));
      const print = json === true ? printStoryJson : printStory;
      print(story, process.stdout);
      finish(exitCodes.ok);
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
