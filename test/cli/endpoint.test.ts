import assert from 'node:assert/strict';
import { parseEndpoint } from '../../cli/endpoint.ts';
import { describeEndpoint } from '../../brain/words/operations.ts';

describe('migration URI', () => {
  for (const uri of ['tcp:192.0.2.7:4444', 'tcp:[2001:db8::1]:4444', 'unix:/run/m.sock']) {
    it(`reads ${uri} and writes it the same`, () => {
      assert.equal(describeEndpoint(parseEndpoint(uri)), uri);
    });
  }

  const refused: readonly (readonly [string, RegExp])[] = [
    ['exec:nc 192.0.2.7 4444', /shell command/],
    ['fd:3', /neither tcp:HOST:PORT nor unix:PATH/],
    ['tcp:192.0.2.7', /tcp:HOST:PORT/],
    ['tcp:host:0', /between 1 and 65535/],
    ['tcp:host:70000', /between 1 and 65535/],
    ['tcp:ho st:4444', /tcp:HOST:PORT/],
    ['unix:m.sock', /absolute/],
    [`unix:/${'x'.repeat(107)}`, /at most 107 bytes/],
  ];
  for (const [uri, message] of refused) {
    it(`refuses ${uri.slice(0, 30)}`, () => {
      assert.throws(() => parseEndpoint(uri), { message });
    });
  }
});
