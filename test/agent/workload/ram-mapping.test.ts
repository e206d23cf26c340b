import assert from 'node:assert/strict';
import { findGuestRam, parseMappings } from '../../../agent/workload/ram-mapping.ts';

const mebibyte = 2 ** 20;

/** Lines of /proc/PID/maps with unmapped room between them, as QEMU's guard pages leave it. */
function maps(...lines: readonly (readonly [mebibytes: number, rest: string])[]): string {
  let start = 0x7f00_0000_0000;
  return lines
    .map(([mebibytes, rest]) => {
      const end = start + mebibytes * mebibyte;
      const line = `${start.toString(16)}-${end.toString(16)} ${rest}\n`;
      start = end + 4096;
      return line;
    })
    .join('');
}

const sizes = (text: string, mebibytes: number) =>
  findGuestRam(parseMappings(text), mebibytes * mebibyte).map(
    ({ lengthBytes }) => lengthBytes / mebibyte,
  );

const anonymous = 'rw-p 00000000 00:00 0 ';
const noise = [
  [1024, 'rwxp 00000000 00:00 0 '],
  [8, anonymous],
  [64, '---p 00000000 00:00 0 '],
  [4, 'r-xp 00407000 fe:00 2170888                    /usr/bin/qemu-system-x86_64'],
  [8, anonymous],
  [1, 'rw-p 00000000 00:00 0                          [heap]'],
] as const;

describe('guest RAM in a process', () => {
  it('is the one writable mapping of its size', () => {
    assert.deepEqual(sizes(maps(...noise, [256, anonymous]), 256), [256]);
    const text = maps(...noise, [256, anonymous]);
    assert.ok(findGuestRam(parseMappings(text), 256 * mebibyte)[0]?.startAddress);
  });

  it('is never the code buffer of TCG, whatever its size', () => {
    assert.deepEqual(sizes(maps(...noise), 1024), []);
  });

  it('is the backend with a name rather than anonymous memory of the same size', () => {
    const name = 'rw-s 00000000 00:01 5      /memfd:memory-backend-memfd (deleted)';
    const [ram] = findGuestRam(
      parseMappings(maps([512, anonymous], [512, name], ...noise)),
      512 * mebibyte,
    );
    assert.equal(ram?.path, '/memfd:memory-backend-memfd (deleted)');
    assert.equal(ram.permissions, 'rw-s');
  });

  it('is the sum of the backends of NUMA nodes', () => {
    const huge = (node: number) => `rw-s 00000000 00:0f ${String(node)}  /dev/hugepages/ram`;
    assert.deepEqual(sizes(maps(...noise, [1024, huge(1)], [2048, huge(2)]), 3072), [2048, 1024]);
    assert.deepEqual(sizes(maps(...noise, [300, anonymous], [300, anonymous]), 600), [300, 300]);
  });

  it('is joined again where the kernel split it into neighbours', () => {
    const halves =
      '7f0000000000-7f0008000000 rw-p 00000000 00:00 0 \n7f0008000000-7f0010000000 rw-p 00000000 00:00 0 \n';
    const pieces = findGuestRam(parseMappings(halves), 256 * mebibyte);
    assert.equal(
      pieces.reduce((sum, piece) => sum + piece.lengthBytes, 0),
      256 * mebibyte,
    );
  });

  it('is found quickly, or not at all, among many stacks of threads', () => {
    const stacks = Array.from({ length: 500 }, () => [8, anonymous] as const);
    assert.deepEqual(sizes(maps(...stacks, [1000, anonymous]), 1000), [1000]);
    assert.deepEqual(sizes(maps(...stacks), 1001), []);
  });
});
