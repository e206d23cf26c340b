import assert from 'node:assert/strict';
import { storageIn } from '../../../agent/qemu/storage.ts';

const nfs = 0x6969;
const ext4 = 0xef53;

describe('agent/qemu/storage', () => {
  const kinds = (files: readonly string[], type: (path: string) => number = () => ext4) =>
    storageIn(
      files.map((file, index) => ({ device: `d${index}`, inserted: { file } })),
      type,
    ).disks.map(({ storage }) => storage);

  it('tells a file of this host from one on a file system that others mount too', () => {
    const types = (path: string) => (path.startsWith('/mnt/') ? nfs : ext4);
    assert.deepEqual(kinds(['/var/vm.qcow2', '/mnt/vm.qcow2'], types), ['local', 'shared']);
  });

  it('takes network disks for shared, and does not guess about the rest', () => {
    assert.deepEqual(kinds(['rbd:pool/vm', 'nbd://h/vm', '/dev/sdb', 'json:{"driver":"raw"}']), [
      'shared',
      'shared',
      'unknown',
      'unknown',
    ]);
    const gone = () => {
      throw new Error('ENOENT');
    };
    assert.deepEqual(kinds(['/gone'], gone), ['unknown']);
  });

  it('knows no disk in an empty drive, and none in what is no reply', () => {
    assert.deepEqual(storageIn([{ device: 'cd' }, { device: 'x', inserted: {} }]).disks, []);
    assert.deepEqual(kinds(['null-co://']), []);
    assert.deepEqual(storageIn({}).disks, []);
  });

  it('names a disk without a device by its place in the machine', () => {
    const blocks = [{ device: '', qdev: '/machine/virtio0', inserted: { file: 'rbd:a' } }];
    assert.equal(storageIn(blocks).disks[0]?.device, '/machine/virtio0');
  });
});
