import type {
  Arming,
  AutoConvergeSettings,
  Endpoint,
  Operation,
  Tuning,
} from '../../shared/command.ts';
import { uncappedBytesPerSecond } from '../core/methods/bandwidth.ts';
import { formatBytes, formatMilliseconds } from './figures.ts';

/** What an operation does, in words an operator would use; without a full stop. */
export function describeOperation(operation: Operation): string {
  switch (operation.kind) {
    case 'probe':
      return `look at the guest's memory for up to ${formatMilliseconds(operation.budgetMilliseconds)}`;
    case 'start-destination':
      return `start a fresh destination for ${operation.family}`;
    case 'arm':
      return `arm ${describeArming(operation.arming)}${described(' with ', operation.tuning)}`;
    case 'throttle':
      return describeThrottle(operation.percent, operation.mechanism);
    case 'tune':
      return `set ${described('', operation.tuning) || 'nothing'}`;
    case 'listen':
      return `listen on ${describeEndpoint(operation.endpoint)}`;
    case 'migrate':
      return `start moving to ${describeEndpoint(operation.endpoint)}`;
    case 'recover-destination':
      return `listen again on ${describeEndpoint(operation.endpoint)}`;
    case 'resume':
      return `resume post-copy to ${describeEndpoint(operation.endpoint)}`;
    default:
      return simpleOperations[operation.kind];
  }
}

const simpleOperations = {
  cancel: 'cancel this attempt',
  'start-postcopy': 'switch to post-copy',
  restore: 'put every setting back as it was',
} as const;

/** An endpoint as QEMU and the command line write it, or libvirt. */
export function describeEndpoint(endpoint: Endpoint): string {
  if (endpoint.kind === 'unix') return `unix:${endpoint.path}`;
  const host = endpoint.host.includes(':') ? `[${endpoint.host}]` : endpoint.host;
  const place = endpoint.port === undefined ? host : `${host}:${String(endpoint.port)}`;
  return endpoint.kind === 'tcp' ? `tcp:${place}` : `qemu+${endpoint.transport}://${place}/system`;
}

function describeThrottle(percent: number, mechanism: 'qemu' | 'cgroup'): string {
  if (percent === 0) return 'let the guest run freely again';
  const means = mechanism === 'cgroup' ? 'a CPU quota' : "QEMU's throttle";
  return `hold the guest back by ${percent.toFixed(0)} % through ${means}`;
}

function describeArming(arming: Arming): string {
  return [
    arming.family === 'plain' ? 'plain pre-copy' : arming.family,
    ...(arming.xbzrleCacheBytes === undefined
      ? []
      : [`cache ${formatBytes(arming.xbzrleCacheBytes)}`]),
    ...(arming.multifdChannels === undefined ? [] : [`${String(arming.multifdChannels)} channels`]),
    ...(arming.compressThreads === undefined ? [] : [`${String(arming.compressThreads)} threads`]),
    ...(arming.autoConverge ? ['a throttle'] : []),
    ...(arming.postCopy ? ['post-copy'] : []),
  ].join(', ');
}

function described(lead: string, tuning: Tuning): string {
  const settings = [
    ...rate('bandwidth', tuning.maxBandwidthBytesPerSecond),
    ...rate('switchover bandwidth', tuning.availSwitchoverBandwidthBytesPerSecond),
    ...rate('post-copy bandwidth', tuning.maxPostcopyBandwidthBytesPerSecond),
    ...(tuning.downtimeLimitMilliseconds === undefined
      ? []
      : [`downtime limit ${formatMilliseconds(tuning.downtimeLimitMilliseconds)}`]),
    ...(tuning.autoConverge === undefined ? [] : [describeAutoConverge(tuning.autoConverge)]),
  ];
  return settings.length === 0 ? '' : lead + settings.join(', ');
}

function rate(name: string, bytesPerSecond: number | undefined): readonly string[] {
  if (bytesPerSecond === undefined) return [];
  if (bytesPerSecond >= uncappedBytesPerSecond) return [`no ${name} cap`];
  return [bytesPerSecond === 0 ? `${name} unset` : `${name} ${formatBytes(bytesPerSecond)}/s`];
}

function describeAutoConverge(settings: AutoConvergeSettings): string {
  return settings.maxPercent <= 1
    ? 'the throttle asleep'
    : `the throttle from ${String(settings.initialPercent)} % to ${String(settings.maxPercent)} %`;
}
