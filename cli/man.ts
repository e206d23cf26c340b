/** Man pages, made of the commands themselves: one for `ferryman`, one for each command. Pure. */
import type { Argument, Command, Option } from 'commander';
import { titleOf } from './completion.ts';

export interface ManPage {
  /** e.g. `ferryman-migrate.1`. */
  readonly fileName: string;
  /** In the man macros of roff. */
  readonly text: string;
}

/** All pages; `date` as `2026-11-23`. */
export function manPages(program: Command, version: string, date: string): readonly ManPage[] {
  const page = (title: string, sections: readonly string[]): ManPage => ({
    fileName: `${title}.1`,
    text: [
      `.TH ${title.toUpperCase()} 1 "${date}" "ferryman ${version}" "ferryman"`,
      ...sections,
      '',
    ].join('\n'),
  });
  return [
    page('ferryman', overview(program)),
    ...program.commands.map((command) =>
      page(`ferryman-${command.name()}`, sectionsOf(program, command)),
    ),
  ];
}

function overview(program: Command): readonly string[] {
  return [
    ...name('ferryman', program.description()),
    ...section('SYNOPSIS', [bold('ferryman') + escaped(' COMMAND [OPTIONS]')]),
    ...section(
      'COMMANDS',
      program.commands.flatMap((command) =>
        item(`${bold(`ferryman-${command.name()}`)}(1)`, titleOf(command)),
      ),
    ),
    ...exitStatus,
    ...environment,
  ];
}

function sectionsOf(program: Command, command: Command): readonly string[] {
  const helper = command.createHelp();
  const names = command.registeredArguments.map((argument) => `<${argument.name()}>`);
  const synopsis = escaped(` [OPTIONS] ${names.join(' ')}`.trimEnd());
  const { registeredArguments } = command;
  return [
    ...name(`ferryman-${command.name()}`, titleOf(command)),
    ...section('SYNOPSIS', [bold(`ferryman ${command.name()}`) + synopsis]),
    ...(command.summary() === '' ? [] : section('DESCRIPTION', [escaped(command.description())])),
    ...(registeredArguments.length === 0
      ? []
      : section('ARGUMENTS', registeredArguments.flatMap(argumentItem))),
    ...section(
      'OPTIONS',
      helper
        .visibleOptions(command)
        .flatMap((option) => optionItem(helper.optionDescription(option), option)),
    ),
    ...exitStatus,
    ...section('SEE ALSO', [`${bold(program.name())}(1)`]),
  ];
}

function argumentItem(argument: Argument): readonly string[] {
  return item(bold(argument.name()), argument.description);
}

function optionItem(description: string, option: Option): readonly string[] {
  return item(bold(option.flags), description);
}

const exitStatus = section('EXIT STATUS', [
  ...item('0', 'ok'),
  ...item('2', 'the command line or the configuration is wrong'),
  ...item('3', 'something that is needed cannot be reached'),
  ...item('4', 'the migration did not complete'),
  ...item('5', 'refused by a policy, a mode, a hold or the preflight'),
]);

const environment = section('ENVIRONMENT', [
  ...item(bold('FERRYMAN_NATS_URL'), 'where the NATS of the fleet is, in place of the file'),
  ...item(bold('FERRYMAN_LOG'), 'silent, error, warn, info or debug'),
  ...item(bold('NO_COLOR'), 'no colours'),
]);

function name(title: string, description: string): readonly string[] {
  return section('NAME', [`${escaped(title)} \\- ${escaped(description)}`]);
}

function section(title: string, lines: readonly string[]): readonly string[] {
  return [`.SH ${title}`, ...lines];
}

function item(head: string, text: string): readonly string[] {
  return ['.TP', head, escaped(text)];
}

function bold(text: string): string {
  return `\\fB${escaped(text)}\\fR`;
}

/** A text as text: no macro at the start of a line, hyphens that can be copied. */
function escaped(text: string): string {
  const plain = text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/\s*\n\s*/g, ' ');
  return /^[.']/.test(plain) ? `\\&${plain}` : plain;
}
