/** query-migrate of QEMU 7.2 to 10.0, converted to base units (qapi/migration.json, MigrationInfo). */
import type {
  CompressionSample,
  MigrationSample,
  RamSample,
  XbzrleSample,
} from '../../shared/sample.ts';
import { megabitsPerSecondToBytesPerSecond } from '../qemu/units.ts';
import type { BlockCounters } from './block-io.ts';
import {
  amountField,
  asFields,
  countField,
  type Fields,
  stringField,
  withoutUndefined,
} from './fields.ts';

/** What the agent knows about the VM beside query-migrate. */
export interface MigrationExtras extends Partial<BlockCounters> {
  readonly vcpuSeconds?: number | undefined;
  /** What a CPU quota on the vCPU threads denies the guest. */
  readonly cgroupThrottlePercent?: number | undefined;
}

/** Status of a reply that is no object, or whose status is no word: observe only. */
const unknownStatus = 'unknown';
/** What the wire takes: a status is one of QEMU's short words, an error a few sentences. */
const maximumStatusCharacters = 256;
const maximumErrorCharacters = 4096;

/**
 * Never throws: a field that this QEMU does not have, or that has another type, is absent. QEMU
 * answers an empty object when it has no migration.
 */
export function toMigrationSample(reply: unknown, extras: MigrationExtras = {}): MigrationSample {
  const info = asFields(reply) ?? { status: unknownStatus };
  const ram = asFields(info['ram']);
  const xbzrle = asFields(info['xbzrle-cache']);
  const compression = asFields(info['compression']);
  return withoutUndefined<MigrationSample>({
    status: toStatus(info),
    errorDescription: stringField(info, 'error-desc')?.slice(0, maximumErrorCharacters),
    totalMilliseconds: amountField(info, 'total-time'),
    setupMilliseconds: amountField(info, 'setup-time'),
    downtimeMilliseconds: amountField(info, 'downtime'),
    expectedDowntimeMilliseconds: amountField(info, 'expected-downtime'),
    ram: ram && toRamSample(ram),
    xbzrle: xbzrle && toXbzrleSample(xbzrle),
    compression: compression && toCompressionSample(compression),
    ...toThrottle(info, extras),
    vcpuSeconds: extras.vcpuSeconds,
    blockReadBytes: extras.blockReadBytes,
    blockWrittenBytes: extras.blockWrittenBytes,
    blockOperations: extras.blockOperations,
  });
}

function toStatus(info: Fields): string {
  if (!('status' in info)) return 'none';
  const status = stringField(info, 'status') ?? '';
  const isWord = status.length > 0 && status.length <= maximumStatusCharacters;
  return isWord ? status : unknownStatus;
}

/** Only one mechanism is ever above its floor, so the higher level is the one in force. */
function toThrottle(info: Fields, { cgroupThrottlePercent = 0 }: MigrationExtras) {
  const percent = amountField(info, 'cpu-throttle-percentage');
  const cpuThrottlePercent = percent !== undefined && percent <= 100 ? percent : undefined;
  const throttlePercent = Math.max(cpuThrottlePercent ?? 0, cgroupThrottlePercent);
  return { cpuThrottlePercent, throttlePercent };
}

/** Figures that every decision rests on: without one of them there is no RAM sample at all. */
const essentialRamFields = ['transferred', 'remaining', 'total', 'dirty-sync-count', 'page-size'];

function toRamSample(ram: Fields): RamSample | undefined {
  if (essentialRamFields.some((name) => countField(ram, name) === undefined)) return undefined;
  const { count, amount } = figuresOf(ram);
  return {
    transferredBytes: count('transferred'),
    remainingBytes: count('remaining'),
    totalBytes: count('total'),
    duplicatePages: count('duplicate'),
    normalPages: count('normal'),
    normalBytes: count('normal-bytes'),
    dirtySyncCount: count('dirty-sync-count'),
    dirtyPagesPerSecond: amount('dirty-pages-rate'),
    pagesPerSecond: amount('pages-per-second'),
    pageBytes: count('page-size'),
    bandwidthBytesPerSecond: toBandwidth(amount('mbps')),
    multifdBytes: count('multifd-bytes'),
    precopyBytes: count('precopy-bytes'),
    downtimeBytes: count('downtime-bytes'),
    postcopyBytes: count('postcopy-bytes'),
    postcopyRequests: count('postcopy-requests'),
  };
}

/** QEMU divides by the time since its last look; when that is nothing, the figure is nonsense. */
function toBandwidth(megabitsPerSecond: number): number {
  const bytesPerSecond = megabitsPerSecondToBytesPerSecond(megabitsPerSecond);
  return bytesPerSecond <= Number.MAX_SAFE_INTEGER ? bytesPerSecond : 0;
}

function toXbzrleSample(xbzrle: Fields): XbzrleSample {
  const { count, amount } = figuresOf(xbzrle);
  return {
    cacheBytes: count('cache-size'),
    encodedBytes: count('bytes'),
    encodedPages: count('pages'),
    cacheMissPages: count('cache-miss'),
    cacheMissShare: amount('cache-miss-rate'),
    encodingRatio: amount('encoding-rate'),
    overflowPages: count('overflow'),
  };
}

function toCompressionSample(compression: Fields): CompressionSample {
  const { count, amount } = figuresOf(compression);
  return {
    pages: count('pages'),
    busyCount: count('busy'),
    busyShare: amount('busy-rate'),
    compressedBytes: count('compressed-size'),
    compressionRatio: amount('compression-rate'),
  };
}

/** Statistics count up from zero, so one that this QEMU does not have yet counted nothing. */
function figuresOf(fields: Fields) {
  return {
    count: (name: string) => countField(fields, name) ?? 0,
    amount: (name: string) => amountField(fields, name) ?? 0,
  };
}
