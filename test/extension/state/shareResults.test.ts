// What becomes of files that are shared: when the window stops waiting for one, and what it says of
// several.
import assert from 'node:assert/strict';
import type { Transfer } from '../../../protocol/messages/engineLink.ts';
import { isShoalError, ShoalError } from '../../../protocol/base/errors.ts';
import { toWire } from '../../../protocol/wire/wireErrors.ts';
import { describeError } from '../../../extension/messages/errorMessages.ts';
import { reportFailures, shareDone, shareEach } from '../../../extension/state/shareResults.ts';
import { INITIAL_STATE } from '../../../extension/state/state.ts';
import { aTransfer } from '../../support/fakes/fakeEngine.ts';

describe('sharing a file', () => {
  const share = (fields: Partial<Transfer>): readonly Transfer[] => [aTransfer({ id: 7, kind: 'share', ...fields })];
  const [HASHING, SEEDING, NONE] = [
    share({ state: 'hashing' }),
    share({ state: 'seeding' }),
    [] as readonly Transfer[],
  ];
  const LOST = 'lost'; // the engine is, and its transfers with it

  /**
   * What is found in each of these states, the last one or an error; then nobody looks any more.
   */
  const looks = (...states: readonly (readonly Transfer[] | typeof LOST)[]): readonly string[] => {
    const look = shareDone(7, '/work/a.bin');
    return states.map((transfers) => {
      try {
        const engine = transfers === LOST ? 'connecting' : 'up';
        return (
          look({
            ...INITIAL_STATE,
            engine,
            transfers: new Map(transfers === LOST ? [] : transfers.map((one) => [one.id, one])),
          })?.state ?? '…'
        );
      } catch (error) {
        return isShoalError(error) ? error.code : String(error);
      }
    });
  };
  const rows: readonly (readonly [says: string, found: readonly string[], expected: readonly string[]])[] = [
    ['ends when the group knows of it', looks(NONE, HASHING, SEEDING), ['…', '…', 'seeding']],
    ['ends when somebody stops it, or signs out', looks(NONE, HASHING, NONE), ['…', '…', 'cancelled']],
    [
      'goes on with the next engine, which tells of its transfers bit by bit',
      looks(HASHING, LOST, NONE, HASHING, SEEDING),
      ['…', '…', '…', '…', 'seeding'],
    ],
    [
      'ends with what went wrong',
      looks(HASHING, share({ state: 'failed', error: toWire(new ShoalError('fileExists')) })),
      ['…', 'fileExists'],
    ],
    ['ends when its file is gone', looks(HASHING, share({ state: 'gone' })), ['…', 'fileMissing']],
  ];
  for (const [says, found, expected] of rows) it(says, () => assert.deepEqual(found, expected));
});

describe('sharing several files', () => {
  /** Files whose names say what becomes of them. */
  const share = async (
    ...files: readonly string[]
  ): Promise<{ shared: readonly string[]; says: string | undefined }> => {
    const { shared, failures } = await shareEach(
      files.map((name) => `/work/${name}`),
      async (file) => {
        if (file.includes('missing')) throw new ShoalError('fileMissing', { path: file });
        if (file.includes('broken')) throw new Error('boom');
        return file.includes('declined') ? undefined : file;
      },
    );
    const error: unknown = await reportFailures(failures, files.length).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    return {
      shared,
      says: isShoalError(error) ? describeError(error).sentence : (error as Error | undefined)?.message,
    };
  };
  const rows: readonly (readonly [
    says: string,
    files: readonly string[],
    shared: readonly string[],
    sentence: string | undefined,
  ])[] = [
    [
      'says nothing of those that were shared, or that somebody would not replace',
      ['a', 'declined', 'b'],
      ['/work/a', '/work/b'],
      undefined,
    ],
    [
      'goes on behind one that failed, and names it',
      ['a', 'broken.bin', 'b'],
      ['/work/a', '/work/b'],
      'Could not share broken.bin. Something went wrong inside Shoal (boom); the log has more.',
    ],
    [
      'says of several why the first failed',
      ['missing', 'a', 'broken'],
      ['/work/a'],
      'Could not share 2 files (missing, broken). The first of them: There is no file /work/missing.',
    ],
    [
      'does not name them all',
      [1, 2, 3, 4, 5, 6].map((n) => `missing${n}`),
      [],
      'Could not share 6 files (missing1, missing2, missing3, missing4, missing5 …). The first of them: There is no file /work/missing1.',
    ],
    ['leaves the error of a single file as it is', ['broken'], [], 'boom'],
  ];
  for (const [says, files, shared, sentence] of rows) {
    it(says, async () => assert.deepEqual(await share(...files), { shared, says: sentence }));
  }
});
