import { Command, Option } from 'commander';
import { openArchive } from '../../brain/history/archive.ts';
import type { MigrationRecord } from '../../brain/history/points.ts';
import { exitCodes, type Finish } from '../exit.ts';
import { addInfluxOptions, influxOf, type InfluxFlags } from '../influx-options.ts';
import { sinceOption } from '../options.ts';
import type { Output } from '../reporters/reporter.ts';
import { renderHistory } from '../terminal/history.ts';
import { styleFor } from '../terminal/style.ts';

interface HistoryFlags extends InfluxFlags {
  readonly since: number;
  readonly json?: boolean;
}

/** `ferryman history`: past migrations, the newest first. */
export function historyCommand(finish: Finish): Command {
  const command = new Command('history')
    .description('list past migrations with their outcomes and figures, the newest first')
    .argument('[vm]', 'only those of this VM: its name, its UUID')
    .addOption(
      new Option('--since <duration>', 'how far back')
        .default(86_400_000, '24h')
        .argParser(sinceOption),
    );
  return addInfluxOptions(command)
    .option('--json', 'NDJSON on standard output')
    .action(async (vm: string | undefined, flags: HistoryFlags) => {
      const archive = openArchive(influxOf(flags));
      const all = await archive.settledSince(Date.now() - flags.since);
      const records = vm === undefined ? all : all.filter((record) => isOf(record, vm));
      const print = flags.json === true ? printHistoryJson : printHistory;
      print(records, process.stdout);
      finish(exitCodes.ok);
    });
}

function isOf({ source }: MigrationRecord, vm: string): boolean {
  return source?.name === vm || source?.ref.uuid === vm;
}

/** One line for each: who moved from where to where and when, and the result as everywhere. */
export function printHistoryJson(records: readonly MigrationRecord[], output: Output): void {
  for (const { id, source, destination, result, ...record } of records) {
    const line = {
      type: 'migration',
      id,
      vm: source?.name,
      uuid: source?.ref.uuid,
      source: source?.ref.host,
      destination: destination?.ref.host,
      orderedAtMilliseconds: record.orderedAtMilliseconds,
      settledAtMilliseconds: record.nowMilliseconds,
      ...result,
    };
    output.write(`${JSON.stringify(line)}\n`);
  }
}

/** The same for people. */
export function printHistory(records: readonly MigrationRecord[], output: Output): void {
  for (const line of renderHistory(records, styleFor(output, process.env))) {
    output.write(`${line}\n`);
  }
}
