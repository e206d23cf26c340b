import { writeFile } from 'node:fs/promises';
import { Command, Option } from 'commander';
import { openArchive } from '../../brain/history/archive.ts';
import { ExitError, exitCodes, type Finish } from '../exit.ts';
import { addInfluxOptions, influxOf, type InfluxFlags } from '../influx-options.ts';
import { reportPage } from '../report/page.ts';
import { storyOfMigration } from '../story.ts';
import { printStory, printStoryJson } from './explain.ts';

interface ReportFlags extends InfluxFlags {
  readonly html?: string;
  readonly json?: boolean;
}

/** `ferryman report`: one past migration in full. */
export function reportCommand(finish: Finish): Command {
  const command = new Command('report')
    .description('tell a past migration in full: each decision, why, and what came of it')
    .argument('<id>', 'the migration, as `ferryman history` lists it')
    .addOption(
      new Option('--html <file>', 'write a page with charts that needs nothing else').conflicts(
        'json',
      ),
    );
  return addInfluxOptions(command)
    .option('--json', 'NDJSON on standard output, the result last')
    .action(async (id: string, flags: ReportFlags) => {
      const past = await openArchive(influxOf(flags)).find(id);
      if (past === undefined) {
        throw new ExitError(
          exitCodes.unreachable,
          `History knows no migration ${id}. \`ferryman history --since 720h\` lists a month.`,
        );
      }
      const story = storyOfMigration(past.migration);
      if (flags.html !== undefined) await writeFile(flags.html, reportPage(story, past.samples));
      else if (flags.json === true) printStoryJson(story, process.stdout);
      else printStory(story, process.stdout);
      finish(exitCodes.ok);
    });
}
