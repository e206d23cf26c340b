import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  buildSubject,
  channels,
  everyHost,
  hostId,
  matchesSubject,
  parseSubject,
} from '../../shared/subjects.ts';

const hostName = fc.stringMatching(/^[a-z0-9]([a-z0-9.-]{0,30}[a-z0-9])?$/);
const kind = fc.stringMatching(/^[a-z0-9-]{1,20}$/);

describe('shared/subjects', () => {
  it('parses what it builds', () => {
    const subject = fc.record({ channel: fc.constantFrom(...channels), host: hostName, kind });
    const roundTrip = (given: { channel: 'tel'; host: string; kind: string }) => {
      const asked = { ...given, host: hostId(given.host) };
      assert.deepEqual(parseSubject(buildSubject(asked)), asked);
      assert.ok(matchesSubject(everyHost(asked.channel), buildSubject(asked)));
    };
    fc.assert(fc.property(subject as fc.Arbitrary<Parameters<typeof roundTrip>[0]>, roundTrip));
    const short = { channel: 'cmd', host: 'h1' } as const;
    assert.equal(buildSubject(short), 'ferryman.v1.cmd.h1');
    assert.deepEqual(parseSubject('ferryman.v1.cmd.h1'), short);
  });

  it('gives every host name an id of its own', () => {
    assert.equal(hostId('Node-1.Rack.example'), 'node-1_rack_example');
    const distinct = (one: string, other: string) => {
      assert.equal(hostId(one) === hostId(other), one === other);
    };
    fc.assert(fc.property(hostName, hostName, distinct));
  });

  it('refuses names that would reach into other subjects', () => {
    for (const name of ['', '*', '>', 'a b', 'a\r\nPUB x', 'é', '-a', 'a'.repeat(129)]) {
      assert.throws(() => hostId(name), { code: 'SUBJECT' }, name);
    }
    assert.throws(() => buildSubject({ channel: 'cmd', host: 'a.b' }), { code: 'SUBJECT' });
    assert.throws(() => buildSubject({ channel: 'cmd', host: 'a', kind: '>' }), {
      code: 'SUBJECT',
    });
  });

  it('does not take foreign subjects for ours', () => {
    const foreign = [
      'ferryman.v1.tel.*',
      'ferryman.v1.tel.>',
      'ferryman.v2.tel.h',
      'xferryman.v1.tel.h',
    ];
    for (const subject of [...foreign, 'ferryman.v1.tel.h.a.b', 'ferryman.v1.tel.h\n', '']) {
      assert.equal(parseSubject(subject), undefined, subject);
    }
    fc.assert(fc.property(fc.string(), (subject) => parseSubject(subject) === undefined));
  });

  it('matches wildcards as NATS does', () => {
    const cases: [string, string, boolean][] = [
      ['a.b', 'a.b', true],
      ['a.*', 'a.b', true],
      ['a.*', 'a.b.c', false],
      ['a.>', 'a.b.c', true],
      ['a.>', 'a', false],
      ['*.b', 'a.b', true],
      ['a', 'a.b', false],
    ];
    for (const [pattern, subject, expected] of cases) {
      assert.equal(matchesSubject(pattern, subject), expected, `${pattern} ${subject}`);
    }
  });
});
