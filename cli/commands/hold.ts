import { Command } from 'commander';
import { exitCodes, type Finish } from '../exit.ts';
import { addFleetOptions, type FleetFlags } from '../fleet/address.ts';
import { withFleet } from '../fleet/client.ts';
import { printable } from '../terminal/style.ts';

interface HoldFlags extends FleetFlags {
  readonly reason?: string;
}

/** What a hold means, word for word, wherever it is asked. */
const meaning = `Puts a VM out of reach. A held VM is not touched: orders to migrate it are refused (exit 5). A
migration of it that is still being prepared is given up. One that already moves goes on: its guest
is no longer held back, nothing is tuned and post-copy is not begun; its deadline still holds, it can
be aborted, and at its end the settings of QEMU are put back. A hold lasts until it is released; all
brains know of it, also later ones. (On a nats-server without JetStream it ends with the brain.)`;

/** `ferryman hold`. */
export function holdCommand(finish: Finish): Command {
  const command = new Command('hold')
    .summary('put a VM out of reach: it is neither migrated nor tuned')
    .description(meaning)
    .argument('<vm>', 'its name or UUID')
    .option('--reason <text>', 'shown to whoever asks');
  return addFleetOptions(command, 'one JSON object on standard output').action(
    async (vm: string, { reason, ...flags }: HoldFlags) => {
      const order = { vm, ...(reason !== undefined && { reason }) };
      const held = await withFleet(flags, (fleet) => fleet.ask<Held>('hold', order));
      const caution = held.isKept ? '' : ' (nobody could keep it: it ends with this brain)';
      print(flags, { type: 'hold', ...held }, `${held.vm} is held: ${held.reason}${caution}`);
      finish(exitCodes.ok);
    },
  );
}

/** `ferryman release`. */
export function releaseCommand(finish: Finish): Command {
  const command = new Command('release')
    .description('let a held VM be migrated and tuned again')
    .argument('<vm>', 'its name or UUID');
  return addFleetOptions(command, 'one JSON object on standard output').action(
    async (vm: string, flags: FleetFlags) => {
      const released = await withFleet(flags, (fleet) => fleet.ask<Released>('release', { vm }));
      const text = released.wasHeld ? `${vm} is no longer held` : `${vm} was not held`;
      print(flags, { type: 'release', vm, ...released }, text);
      finish(exitCodes.ok);
    },
  );
}

interface Held {
  readonly vm: string;
  readonly uuid: string;
  readonly reason: string;
  /** Whether it outlives the brain. */
  readonly isKept: boolean;
}

interface Released {
  readonly uuid: string;
  readonly wasHeld: boolean;
}

function print({ json }: FleetFlags, line: object, text: string): void {
  const { ok: _, ...told } = line as { readonly ok?: boolean };
  process.stdout.write(`${json === true ? JSON.stringify(told) : printable(text)}\n`);
}
