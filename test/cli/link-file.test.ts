import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { linkedHost, linkFilePath, openLinkFile } from '../../cli/link-file.ts';
import { defaultObjective } from '../../shared/objective.ts';

describe('cli/link-file', () => {
  let folder = '';
  let notes: string[] = [];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ferryman-link-file-'));
    notes = [];
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  const path = () => join(folder, 'state/links.json');
  const open = (destinationHost: string | undefined) =>
    openLinkFile({ path: path(), destinationHost, note: (text) => notes.push(text) });
  const believed = (destinationHost: string | undefined, linkBandwidthBytesPerSecond?: number) =>
    open(destinationHost).estimate({
      source: 'source',
      destination: 'a host like source',
      objective: {
        ...defaultObjective,
        ...(linkBandwidthBytesPerSecond && { linkBandwidthBytesPerSecond }),
      },
      hosts: { source: undefined, destination: undefined },
    });

  it('remembers for the next process what a run learned of the way to one host', () => {
    assert.equal(believed('h2').provenance, 'unknown');
    open('h2').learn('source', 'destination', 9e7);
    open('h3').learn('source', 'destination', 5e7);
    const { provenance, bytesPerSecond } = believed('h2');
    assert.deepEqual([provenance, bytesPerSecond], ['learned', 9e7]);
    assert.equal(believed('h3').bytesPerSecond, 5e7);
    assert.equal(believed('h4').provenance, 'unknown');
    assert.deepEqual(notes, []);
  });

  it('believes the operator more', () => {
    open('h2').learn('source', 'destination', 9e7);
    assert.equal(believed('h2', 3e7).provenance, 'configured');
  });

  it('ignores a file that makes no sense, says so, and writes a good one over it', () => {
    mkdirSync(join(folder, 'state'));
    for (const nonsense of ['{"links":', '[]', '{"links":{"h2":"fast"}}', '{"links":{"h2":-1}}']) {
      notes = [];
      writeFileSync(path(), nonsense);
      assert.equal(believed('h2').provenance, 'unknown', nonsense);
      assert.match(notes.join(), /links\.json .*ignored/);
    }
    open('h2').learn('source', 'destination', 9e7);
    assert.equal(believed('h2').bytesPerSecond, 9e7);
  });

  it('goes without where nothing can be written', () => {
    writeFileSync(join(folder, 'state'), 'a file where the folder should be');
    open('h2').learn('source', 'destination', 9e7);
    assert.equal(believed('h2').provenance, 'unknown');
    assert.match(notes.join(), /not kept/);
  });

  it('keeps no speed of sockets and loopbacks: they are no link, and may lead anywhere', () => {
    for (const host of ['localhost', '127.0.0.1', '127.1.2.3', '::1'])
      assert.equal(linkedHost({ kind: 'tcp', host, port: 1 }), undefined, host);
    assert.equal(linkedHost({ kind: 'unix', path: '/run/x.sock' }), undefined);
    assert.equal(linkedHost({ kind: 'tcp', host: '192.0.2.7', port: 1 }), '192.0.2.7');
    open(undefined).learn('source', 'destination', 9e7);
    assert.throws(() => readFileSync(path()), /ENOENT/);
  });

  it('lies in the state folder of the user', () => {
    assert.equal(linkFilePath({ XDG_STATE_HOME: '/s' }), '/s/ferryman/links.json');
    assert.match(linkFilePath({}), /\/\.local\/state\/ferryman\/links\.json$/);
  });
});
