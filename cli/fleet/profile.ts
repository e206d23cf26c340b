/** Which rights an agent was given, in words. */
import type { Privileges } from '../../shared/host-facts.ts';

/** The profile of deploy/systemd that these make up: `tune`, and what was added to it. */
export function profileWords({ user, capabilities }: Privileges): string {
  if (user === 'root') return 'root: it may do everything, also what it does not need';
  const rights = [
    ...(capabilities.includes('CAP_SYS_PTRACE') ? ['probe'] : []),
    ...(capabilities.includes('CAP_DAC_OVERRIDE') ? ['quota'] : []),
  ];
  const profile = ['tune', ...rights].join(' + ');
  const has = capabilities.length === 0 ? 'no capability' : capabilities.join(', ');
  return `${user}, profile ${profile}: ${has}`;
}
