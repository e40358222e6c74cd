// The view Groups: what its rows say, and what their menus are asked for by.
// Covers: extension/views/groups.ts, extension/views/rowDiff.ts
import assert from 'node:assert/strict';
import { ShoalError } from '../../../protocol/base/errors.ts';
import type { AccountId, GroupId } from '../../../protocol/base/ids.ts';
import type { MemberRow } from '../../../protocol/messages/trackerLink.ts';
import type { WindowState } from '../../../extension/state/state.ts';
import { groupRows } from '../../../extension/views/groups.ts';
import { LazyRows } from '../../../extension/views/row.ts';
import { diffRows } from '../../../extension/views/rowDiff.ts';
import { aGroup, aTransfer } from '../../support/fakes/fakeEngine.ts';
import { lines, state, transfers } from '../../support/fakes/windowStates.ts';

const member = (user: string, fields: Partial<MemberRow> = {}): MemberRow => ({
  account: Buffer.from(user).toString('hex').padEnd(32, '0') as AccountId,
  user,
  role: 'member',
  online: true,
  sinceMs: 0,
  ...fields,
});

describe('the view Groups', () => {
  const rows: readonly (readonly [says: string, state: WindowState, rows: readonly string[]])[] = [
    [
      'shows an owner who asks to join, first of all',
      state({
        groups: [aGroup()],
        members: new Map([
          [
            aGroup().group,
            {
              rows: [member('alice', { role: 'owner' }), member('carol', { online: false })],
              isLoaded: true,
              error: undefined,
            },
          ],
        ]),
      }),
      [
        'team — owner · 3 members · 1 request [group owner asked]',
        '  bob — asks to join [request]',
        '  alice — you · owner · online [person]',
        '  carol — offline [person removable]',
      ],
    ],
    [
      'shows a member no requests, and nobody to remove',
      state({
        groups: [aGroup({ role: 'member', owner: 'bob', requests: [] })],
        members: new Map([
          [
            aGroup().group,
            { rows: [member('alice'), member('bob', { role: 'owner' })], isLoaded: true, error: undefined },
          ],
        ]),
      }),
      [
        'team — member · 3 members [group member]',
        '  bob — owner · online [person]',
        '  alice — you · online [person]',
      ],
    ],
    [
      'puts the owner first, then who is online, by name',
      state({
        groups: [aGroup({ requests: [] })],
        members: new Map([
          [
            aGroup().group,
            {
              rows: [
                member('alice', { role: 'owner', online: false }),
                member('carol', { online: false }),
                member('zoe'),
                member('dave'),
                member('eve', { role: 'applicant' }),
              ],
              isLoaded: true,
              error: undefined,
            },
          ],
        ]),
      }),
      [
        'team — owner · 3 members [group owner]',
        '  alice — you · owner · offline [person]',
        '  dave — online [person removable]',
        '  zoe — online [person removable]',
        '  carol — offline [person removable]',
      ],
    ],
    [
      'shows whom an applicant waits for',
      state({ groups: [aGroup({ role: 'applicant', owner: 'bob' })] }),
      ['team — waiting for bob [group applied]'],
    ],
    [
      'is sorted by name',
      state({
        groups: [
          aGroup({ name: 'b', group: 'b' as GroupId, requests: [], members: 1 }),
          aGroup({ name: 'a', group: 'a' as GroupId, requests: [], members: 1 }),
        ],
      }),
      ['a — owner · 1 member [group owner]', 'b — owner · 1 member [group owner]'],
    ],
    [
      'says what could not be read',
      state({
        groups: [aGroup({ requests: [] })],
        members: new Map([
          [aGroup().group, { rows: [], isLoaded: false, error: new ShoalError('deadline', { ms: 5 }) }],
        ]),
      }),
      ['team — owner · 3 members [group owner]', '  no answer within 5 ms —  [trouble]'],
    ],
  ];
  for (const [says, of, expected] of rows) it(says, () => assert.deepEqual(lines(groupRows(of)), expected));
});

it('the members of a group that is closed are not made into rows, however often something else changes', () => {
  const members = new Map([
    [aGroup().group, { rows: [member('alice'), member('bob')], isLoaded: true, error: undefined }],
  ]);
  const [before, after] = [
    state({ groups: [aGroup({ requests: [] })], members }),
    state({ groups: [aGroup({ requests: [] })], members, ...transfers(aTransfer()) }),
  ].map(groupRows);
  assert.deepEqual(diffRows(before ?? [], after ?? []).rows, []);
  assert.ok([before, after].every((rows) => rows?.[0]?.children instanceof LazyRows && !rows[0].children.isCreated));
});
