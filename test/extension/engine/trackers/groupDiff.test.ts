// What a person learns when a tracker tells anew of a group: as data.
import assert from 'node:assert/strict';
import type { GroupDiff } from '../../../../extension/engine/trackers/groupDiff.ts';
import { diffGroup } from '../../../../extension/engine/trackers/groupDiff.ts';
import type { AccountId, RequestId } from '../../../../protocol/base/ids.ts';
import type { GroupView } from '../../../../protocol/messages/trackerLink.ts';
import { aGroup } from '../../../support/fakes/fakeEngine.ts';

describe('the news of a group', () => {
  const none: GroupDiff = { applicants: [], isNewMember: false, isAccepted: false };
  const asks = (...users: string[]): Partial<GroupView> => ({
    requests: users.map((user) => ({ request: user as RequestId, account: user as AccountId, user, atMs: 0 })),
  });
  const rows: [
    what: string,
    before: Partial<GroupView> | undefined,
    now: Partial<GroupView>,
    news: Partial<GroupDiff>,
  ][] = [
    ['is none when nothing has changed', { role: 'owner', ...asks('bob') }, { role: 'owner', ...asks('bob') }, {}],
    [
      'is who asks the owner since',
      { role: 'owner', ...asks('bob') },
      { role: 'owner', ...asks('bob', 'carol') },
      { applicants: ['carol'] },
    ],
    ['is no request of one’s own', undefined, { role: 'applicant', ...asks('alice') }, {}],
    [
      'is that the owner has accepted',
      { role: 'applicant', ...asks('alice') },
      { role: 'member', requests: [] },
      { isNewMember: true, isAccepted: true },
    ],
    ['is a group that one has made', undefined, { role: 'owner', requests: [] }, { isNewMember: true }],
    [
      'is none when the owner hands the group over',
      { role: 'member', requests: [] },
      { role: 'owner', requests: [] },
      {},
    ],
  ];
  for (const [what, before, now, news] of rows) {
    it(what, () => assert.deepEqual(diffGroup(aGroup(now), before && aGroup(before)), { ...none, ...news }));
  }
});
