// Links that people send each other: what is written is what is read, also when VS Code has decoded
// it on the way, and nothing else is taken.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { isShoalError } from '../../../protocol/base/errors.ts';
import type { Pin, Root } from '../../../protocol/base/ids.ts';
import { isName, validateFileName } from '../../../protocol/base/names.ts';
import { looksLikeShareLink, parseShareLink, shareLinkText } from '../../../protocol/frontend/shareLink.ts';
import type { PinnedTracker, ShareLink } from '../../../protocol/frontend/shareLink.ts';

const WHOLE = { noNullPrototype: true };
const hex = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString('hex'));
const anAddress = fc.record(
  { host: fc.constantFrom('a.example', '10.0.0.7', 'fe80::1', 'tracker-1'), port: fc.integer({ min: 1, max: 65535 }) },
  WHOLE,
);
const aTracker: fc.Arbitrary<PinnedTracker> = fc.record(
  { realm: hex.map((text) => text as Pin), addresses: fc.array(anAddress, { minLength: 1, maxLength: 2 }) },
  WHOLE,
);
const aGroup = fc.oneof(
  fc.constantFrom('team', 'a.b-c_d', 'night~k3f9', 'x~abcd'),
  fc.stringMatching(/^[A-Za-z0-9._-]{1,64}$/).filter(isName),
);
const aFileName = fc.oneof(
  fc.constantFrom(
    'dump.sql',
    'a b&c=d#e+f%20g~41.txt',
    '$(trash) [click](command -x) &amp; `rm` %s {0} … ’.txt',
    'folder/größe.bin',
    '100%',
    '~',
  ),
  fc
    .string({ unit: 'grapheme', maxLength: 80 })
    .map((text) => text.normalize('NFC'))
    .filter((text) => validateFileName(text) === undefined),
);
const aLink: fc.Arbitrary<ShareLink> = fc.oneof(
  fc.record({ is: fc.constant('join' as const), tracker: aTracker, group: aGroup }, WHOLE),
  fc.record(
    {
      is: fc.constant('open' as const),
      tracker: aTracker,
      group: aGroup,
      name: aFileName,
      root: hex.map((text) => text as Root),
    },
    WHOLE,
  ),
);

const PIN = 'a'.repeat(52);
const TRACKER = `shoal://${PIN}@host:7070`;
const ROOT = 'ab'.repeat(32);

const refusal = (text: string): string => {
  try {
    return `it was taken: ${JSON.stringify(parseShareLink(text))}`;
  } catch (error) {
    assert.ok(isShoalError(error, 'badLink'), String(error));
    return error.message;
  }
};

describe('a link that people send each other', () => {
  it('is read as it was written, whatever the file is called', () =>
    fc.assert(
      fc.property(aLink, fc.constantFrom('vscode', 'vscode-insiders', 'cursor', 'code-oss'), (link, scheme) => {
        const text = shareLinkText(link, scheme);
        assert.deepEqual(parseShareLink(text), link);
        assert.ok(looksLikeShareLink(text));
      }),
    ));

  it('is the same after it was decoded on its way, or encoded once more', () =>
    fc.assert(
      fc.property(aLink, (link) => {
        const text = shareLinkText(link);
        assert.equal(decodeURIComponent(text), text);
        assert.equal(new URL(text).href, text);
      }),
    ));

  it('may be written by hand', () => {
    for (const tracker of [TRACKER, encodeURIComponent(TRACKER)]) {
      const link = parseShareLink(`  vscode://shoal.shoal/join?tracker=${tracker}&group=team&windowId=_blank\n`);
      assert.deepEqual([link.is, link.group, link.tracker.addresses], ['join', 'team', [{ host: 'host', port: 7070 }]]);
    }
  });

  const rows: [why: RegExp, text: string][] = [
    [/does not begin like one/, ''],
    [/does not begin like one/, 'https://shoal.shoal/'],
    [/does not begin like one/, `vscode://other.extension/join?tracker=${TRACKER}&group=team`],
    [/does not begin like one/, `vscode://shoal.shoal.evil/join?tracker=${TRACKER}&group=team`],
    [/does not begin like one/, `vscode://shoal.shoal/../../join?tracker=${TRACKER}&group=team`],
    [/does not know/, `vscode://shoal.shoal/removeEverything?tracker=${TRACKER}&group=team`],
    [/names no tracker/, 'vscode://shoal.shoal/join?group=team'],
    [/names no tracker/, 'vscode://shoal.shoal/join?tracker=command:shoal.signOut&group=team'],
    [
      /names no tracker, or does not say how that one proves who it is/,
      'vscode://shoal.shoal/join?tracker=evil.example:7070&group=team',
    ],
    [/names no tracker/, `vscode://shoal.shoal/join?tracker=shoal://short@host:7070&group=team`],
    [/tracker is too long/, `vscode://shoal.shoal/join?tracker=shoal://${PIN}@${'a'.repeat(1100)}&group=team`],
    [/names no group/, `vscode://shoal.shoal/join?tracker=${TRACKER}`],
    [/names no group/, `vscode://shoal.shoal/join?tracker=${TRACKER}&group=${'a'.repeat(70)}`],
    [/names no group/, `vscode://shoal.shoal/join?tracker=${TRACKER}&group=a~0ab`],
    [/names no group/, `vscode://shoal.shoal/join?tracker=${TRACKER}&group=%24(trash)`],
    [/says something twice/, `vscode://shoal.shoal/join?tracker=${TRACKER}&group=team&group=other`],
    [/damaged/, `vscode://shoal.shoal/join?tracker=${TRACKER}&group=%E0%A4%A`],
    [/damaged/, `vscode://shoal.shoal/join?tracker=${TRACKER}&group=~ff~fe`],
    [/name of its file cannot be used/, `vscode://shoal.shoal/open?tracker=${TRACKER}&group=team&root=${ROOT}`],
    [
      /name of its file cannot be used/,
      `vscode://shoal.shoal/open?tracker=${TRACKER}&group=team&name=../../etc/passwd&root=${ROOT}`,
    ],
    [
      /name of its file cannot be used/,
      `vscode://shoal.shoal/open?tracker=${TRACKER}&group=team&name=a~e2~80~ae.txt&root=${ROOT}`,
    ],
    [/which version/, `vscode://shoal.shoal/open?tracker=${TRACKER}&group=team&name=a.txt&root=${ROOT.slice(2)}`],
    [/which version/, `vscode://shoal.shoal/open?tracker=${TRACKER}&group=team&name=a.txt&root=${ROOT.toUpperCase()}`],
    [/too long/, `vscode://shoal.shoal/join?tracker=${TRACKER}&group=team&x=${'a'.repeat(9000)}`],
  ];
  for (const [why, text] of rows) {
    it(`is refused (${why.source}): ${text.replace(TRACKER, '…').slice(0, 100)}`, () =>
      assert.match(refusal(text), why));
  }

  it('is refused in words, whatever comes', () =>
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.webUrl(),
          fc.string({ unit: 'binary' }).map((text) => `vscode://shoal.shoal/open?${text}`),
        ),
        (text) => {
          assert.match(refusal(text), /^this link cannot be used: /);
        },
      ),
    ));
});
