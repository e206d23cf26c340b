import { Command } from 'commander';
import type { FleetView } from '../../brain/desk/views.ts';
import { exitCodes, type Finish } from '../exit.ts';
import { addFleetOptions, type FleetFlags } from '../fleet/address.ts';
import { withFleet } from '../fleet/client.ts';
import type { Output } from '../reporters/reporter.ts';
import { renderFleet } from '../terminal/fleet.ts';
import { styleFor } from '../terminal/style.ts';

/** `ferryman list`: hosts, VMs and migrations as the brain knows them. */
export function listCommand(finish: Finish): Command {
  const command = new Command('list').description(
    'list hosts, VMs and migrations; of settled ones the latest, `history` has the rest',
  );
  return addFleetOptions(command, 'NDJSON: a line for each host, VM and migration').action(
    async (flags: FleetFlags) => {
      const view = await withFleet(flags, (fleet) => fleet.ask<FleetView>('list'));
      (flags.json === true ? printFleetJson : printFleet)(view, process.stdout);
      finish(exitCodes.ok);
    },
  );
}

/** Hosts, then VMs, then migrations, each as a line of JSON with its `type`. */
export function printFleetJson({ hosts, vms, migrations }: FleetView, output: Output): void {
  const print = (type: string, items: readonly object[]) => {
    for (const item of items) output.write(`${JSON.stringify({ type, ...item })}\n`);
  };
  print('host', hosts);
  print('vm', vms);
  print('migration', migrations);
}

/** The same for people. */
export function printFleet(view: FleetView, output: Output): void {
  for (const line of renderFleet(view, styleFor(output, process.env))) output.write(`${line}\n`);
}
