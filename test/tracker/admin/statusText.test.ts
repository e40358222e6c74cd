// What an operator reads about a tracker.
import assert from 'node:assert/strict';
import type { Origin, Pin } from '../../../protocol/base/ids.ts';
import type { Status } from '../../../tracker/admin/operatorClient.ts';
import { statusLines } from '../../../tracker/admin/statusText.ts';

const STATUS: Status = {
  number: 1,
  version: '0.1.0',
  realm: 'ab'.repeat(32) as Pin,
  origin: '0123456789abcdef' as Origin,
  upMs: 7_260_000,
  links: 5,
  accounts: 4,
  groups: 3,
  files: 2,
  presences: 1,
  operations: 1_234,
  partner: 'paired',
  partnerLagOperations: 0,
  stateHash: Buffer.alloc(32, 0xcd),
  processId: 42,
  unsettledOperations: 0,
  frontierMs: Date.UTC(2026, 0, 2),
  conflicts: 0,
  clockAheadMs: 0,
  clockBehindMs: 0,
  logAheadMs: 0,
  durability: 'both',
  listVersion: 1,
  memoryBytes: 64 * 1024 * 1024,
};
const line = (name: string, fields: Partial<Status> = {}): string | undefined =>
  statusLines({ ...STATUS, ...fields }, 'shoal://x')
    .find((one) => one.startsWith(name.padEnd(12)))
    ?.slice(12);

describe('the status of a tracker', () => {
  it('is a line for each thing', () =>
    assert.deepEqual(statusLines(STATUS, 'shoal://x@a:1,b:2'), [
      'tracker     1 of shoal://x@a:1,b:2',
      'program     shoal-tracker 0.1.0, process 42, for 2 h 01 min, 64.0 MiB of memory',
      'state       paired: each has what the other has',
      'answers     an operation is on every disk there is',
      'lag         0 operations that its partner has not confirmed',
      'final       all operations, up to 2026-01-02T00:00:00.000Z',
      "clock       as its partner's, as far as is known",
      'log         1234 operations, of origin 0123456789abcdef; list of trackers version 1',
      'accounts    4',
      'groups      3',
      'files       2',
      'presences   1',
      'links       5',
      'conflicts   none',
      `state hash  ${'cd'.repeat(32)}`,
    ]));

  const rows: readonly (readonly [string, string, Partial<Status>, RegExp])[] = [
    ['a partner that is away', 'state', { partner: 'solo' }, /^solo: its partner is not there$/],
    ['that it waits for its log', 'state', { partner: 'joining' }, /serves nobody before/],
    ['that it was taken out', 'state', { partner: 'retired' }, /no longer in the list/],
    ['what an answer means then', 'answers', { durability: 'one' }, /on this disk alone/],
    ['what its partner lacks', 'lag', { partnerLagOperations: 1 }, /^1 operation /],
    ['what is not final', 'final', { unsettledOperations: 7, frontierMs: 0 }, /^all but 7 operations$/],
    ['a clock that is a little ahead', 'clock', { clockAheadMs: 300 }, /^its partner's is 0\.3 s ahead$/],
    ['a clock that is too far behind', 'clock', { clockBehindMs: 3_000 }, /3\.0 s behind \(too much\)$/],
    [
      'a clock that is much too far behind',
      'clock',
      { clockBehindMs: 30_000 },
      /30\.0 s behind \(far too much; set them right\)$/,
    ],
    ['a log that ran ahead', 'clock', { logAheadMs: 90_000 }, /its log is 90\.0 s ahead of its clock/],
    ['conflicts, and who lists them', 'conflicts', { conflicts: 2 }, /^2; shoal-tracker conflicts lists them$/],
  ];
  for (const [what, name, fields, says] of rows) it(`says ${what}`, () => assert.match(line(name, fields) ?? '', says));
});
