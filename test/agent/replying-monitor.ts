import type { Monitor } from '../../agent/monitor/monitor.ts';

type Reply = (commandArguments: object | undefined) => unknown;

/** A monitor that answers from a table, and rejects any other command. */
export function replyingMonitor(replies: Readonly<Record<string, Reply>>): Monitor {
  return {
    address: 'test.qmp',
    execute: async (command, commandArguments) => {
      const reply = replies[command];
      if (reply === undefined) throw new Error(`unexpected command ${command}`);
      return Promise.resolve(reply(commandArguments));
    },
    onEvent: () => undefined,
    onClose: () => undefined,
    close: () => undefined,
  };
}
