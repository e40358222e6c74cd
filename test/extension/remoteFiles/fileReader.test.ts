// Opening shared files before they are downloaded, as far as it needs no VS Code: which URIs name
// one, what of a large file is shown, how one is read through the engine.
// Covers: extension/remoteFiles/fileReader.ts, extension/remoteFiles/fileUri.ts
// Covers: extension/messages/truncatedText.ts, extension/state/comparableNames.ts
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { comparableNames } from '../../../extension/state/comparableNames.ts';
import { HEAD_BYTES, truncatedText, isTextLike } from '../../../extension/messages/truncatedText.ts';
import { SharedFileReader } from '../../../extension/remoteFiles/fileReader.ts';
import type { ReaderContext } from '../../../extension/remoteFiles/fileReader.ts';
import type { UriParts } from '../../../extension/remoteFiles/fileUri.ts';
import { parseSharedUri, HEAD_SCHEME, sharedUri } from '../../../extension/remoteFiles/fileUri.ts';
import { INITIAL_STATE } from '../../../extension/state/state.ts';
import { ShoalError } from '../../../protocol/base/errors.ts';
import type { Root } from '../../../protocol/base/ids.ts';
import { READ_BYTES_MAX } from '../../../protocol/base/limits.ts';
import { validateFileName } from '../../../protocol/base/names.ts';
import { aFile, aGroup, aTransfer } from '../../support/fakes/fakeEngine.ts';
import { evil } from '../../protocol/base/fileNames.ts';

const root = 'ab'.repeat(32) as Root;

describe('the URI of a shared file', () => {
  const fileName = fc
    .constantFrom('dump.sql', 'a/b/c.txt', 'über uns.md', '100 % #1?.txt', '写真/é.png', 'x y')
    .filter((name) => validateFileName(name) === undefined);

  it('comes back as what it names', () =>
    fc.assert(
      fc.property(
        fc.constantFrom('team', 'a-b_c.d', 'team~k3f9'),
        fileName,
        fc.option(fileName, { nil: '' }),
        fc.boolean(),
        (group, name, path, isHead) => {
          const place = { group, name, root, path };
          assert.deepEqual(parseSharedUri(isHead ? sharedUri(place, HEAD_SCHEME) : sharedUri(place)), place);
        },
      ),
    ));

  const right = sharedUri({ group: 'team', name: 'data/set', root, path: 'x/y.txt' });
  const rows: [why: string, parts: Partial<UriParts> & { readonly fragment?: string }][] = [
    ['of another scheme', { scheme: 'file' }],
    ['without a group', { authority: '' }],
    ['with a group that is none', { authority: 'te am' }],
    ['with a user before the group', { authority: 'me@team' }],
    ['with a very long group', { authority: 'a'.repeat(100) }],
    ['without a version', { query: '' }],
    ['with a version that is none', { query: `root=${'xy'.repeat(32)}&name=2` }],
    ['with more in its query', { query: `${right.query}&x=1` }],
    ['with a name of no parts', { query: `root=${root}&name=0` }],
    ['with a name that is longer than its path', { query: `root=${root}&name=9` }],
    ['that leaves its folder', { path: '/data/set/../../etc/passwd' }],
    ['with an empty part', { path: '/data//set' }],
    ['without a path', { path: '' }],
    ['that turns the direction of text', { path: '/data/gpj.\u202Eexe' }],
    ['with a line break', { path: '/data/a\nb' }],
    ['with a backslash', { path: '/data/a\\b' }],
    ['that looks like what other programs trust', { path: '/.git/config', query: `root=${root}&name=1` }],
    ['with a fragment', { fragment: 'x' }],
  ];
  for (const [why, parts] of rows) {
    it(`is none ${why}`, () => assert.equal(parseSharedUri({ ...right, ...parts }), undefined));
  }

  it("is none with a name that cannot be a file's", () => {
    for (const name of Object.values(evil).flat()) {
      assert.equal(
        parseSharedUri({
          scheme: 'shoal',
          authority: 'team',
          path: `/${name}`,
          query: `root=${root}&name=${name.split('/').length}`,
        }),
        undefined,
        JSON.stringify(name),
      );
    }
  });

  it('is none for whatever else comes', () =>
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string(), (authority, path, query) => {
        const location = parseSharedUri({ scheme: 'shoal', authority, path, query });
        assert.ok(location === undefined || validateFileName(location.name) === undefined);
      }),
    ));
});

