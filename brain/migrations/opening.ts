/** The first inputs of every migration: what the brain knew when the order came. */
import type { VmFacts } from '../../shared/sample.ts';
import type { Side } from '../core/decision.ts';
import type { Input } from '../core/input.ts';
import type { Fleet } from '../fleet.ts';
import type { LinkMemory } from './link-memory.ts';
import type { MigrationOrder } from '../orders.ts';

export interface Opening {
  readonly order: MigrationOrder;
  readonly vms: Readonly<Record<Side, VmFacts>>;
  readonly fleet: Pick<Fleet, 'hostSample'>;
  readonly links: LinkMemory;
  readonly atMilliseconds: number;
}

/** Both VMs, both hosts as far as they have spoken, the link, and last the order itself. */
export function openingInputs({
  order,
  vms,
  fleet,
  links,
  atMilliseconds,
}: Opening): readonly Input[] {
  const { endpoint, objective } = order;
  const [source, destination] = [order.source.host, order.destination.host];
  const hosts = { source: fleet.hostSample(source), destination: fleet.hostSample(destination) };
  const link = links.estimate({ source, destination, objective, hosts });
  const about = (side: Side): readonly Input[] => {
    const host = hosts[side];
    const attach: Input = { kind: 'attach', atMilliseconds, side, facts: vms[side] };
    return host ? [attach, { kind: 'host', atMilliseconds, side, host }] : [attach];
  };
  return [
    ...about('source'),
    ...about('destination'),
    { kind: 'link', atMilliseconds, link },
    { kind: 'order', atMilliseconds, order: { verb: 'migrate', endpoint, objective } },
  ];
}
