/** Words that a shell offers behind `ferryman`: made of the commands themselves, so that none is missed. */
import type { Command } from 'commander';

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

interface Words {
  readonly name: string;
  readonly description: string;
  readonly options: readonly { readonly flag: string; readonly description: string }[];
}

/** What a command does in a line. */
export function titleOf(command: Command): string {
  return command.summary() || command.description();
}

/** A script for this shell; how to load it stands in its first lines. */
export function completionScript(program: Command, shell: Shell): string {
  const commands = program.commands.map(wordsOf);
  return { bash, zsh, fish }[shell](commands);
}

function wordsOf(command: Command): Words {
  const options = command.options.flatMap(({ long, description, hidden }) =>
    long === undefined || hidden ? [] : [{ flag: long, description }],
  );
  const help = { flag: '--help', description: 'display help for command' };
  return { name: command.name(), description: titleOf(command), options: [...options, help] };
}

function bash(commands: readonly Words[]): string {
  const cases = commands.map(
    ({ name, options }) => `    ${name}) words='${options.map(({ flag }) => flag).join(' ')}' ;;`,
  );
  return `# bash completion of ferryman; load it with: source <(ferryman completion bash)
_ferryman() {
  local words
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W '${commands.map(({ name }) => name).join(' ')}' -- "$2"))
    return
  fi
  case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
    *) words='' ;;
  esac
  case "$2" in
    -*) COMPREPLY=($(compgen -W "$words" -- "$2")) ;;
    *) COMPREPLY=() ;;
  esac
}
complete -o default -F _ferryman ferryman
`;
}

function zsh(commands: readonly Words[]): string {
  const names = commands.map(
    ({ name, description }) => `    '${name}:${quoted(description).replaceAll(':', '\\:')}'`,
  );
  const cases = commands.map(({ name, options }) => {
    const words = options.map(
      ({ flag, description }) => `'${flag}[${quoted(description).replace(/[[\]]/g, '\\$&')}]'`,
    );
    return `    ${name}) _arguments ${words.join(' ')} '*:file:_files' ;;`;
  });
  return `#compdef ferryman
# zsh completion of ferryman; load it with: source <(ferryman completion zsh)
_ferryman() {
  local -a commands
  commands=(
${names.join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  shift words
  (( CURRENT -= 1 ))
  case "$words[1]" in
${cases.join('\n')}
  esac
}
compdef _ferryman ferryman
`;
}

function fish(commands: readonly Words[]): string {
  const names = commands.map(
    ({ name, description }) =>
      `complete -c ferryman -n __fish_use_subcommand -f -a ${name} -d '${quoted(description)}'`,
  );
  const options = commands.flatMap((command) =>
    command.options.map(
      ({ flag, description }) =>
        `complete -c ferryman -n '__fish_seen_subcommand_from ${command.name}' ` +
        `-l ${flag.slice(2)} -d '${quoted(description)}'`,
    ),
  );
  return `# fish completion of ferryman; load it with: ferryman completion fish | source
${[...names, ...options].join('\n')}
`;
}

/** Fit to stand between single quotes in all three shells: none of our texts needs one. */
function quoted(text: string): string {
  return text.replaceAll("'", '’').replaceAll('\\', '');
}
