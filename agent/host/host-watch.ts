/** The host under the VMs: its load and what it offers, once a second. */
import { messageOf } from '../../shared/errors.ts';
import type { Log } from '../../shared/log.ts';
import type { HostFacts } from '../../shared/host-facts.ts';
import type { HostSample } from '../../shared/sample.ts';
import { openHostProbe } from '../collectors/index.ts';
import { rarely } from './host-facts.ts';
import type { Outbox } from '../outbox/outbox.ts';

const hostSampleMilliseconds = 1000;
/** Rights seldom change unless VMs do, and trying them out costs a system call for each. */
const samplesPerFacts = 5;

export interface HostWatch {
  latest(): HostSample;
  /** Says the latest again. */
  announce(): void;
  stop(): void;
}

/** Samples the host, with so many VMs, once a second; the first sample is there when this returns. */
export async function watchHost(
  log: Log,
  outbox: Outbox,
  facts: () => HostFacts,
  vms: () => number,
): Promise<HostWatch> {
  const factsNow = rarely(facts, samplesPerFacts, vms);
  const probe = openHostProbe((collector, error) => {
    log.warn({ collector, error: messageOf(error) }, 'a collector failed');
  });
  let latest: HostSample = await probe.collectHost();
  const announce = () => {
    outbox.publish({ kind: 'host', sample: latest, facts: factsNow() });
  };
  announce();
  const look = async (): Promise<void> => {
    const stamp = outbox.stamp();
    latest = await probe.collectHost();
    outbox.publishSoon({ kind: 'host', sample: latest, facts: factsNow() }, stamp);
  };
  const timer = setInterval(() => {
    look().catch((error: unknown) => {
      log.warn({ error: messageOf(error) }, 'the host could not be sampled');
    });
  }, hostSampleMilliseconds);
  return {
    latest: () => latest,
    announce,
    stop: () => {
      clearInterval(timer);
    },
  };
}
