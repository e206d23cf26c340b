import { type Family, families, type LiveSetting, type VmFacts } from '../../shared/sample.ts';
import type { QemuSettings } from './options.ts';
import { isKnownStatus } from './status.ts';
import { isAtLeast, knowledgeOf, type QemuVersion } from './version.ts';

/** What a QEMU can do, as far as its version, settings and schema tell. */
export interface QemuTraits {
  readonly version: QemuVersion;
  readonly migrationStatus: string;
  readonly settings: QemuSettings;
  /** Words that multifd-compression accepts, from the schema. */
  readonly multifdCompressions: readonly string[];
  /** Every migration state that this QEMU can report, from the schema. */
  readonly migrationStatuses: readonly string[];
}

export type QemuFacts = Pick<
  VmFacts,
  'families' | 'postCopyFamilies' | 'liveSettings' | 'timerSync'
>;

const observeOnly: Omit<QemuFacts, 'timerSync'> = {
  families: [],
  postCopyFamilies: [],
  liveSettings: [],
};

/**
 * What ferryman may use of this QEMU. A version before 6.0, or one that is now in a state unknown
 * here, is only observed. A newer one than the hazard table knows, or one with new states in its
 * schema, gets plain pre-copy with the settings it has, and no capabilities of unknown effect.
 */
export function factsOf(traits: QemuTraits): QemuFacts {
  const knowledge = knowledgeOf(traits.version);
  // 9.2 brought the 5 s bitmap sync that comes with auto-converge.
  const timerSync = isAtLeast(traits.version, 9, 2);
  if (knowledge === 'older' || !isKnownStatus(traits.migrationStatus)) {
    return { ...observeOnly, timerSync };
  }
  const liveSettings = liveSettingsOf(traits.settings);
  const hasNews = !traits.migrationStatuses.every(isKnownStatus);
  if (knowledge === 'newer' || hasNews) {
    return { families: ['plain'], postCopyFamilies: [], liveSettings, timerSync };
  }
  const legal = families.filter((family) => isAvailable(family, traits));
  return { families: legal, postCopyFamilies: postCopyOf(legal, traits), liveSettings, timerSync };
}

export interface Emulation {
  readonly version: QemuVersion;
  readonly kvm: boolean;
  readonly vcpuThreadIds: readonly number[];
}

/**
 * QEMU 7.2 without KVM, several vCPUs in threads of their own: pages that they write are missed, and
 * the guest may hang at the destination [measured straight over QMP: 8 of 25 migrations by 7.2, 0 of
 * 4 by 10.0; what lies between was not measured].
 */
export function forgetsDirtyPages({ kvm, version, vcpuThreadIds }: Emulation): boolean {
  return !kvm && !isAtLeast(version, 10, 0) && new Set(vcpuThreadIds).size > 1;
}

function isAvailable(family: Family, traits: QemuTraits): boolean {
  const { capabilities } = traits.settings;
  if (family === 'plain') return true;
  const [capability = family, compression = 'none'] = family.split('-');
  if (!Object.hasOwn(capabilities, capability)) return false;
  return capability !== 'multifd' || traits.multifdCompressions.includes(compression);
}

/** Multifd is out: on 7.2 the destination dies, on 10.0 QEMU refuses (see `exclusive` in hazards.ts). */
function postCopyOf(legal: readonly Family[], { settings }: QemuTraits): Family[] {
  if (!Object.hasOwn(settings.capabilities, 'postcopy-ram')) return [];
  return legal.filter((family) => !family.startsWith('multifd'));
}

function liveSettingsOf({ capabilities, parameters }: QemuSettings): LiveSetting[] {
  const needs: Readonly<Record<LiveSetting, boolean>> = {
    'downtime-limit': 'downtime-limit' in parameters,
    'max-bandwidth': 'max-bandwidth' in parameters,
    'avail-switchover-bandwidth': 'avail-switchover-bandwidth' in parameters,
    'max-postcopy-bandwidth': 'max-postcopy-bandwidth' in parameters,
    throttle: 'auto-converge' in capabilities && 'max-cpu-throttle' in parameters,
  };
  return (Object.keys(needs) as LiveSetting[]).filter((setting) => needs[setting]);
}
