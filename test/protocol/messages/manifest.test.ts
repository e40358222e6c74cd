// What a list of a folder's files may say, and all that it may not.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Sha256 } from '../../../protocol/base/ids.ts';
import type { ManifestFile } from '../../../protocol/messages/manifest.ts';
import { checkPaths, headBytesOf, headOf, layOut, readFolder } from '../../../protocol/messages/manifest.ts';

const PIECE = 64 * 1024;
const sha256 = 'ab'.repeat(32) as Sha256;

describe('the list of a folder', () => {
  const path = fc
    .array(fc.constantFrom('a', 'b', 'Ü', 'data', 'x y', '日本'), { minLength: 1, maxLength: 4 })
    .map((parts) => parts.join('/'));
  const found = fc
    .uniqueArray(fc.record({ path, sizeBytes: fc.oneof(fc.nat(1000), fc.nat(20 * PIECE)) }), {
      maxLength: 40,
      selector: (file) => file.path.toLowerCase(),
    })
    .filter((files) => !files.some((one) => files.some((other) => other.path.startsWith(`${one.path}/`))));

  it('is read as it was written, and everything has its place', () => {
    fc.assert(
      fc.property(found, (files) => {
        const plan = layOut(files, PIECE);
        const head = headOf(plan.files.map((file) => ({ ...file, sha256 })));
        assert.equal(head.length, plan.headBytes, 'the hashes do not change its length');
        assert.equal(headBytesOf(head, plan.sizeBytes), head.length);
        const read = readFolder(Buffer.concat([head, Buffer.alloc(9)]), plan.sizeBytes, PIECE);
        assert.deepEqual(
          read.files.map(({ path: name, sizeBytes }) => ({ path: name, sizeBytes })),
          [...files]
            .map((file) => ({ path: file.path, sizeBytes: file.sizeBytes }))
            .sort((a, b) => (a.path < b.path ? -1 : 1)),
        );
        for (const { at, sizeBytes } of read.files) {
          if (sizeBytes >= 8 * PIECE) assert.equal(at % PIECE, 0, 'a large file begins with a piece');
        }
      }),
    );
  });

  it('wastes little, and moves little when one file becomes longer', () => {
    const files = Array.from({ length: 4000 }, (_, n) => ({
      path: `dir${n % 7}/file${n}`,
      sizeBytes: 5000 + ((n * 7919) % 20_000),
    }));
    const before = layOut(files, PIECE);
    const bytes = files.reduce((sum, file) => sum + file.sizeBytes, before.headBytes);
    assert.ok(before.sizeBytes < 1.1 * bytes, `${before.sizeBytes} for ${bytes}`);
    const after = layOut(
      files.map((file) => (file.path === 'dir3/file2005' ? { ...file, sizeBytes: 30_000 } : file)),
      PIECE,
    );
    const moved = after.files.filter((file, n) => file.at !== before.files[n]?.at);
    assert.ok(moved.length < 400, `${moved.length} of 4000 files moved`);
  });

  const good: readonly ManifestFile[] = layOut(
    [
      { path: 'a', sizeBytes: 10 },
      { path: 'b/c', sizeBytes: 20 },
    ],
    PIECE,
  ).files;
  const [a, b] = good as [ManifestFile, ManifestFile];
  const sizeBytes = b.at + b.sizeBytes;
  const hostile: readonly (readonly [what: string, files: readonly ManifestFile[], why: RegExp, size?: number])[] = [
    ['leads up', [{ ...a, path: '../x' }, b], /\.\. as a folder/],
    ['leads up further in', [{ ...a, path: 'q/../../x' }, b], /\.\. as a folder/],
    ['is absolute', [{ ...a, path: '/etc/passwd' }, b], /empty part/],
    ['is absolute on Windows', [{ ...a, path: 'C:\\x' }, b], /not every system allows/],
    ['is a repository', [{ ...a, path: '.git/config' }, b], /other programs trust/],
    ['has a repository in it', [{ ...a, path: 'sub/.git/config' }, b], /other programs trust/],
    ['has tasks for an editor in it', [{ ...a, path: 'sub/deep/.vscode/tasks.json' }, b], /other programs trust/],
    ['names one file twice', [{ ...a, path: 'b/c' }, b], /two files in it are called b\/c/],
    ['names two files that differ by case', [{ ...a, path: 'B/C' }, b], /two f(iles|olders) in it are called/],
    ['names two folders that differ by case', [{ ...a, path: 'B/d' }, b], /two folders in it are called b/],
    ['has a file that is a folder', [{ ...a, path: 'b' }, b], /b in it is a file and a folder/],
    ['has a file that is a folder but for case', [{ ...a, path: 'B' }, b], /B in it is a file and a folder/],
    ['has files that overlap', [{ ...a, sizeBytes: 11 }, b], /the place of b\/c is wrong/],
    ['has a file in the list itself', [{ ...a, at: 3 }, b], /the place of a is wrong/],
    [
      'hides something in a gap of a piece',
      [a, { ...b, at: b.at + PIECE }],
      /the place of b\/c is wrong/,
      sizeBytes + PIECE,
    ],
    ['is shorter than what it comes with', good, /do not add up/, sizeBytes + 1],
    ['has sizes that are too large', [a, { ...b, sizeBytes: Number.MAX_SAFE_INTEGER - b.at }], /do not add up/],
  ];
  for (const [what, files, why, size = sizeBytes] of hostile) {
    it(`is refused when it ${what}`, () => {
      // Its length is the same, so that only one thing is wrong.
      const head = headOf(files.map((file) => ({ ...file })));
      const shift = head.length - headOf(good).length;
      const moved = headOf(files.map((file) => ({ ...file, at: file.at < 10 ? file.at : file.at + shift })));
      assert.throws(
        () => readFolder(moved, size + shift, PIECE),
        (error: Error & { code?: string }) => error.code === 'badFolder' && why.test(error.message),
      );
    });
  }

  it('is refused when it is cut off, too long, or no list at all', () => {
    const head = headOf(good);
    assert.throws(() => readFolder(head.subarray(0, -1), sizeBytes, PIECE), { code: 'badFolder' });
    assert.throws(() => headBytesOf(Buffer.from('ffffffff', 'hex'), 2 ** 40), { code: 'badFolder' });
    assert.throws(() => headBytesOf(head, 10), { code: 'badFolder' });
    assert.throws(() => headBytesOf(Buffer.alloc(2), 2), { code: 'badFolder' });
    assert.throws(() => readFolder(Buffer.concat([Buffer.from([0, 0, 0, 4]), Buffer.alloc(4, 0xff)]), 8, PIECE), {
      code: 'badMessage',
    });
  });

  it('is refused when it has too many files', () => {
    assert.throws(() => checkPaths(Array.from({ length: 100_001 }, (_, n) => ({ path: `f${n}` }))), {
      code: 'badFolder',
    });
  });

  it('takes no bytes for another list', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(300), (bytes, size) => {
        try {
          const { files } = readFolder(bytes, size, PIECE);
          checkPaths(files);
        } catch (error) {
          assert.match((error as { code: string }).code, /^bad(Folder|Message)$/);
        }
      }),
    );
  });
});
