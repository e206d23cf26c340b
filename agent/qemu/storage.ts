/** Where a VM's disks lie, and whether a QEMU on another host would find the same bytes there. */
import { statfsSync } from 'node:fs';
import { asFields, asFieldsList, stringField, type Fields } from '../collectors/fields.ts';
import type { DiskFacts, StorageFacts, StorageKind } from '../../shared/storage.ts';

/** `f_type` of statfs(2) for file systems that several hosts mount at once. */
const sharedFileSystems: ReadonlySet<number> = new Set([
  0x6969, // NFS
  0xff534d42, // CIFS
  0xfe534d42, // SMB2
  0x00c36400, // Ceph
  0x01161970, // GFS2
  0x7461636f, // OCFS2
  0x47504653, // GPFS
  0x0bd00bd0, // Lustre
  0x65735546, // FUSE, by which GlusterFS and others are mounted
]);

/** Says of what kind the file system below a path is; throws when the path is not there. */
type FileSystemType = (path: string) => number;

/** The disks in the reply to `query-block`; an empty drive is none. */
export function storageIn(
  reply: unknown,
  fileSystemType: FileSystemType = (path) => statfsSync(path).type,
): StorageFacts {
  const disks = asFieldsList(reply).flatMap((entry): readonly DiskFacts[] => {
    const inserted = asFields(entry['inserted']);
    const location = inserted && stringField(inserted, 'file');
    if (location === undefined || isNothing(location)) return [];
    const device = nameOf(entry);
    return [{ device, location: short(location), storage: storageOf(location, fileSystemType) }];
  });
  return { disks: disks.slice(0, mostDisks) };
}

/** What one message carries; text as long as the wire lets through. */
const mostDisks = 64;
const short = (text: string) => text.slice(0, 512);

function nameOf(entry: Fields): string {
  const names = ['device', 'qdev'].map((field) => stringField(entry, field));
  return short(names.find((name) => name !== undefined && name !== '') ?? 'disk');
}

/** QEMU's disks without content. */
function isNothing(location: string): boolean {
  return location === '' || location.startsWith('null-');
}

function storageOf(location: string, fileSystemType: FileSystemType): StorageKind {
  // A device file says nothing of what is behind it: a SAN, DRBD, or a partition of this host.
  if (location.startsWith('/dev/') || location.startsWith('json:')) return 'unknown';
  if (!location.startsWith('/')) return /^[a-z0-9+-]+:/.test(location) ? 'shared' : 'unknown';
  try {
    return sharedFileSystems.has(fileSystemType(location)) ? 'shared' : 'local';
  } catch {
    return 'unknown';
  }
}
