/** From monitors that come and go to attached VMs: inspected, announced, watched. */
import { messageOf } from '../../shared/errors.ts';
import type { HostSample, QemuRef } from '../../shared/sample.ts';
import { incomingEvent, notIncomingEvent } from '../../shared/telemetry.ts';
import type { AgentOptions } from '../agent.ts';
import { discover } from './discovery.ts';
import { vmKey } from '../commands/executor.ts';
import type { Journal } from '../commands/journal.ts';
import { discoverDomains, type Arriving, type DomainOptions } from '../libvirt/domains.ts';
import type { Monitor } from '../monitor/monitor.ts';
import type { Outbox } from '../outbox/outbox.ts';
import { inspectVm } from '../qemu/inspect.ts';
import type { Roster } from './roster.ts';
import type { GroupLayout } from '../throttle/groups.ts';
import { AttachedVm } from './vm.ts';

export interface AttachmentOptions extends AgentOptions {
  readonly agentBoot: string;
  readonly outbox: Outbox;
  readonly roster: Roster;
  readonly journal: Journal;
  readonly layout: GroupLayout | undefined;
  readonly hostSample: () => HostSample;
}

/** Starts attaching to every monitor that can be found, until `stop`. */
export function attachToMonitors(options: AttachmentOptions): { stop: () => void } {
  const { roster, outbox, log, sockets = [], directory, libvirt } = options;
  const say = (message: string): void => {
    log.warn({}, message);
    outbox.publish({ kind: 'alert', message });
  };
  const leave = (address: string, reason: string): void => {
    const vm = roster.remove(address);
    if (vm === undefined) return;
    vm.stop();
    outbox.publish({ kind: 'detach', ref: vm.ref, reason });
  };
  const places = [{ sockets }, ...(directory === undefined ? [] : [{ directory }])];
  const handlers: Pick<DomainOptions, 'onAttach' | 'onDetach' | 'onTrouble'> = {
    onAttach: (monitor) => {
      attach(monitor, options).catch((error: unknown) => {
        say(`${monitor.address} cannot be attached: ${messageOf(error)}`);
        monitor.close();
      });
    },
    onDetach: (path, reason) => {
      leave(path, reason.message);
    },
    onTrouble: (_place, reason) => {
      say(reason.message);
    },
  };
  const discoveries = [
    ...places.map((place) => discover({ places: place, ...handlers })),
    ...(libvirt === undefined
      ? []
      : [discoverDomains({ libvirt, ...handlers, ...arrivals(options) })]),
  ];
  return {
    stop() {
      for (const vm of roster.all()) leave(vm.facts.monitor, 'the agent stops');
      for (const discovery of discoveries) discovery.stop();
    },
  };
}

/** Of a domain on its way in nothing is known but that it comes. */
function arrivals({
  host,
  agentBoot,
  outbox,
}: AttachmentOptions): Pick<DomainOptions, 'onArrival' | 'onArrivalEnd'> {
  const tell = (event: string) => (arriving: Arriving) => {
    const { uuid, name, address: monitor } = arriving;
    const ref = { host, agentBoot, qemuPid: 0, uuid };
    outbox.publish({ kind: 'event', ref, name: event, detail: { name, monitor } });
  };
  return { onArrival: tell(incomingEvent), onArrivalEnd: tell(notIncomingEvent) };
}

/** Throws what the inspection throws. */
async function attach(monitor: Monitor, options: AttachmentOptions): Promise<void> {
  const lost = new AbortController();
  monitor.onClose(() => {
    lost.abort();
  });
  const inspection = await inspectVm(monitor);
  if (lost.signal.aborted) return;
  const { host, agentBoot, roster, journal, layout, hostSample, ...rest } = options;
  const { uuid, qemuPid = 0, settings } = inspection;
  const ref: QemuRef = { host, agentBoot, qemuPid, uuid };
  // What an earlier life of this agent has changed is not what has to be put back.
  const fresh = journal.touched(vmKey(ref)) ?? { saved: settings, hasTouchedThrottle: false };
  const vm = new AttachedVm({
    ...rest,
    ref,
    monitor,
    inspection,
    memory: roster.memoryOf(ref, fresh),
    postCopyRequested: journal.postCopyRequested(vmKey(ref)),
    ...(layout && { layout }),
    hostSample,
  });
  roster.add(monitor.address, vm);
  vm.start();
}
