/** Finds the guest's RAM among the mappings of a QEMU process (pure; /proc/PID/maps, proc(5)). */

/** A piece of the process's address space. Addresses stay below 2^47, so a number holds them. */
export interface Mapping {
  readonly startAddress: number;
  readonly lengthBytes: number;
  readonly permissions: string;
  /** Empty for anonymous memory. */
  readonly path: string;
}

/** RAM of NUMA nodes and plugged modules are separate mappings; more than this is not one VM's. */
const maximumPieces = 8;
/** The largest candidates only, so that the search stays within a few milliseconds. */
const maximumCandidates = 24;

const mapsLine = /^([0-9a-f]+)-([0-9a-f]+) (\S{4}) \S+ \S+ \S+ *(.*)$/gm;

/** Parses /proc/PID/maps. */
export function parseMappings(text: string): Mapping[] {
  return [...text.matchAll(mapsLine)].map(
    ([, start = '', end = '', permissions = '', path = '']) => {
      const startAddress = parseInt(start, 16);
      const lengthBytes = parseInt(end, 16) - startAddress;
      return { startAddress, lengthBytes, permissions, path };
    },
  );
}

/**
 * The mappings whose sizes add up to `ramBytes`, largest first; empty when there are none. QEMU maps
 * each RAM backend once, at its exact size, whatever the guest's address map looks like. The largest
 * mapping of the process is often not RAM but the buffer of TCG, which is executable.
 */
export function findGuestRam(mappings: readonly Mapping[], ramBytes: number): readonly Mapping[] {
  const candidates = mappings.filter(mayBeRam);
  return (
    combine(largestFirst(candidates), ramBytes) ??
    // NUMA policies and madvise split one backend into neighbours of unequal flags.
    combine(largestFirst(joinNeighbours(candidates)), ramBytes) ??
    []
  );
}

function mayBeRam({ permissions, path }: Mapping): boolean {
  return permissions.startsWith('rw-') && !path.startsWith('[');
}

/** A named backend (memfd, hugetlbfs, /dev/shm) before anonymous memory of the same size. */
function largestFirst(mappings: readonly Mapping[]): readonly Mapping[] {
  return mappings
    .toSorted(
      (a, b) =>
        b.lengthBytes - a.lengthBytes || Number(b.path.length > 0) - Number(a.path.length > 0),
    )
    .slice(0, maximumCandidates);
}

function joinNeighbours(mappings: readonly Mapping[]): readonly Mapping[] {
  const joined: Mapping[] = [];
  for (const mapping of mappings) {
    const last = joined.at(-1);
    const isNeighbour =
      last?.path === mapping.path && last.startAddress + last.lengthBytes === mapping.startAddress;
    if (isNeighbour) joined.pop();
    joined.push(
      isNeighbour ? { ...last, lengthBytes: last.lengthBytes + mapping.lengthBytes } : mapping,
    );
  }
  return joined;
}

/** The fewest of these mappings (in their order) that add up to exactly `bytes`. */
function combine(mappings: readonly Mapping[], bytes: number): readonly Mapping[] | undefined {
  for (let pieces = 1; pieces <= maximumPieces; pieces++) {
    const found = combineExactly(mappings, bytes, pieces);
    if (found !== undefined) return found;
  }
  return undefined;
}

function combineExactly(
  mappings: readonly Mapping[],
  bytes: number,
  pieces: number,
): readonly Mapping[] | undefined {
  if (pieces === 0) return bytes === 0 ? [] : undefined;
  for (const [index, mapping] of mappings.entries()) {
    // Largest first: from here on even `pieces` mappings of this size do not reach the sum.
    if (mapping.lengthBytes * pieces < bytes) return undefined;
    if (mapping.lengthBytes > bytes) continue;
    const rest = combineExactly(mappings.slice(index + 1), bytes - mapping.lengthBytes, pieces - 1);
    if (rest !== undefined) return [mapping, ...rest];
  }
  return undefined;
}
