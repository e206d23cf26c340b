import assert from 'node:assert/strict';
import { deriveLines, deriveStanzas } from '../../scripts/debian.mjs';

describe('sources derived for a private apt', () => {
  it('adds the backports of the suite to a deb822 stanza, and keeps how to reach it', () => {
    const text = [
      'Types: deb deb-src',
      '# a comment inside',
      'URIs: file:/srv/mirror',
      'Suites: bookworm bookworm-updates',
      'Components: main contrib',
      'Signed-By: /usr/share/keyrings/archive.gpg',
    ].join('\n');
    assert.deepEqual(deriveStanzas(text, 'bookworm'), [
      [
        'Types: deb deb-src',
        'URIs: file:/srv/mirror',
        'Suites: bookworm bookworm-backports',
        'Components: main',
        'Signed-By: /usr/share/keyrings/archive.gpg',
      ].join('\n'),
    ]);
  });

  it('passes over other suites, other components and disabled stanzas', () => {
    const stanza = (suite: string, component: string, more = '') =>
      `Types: deb\nURIs: file:/m\nSuites: ${suite}\nComponents: ${component}\n${more}`;
    const text = [
      stanza('bookworm-security', 'main'),
      stanza('bookworm', 'stable'),
      stanza('bookworm', 'main', 'Enabled: no'),
    ].join('\n\n');
    assert.deepEqual(deriveStanzas(text, 'bookworm'), []);
  });

  it('does the same for one-line sources, options included', () => {
    const text = [
      '# deb file:/old bookworm main',
      'deb [signed-by=/k.gpg trusted=yes] file:/srv/mirror bookworm main non-free',
      'deb file:/srv/mirror bookworm-updates main',
      'deb-src file:/srv/mirror bookworm main',
    ].join('\n');
    assert.deepEqual(deriveLines(text, 'bookworm'), [
      'deb [signed-by=/k.gpg trusted=yes] file:/srv/mirror bookworm main',
      'deb [signed-by=/k.gpg trusted=yes] file:/srv/mirror bookworm-backports main',
    ]);
  });
});