describe('the beginning of a large file', () => {
  const rows: [what: string, bytes: Uint8Array, isText: boolean][] = [
    ['English', Buffer.from('select 1;\n'.repeat(2000)), true],
    ['Chinese that is cut within a character', Buffer.from('写真'.repeat(5000)).subarray(0, 8191), true],
    ['nothing', Buffer.alloc(0), true],
    ['a zero byte', Buffer.from('a\0b'), false],
    ['a picture', Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex'), false],
    ['Latin-1 with many accents', Buffer.from('é à ü '.repeat(100), 'latin1'), false],
    ['a text with one wrong byte', Buffer.concat([Buffer.from('x'.repeat(500)), Buffer.of(0xff)]), true],
    ['noise', Buffer.from(Array.from({ length: 4000 }, (_, n) => ((n * 7919) % 254) + 1)), false],
  ];
  for (const [what, bytes, isText] of rows) {
    it(`${what} is ${isText ? '' : 'no '}text`, () => assert.equal(isTextLike(bytes), isText));
  }

  const about = { name: 'big.log', group: 'team', sizeBytes: 3 * HEAD_BYTES };
  const parts = (bytes: Uint8Array, sizeBytes = about.sizeBytes): readonly [line: string, text: string] => {
    const text = Buffer.from(truncatedText(bytes, { ...about, sizeBytes })).toString();
    return [text.slice(0, text.indexOf('\n')), text.slice(text.indexOf('\n') + 2)];
  };
  it('says how much it is, and how to get the rest', () =>
    assert.deepEqual(parts(Buffer.from('one\ntwo\nthr')), [
      'The first 8 B of 3.00 MiB. Download big.log from team to get all of it.',
      'one\ntwo\n',
    ]));
  it('ends with a whole character where there is no line', () =>
    assert.equal(parts(Buffer.from('写真').subarray(0, 5))[1], '写'));
  it('is all of it where there is no more', () => assert.equal(parts(Buffer.from('one\ntwo'), 7)[1], 'one\ntwo'));
});

describe('reading a shared file', () => {
  const place = { group: 'team', name: 'dump.sql', root: aFile().root, path: '' };
  const asked: string[] = [];
  const content = Buffer.from(Array.from({ length: 5 * READ_BYTES_MAX + 3 }, (_, n) => (n * 7) % 256));
  let row = aFile({ sizeBytes: content.length });
  const context = {
    call: (name: string, body: { readonly after?: string }) => {
      asked.push(name);
      if (name === 'findFile') return Promise.resolve(row);
      if (name === 'read') return Promise.resolve({ sizeBytes: content.length, rawBytes: 0 });
      const files = [
        { path: 'a/b.txt', sizeBytes: 3 },
        { path: 'a/c.txt', sizeBytes: 4 },
        { path: 'd', sizeBytes: 5 },
      ];
      return Promise.resolve(
        body.after === '' ? { files: files.slice(0, 2), more: true } : { files: files.slice(2), more: false },
      );
    },
    read: async ({ fromByte }: { readonly fromByte: number }, into: Uint8Array, signal: AbortSignal) => {
      asked.push(`read ${fromByte}`);
      await new Promise((resolve) => setImmediate(resolve));
      if (signal.aborted) throw new ShoalError('cancelled');
      return content.copy(into, 0, fromByte, fromByte + into.length);
    },
  } as unknown as ReaderContext;
  let reader: SharedFileReader;
  beforeEach(() => {
    asked.length = 0;
    row = aFile({ sizeBytes: content.length });
    reader = new SharedFileReader(context);
  });

  it('asks once what a version is', async () => {
    const info = await reader.info(place);
    assert.deepEqual(
      [await reader.info(place), info],
      [info, { isFolder: false, sizeBytes: content.length, atMs: row.atMs }],
    );
    assert.deepEqual(asked, ['findFile']);
  });
  it('gets all of it, in order', async () => {
    const came: number[] = [];
    assert.ok(content.equals(await reader.bytes(place, content.length, { onBytes: (bytes) => came.push(bytes) })));
    assert.deepEqual(
      asked,
      [0, 1, 2, 3, 4, 5].map((n) => `read ${n * READ_BYTES_MAX}`),
    );
    assert.deepEqual(came.at(-1), content.length);
  });
  it('asks no further when the person stops it', async () => {
    const stop = new AbortController();
    await assert.rejects(reader.bytes(place, content.length, { onBytes: () => stop.abort(), signal: stop.signal }), {
      code: 'cancelled',
    });
    assert.ok(asked.length <= 5, String(asked.length));
  });
  it('believes no file that ends too early', () =>
    assert.rejects(reader.bytes(place, content.length + 1), { code: 'badMessage' }));
  it('knows files and folders within a folder', async () => {
    row = aFile({ content: 'folder', sizeBytes: 100 });
    const at = async (path: string): Promise<readonly [boolean, number]> => {
      const { isFolder, sizeBytes } = await reader.info({ ...place, path });
      return [isFolder, sizeBytes];
    };
    assert.deepEqual(
      [await at(''), await at('a'), await at('a/c.txt'), await at('d')],
      [
        [true, 100],
        [true, 7],
        [false, 4],
        [false, 5],
      ],
    );
    await assert.rejects(at('e'), { code: 'unknownFile' });
    assert.deepEqual(asked, ['findFile', 'listShared', 'listShared']);
  });
  it('asks the engine for a version that the catalogue no longer has', async () => {
    row = aFile({ root });
    assert.deepEqual(await reader.info(place), { isFolder: false, sizeBytes: content.length, atMs: 0 });
    assert.deepEqual(asked, ['findFile', 'read']);
  });
});

it('files that can be compared are known by their own names, also when a download has got another one', () => {
  const files = new Map([
    [
      aGroup().group,
      {
        rows: [aFile({ name: 'sub/dump.sql' }), aFile({ name: 'data', content: 'folder' })],
        isLoaded: true,
        error: undefined,
      },
    ],
  ]);
  const names = (file: string): readonly string[] =>
    comparableNames({
      ...INITIAL_STATE,
      files,
      transfers: new Map([
        [1, aTransfer({ path: file })],
        [2, aTransfer({ path: '/work/set', content: 'folder' })],
      ]),
    });
  assert.deepEqual(
    [names('/work/here.txt'), names('/work/here (2).txt')],
    [
      ['here.txt', 'dump.sql'],
      ['here (2).txt', 'dump.sql'],
    ],
  );
});
