import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { findGuestRam, parseMappings } from '../../agent/workload/ram-mapping.ts';

/** Where guest.asm keeps its report, and what it begins with. */
const reportAddress = 0x8000;
const reportBytes = 40;
const magic = 'FRRY';

/** What the guest says of itself. */
export interface Report {
  /** Whether all its memory is filled. */
  readonly isReady: boolean;
  /** Moves whenever the guest runs. */
  readonly heartbeat: number;
  /** Units of work done, a million per vCPU and tick that was not missed. */
  readonly work: number;
  /** Pages dirtied since boot. */
  readonly pages: number;
}

/** One QEMU's view of the report, read without the guest or QEMU noticing. */
export interface ReportPage {
  /**
   * Undefined until the guest has written it (or a migration has brought it). Throws once the
   * process has ended.
   */
  read(): Report | undefined;
  close(): void;
}

/** Opens the report in the memory of a QEMU process. Throws when that has no such memory (yet). */
export function openReportPage(qemuPid: number, memoryBytes: number): ReportPage {
  const process = `/proc/${String(qemuPid)}`;
  const [ram] = findGuestRam(parseMappings(readFileSync(`${process}/maps`, 'utf8')), memoryBytes);
  if (!ram)
    throw new Error(`process ${String(qemuPid)} has no RAM of ${String(memoryBytes)} bytes`);
  const file = openSync(`${process}/mem`, 'r');
  const pagemap = openSync(`${process}/pagemap`, 'r');
  const address = ram.startAddress + reportAddress;
  const page = Buffer.alloc(reportBytes);
  return {
    read: () => {
      if (!isPresent(pagemap, address)) return undefined;
      const length = readSync(file, page, 0, reportBytes, address);
      if (length !== reportBytes) throw new Error(ended);
      return parseReport(page);
    },
    close: () => {
      closeSync(file);
      closeSync(pagemap);
    },
  };
}

/** Bytes of an entry of /proc/PID/pagemap, and the bit in its last byte that says "present". */
const pagemapEntryBytes = 8;
const presentBit = 0x80;
const hostPageBytes = 4096;
const ended = 'the process has ended';

/**
 * Reading a page that post-copy has not brought yet would put a zero page in its place, and QEMU
 * dies of it ("postcopy_place_page: File exists").
 */
function isPresent(pagemap: number, address: number): boolean {
  const entry = Buffer.alloc(pagemapEntryBytes);
  const offset = Math.floor(address / hostPageBytes) * pagemapEntryBytes;
  const length = readSync(pagemap, entry, 0, pagemapEntryBytes, offset);
  if (length !== pagemapEntryBytes) throw new Error(ended);
  return ((entry[pagemapEntryBytes - 1] ?? 0) & presentBit) !== 0;
}

function parseReport(page: Buffer): Report | undefined {
  if (page.toString('latin1', 0, magic.length) !== magic) return undefined;
  return {
    isReady: page.readUInt32LE(4) === 1,
    heartbeat: Number(page.readBigUInt64LE(8)),
    work: Number(page.readBigUInt64LE(16) + page.readBigUInt64LE(32)),
    pages: Number(page.readBigUInt64LE(24)),
  };
}
