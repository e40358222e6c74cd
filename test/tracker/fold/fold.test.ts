// What operations come to: every rule as a story (support/scenarios/story.ts) and its outcome, on
// one tracker and on two that were apart.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { DEVICES_PER_ACCOUNT_MAX, GROUPS_PER_ACCOUNT_MAX, PIECES_MAX } from '../../../protocol/base/limits.ts';
import { compareStamps } from '../../../protocol/messages/operations.ts';
import type { OperationBody } from '../../../protocol/messages/operations.ts';
import { apply, check, undo } from '../../../tracker/fold/fold.ts';
import type { GroupId } from '../../../protocol/base/ids.ts';
import { diffState, snapshotOf } from '../../../tracker/fold/stateDiff.ts';
import { emptyState, hasSeen, noChanges, stateHash } from '../../../tracker/fold/state.ts';
import { accountOf, conflicts, folded, inWords, refusalOfLast, told } from '../../support/scenarios/story.ts';
import { anyStory } from '../../support/scenarios/anyStory.ts';
import { brokenRules } from '../../support/scenarios/foldRules.ts';
import type { Told } from '../../support/scenarios/story.ts';

/** Alice owns a group, Bob is a member, Carol only has an account; both trackers know. */
const TEAM = `
  A alice signUp
  A bob   signUp
  A carol signUp
  A alice createGroup team
  A bob   requestJoin team r1
  A alice acceptRequest team r1
  sync`;

const refuses = (story: string, code: string | undefined) => (): void => assert.equal(refusalOfLast(story), code);
const comesTo =
  (story: string, words: Record<string, string>, ...conflicting: string[]) =>
  (): void => {
    assert.deepEqual(
      { words: inWords(folded(told(story))), conflicts: conflicts(told(story)) },
      { words, conflicts: conflicting },
    );
  };

describe('the fold', () => {
  describe('refuses a new operation', () => {
    const rows: readonly (readonly [string, string, string | undefined])[] = [
      ['of an account that is not signed in', `A alice createGroup team`, 'notSignedIn'],
      ['of a device that is signed out', `${TEAM}\n A bob signOut\n A bob leaveGroup team`, 'notSignedIn'],
      ['of a device of somebody else', `${TEAM}\n A bob/2 leaveGroup team`, 'notSignedIn'],
      ['that takes a user name, in any case', `${TEAM}\n A ALICE=a2 createAccount`, 'nameTaken'],
      ['that takes a name no one may have', `A a~b createAccount`, 'badName'],
      ['that takes an id', `${TEAM}\n A dora=alice createAccount`, 'badMessage'],
      ['to sign in a device that is in use', `${TEAM}\n A bob=alice/1 signIn`, undefined],
      ['to sign in to no account', `A dora signIn`, 'wrongPassword'],
      [
        'to sign in one device more than an account may have',
        `A a createAccount\n${Array.from({ length: DEVICES_PER_ACCOUNT_MAX + 1 }, (_, n) => `A a/${n} signIn`).join('\n')}`,
        'tooManyDevices',
      ],
      ['to sign out a device that is not in', `${TEAM}\n A bob signOut 7`, 'notSignedIn'],
      ['that takes a group’s name', `${TEAM}\n A bob createGroup TEAM=t2`, 'nameTaken'],
      ['for a group’s bad name', `${TEAM}\n A bob createGroup a/b`, 'badName'],
      [
        'for a group too many',
        `A a signUp\n${Array.from({ length: GROUPS_PER_ACCOUNT_MAX + 1 }, (_, n) => `A a createGroup g${n}`).join('\n')}`,
        'tooManyGroups',
      ],
      ['to join what is not there', `${TEAM}\n A bob requestJoin nowhere r9`, 'unknownGroup'],
      ['to join twice', `${TEAM}\n A bob requestJoin team r9`, 'memberAlready'],
      ['to ask twice', `${TEAM}\n A carol requestJoin team r2\n A carol requestJoin team r3`, 'requestedAlready'],
      ['to ask under a used id', `${TEAM}\n A carol requestJoin team r1`, 'badMessage'],
      ['to withdraw what was answered', `${TEAM}\n A bob cancelRequest team r1`, 'unknownRequest'],
      [
        'to withdraw a request of another',
        `${TEAM}\n A carol requestJoin team r2\n A bob cancelRequest team r2`,
        'unknownRequest',
      ],
      ['to accept, by a member', `${TEAM}\n A carol requestJoin team r2\n A bob acceptRequest team r2`, 'notOwner'],
      [
        'to accept, by the applicant',
        `${TEAM}\n A carol requestJoin team r2\n A carol acceptRequest team r2`,
        'notOwner',
      ],
      ['to accept what nobody asked', `${TEAM}\n A alice acceptRequest team r7`, 'unknownRequest'],
      ['to reject, by a member', `${TEAM}\n A carol requestJoin team r2\n A bob rejectRequest team r2`, 'notOwner'],
      ['to reject who is in', `${TEAM}\n A alice rejectRequest team r1`, 'unknownRequest'],
      ['to leave where one is not', `${TEAM}\n A carol leaveGroup team`, 'notMember'],
      ['to remove, by a member', `${TEAM}\n A bob removeMember team alice`, 'notOwner'],
      ['to remove the owner', `${TEAM}\n A alice removeMember team alice`, 'ownerCannotBeRemoved'],
      ['to remove a stranger', `${TEAM}\n A alice removeMember team carol`, 'unknownUser'],
      ['to share as a stranger', `${TEAM}\n A carol shareFile team f 1`, 'notMember'],
      ['to share a name that leaves its folder', `${TEAM}\n A bob shareFile team ../f 1`, 'badFileName'],
      [
        'to share other content under a name of another',
        `${TEAM}\n A alice shareFile team f 1\n A bob shareFile team F 2`,
        'fileExists',
      ],
      ['to stop what is not there', `${TEAM}\n A bob stopShare team f`, 'unknownFile'],
      ['to stop what another shares', `${TEAM}\n A alice shareFile team f 1\n A bob stopShare team f`, 'notSharer'],
      ['to remove a file of another', `${TEAM}\n A alice shareFile team f 1\n A bob removeFile team f`, 'notOwner'],
      ['to give away a group, by a member', `${TEAM}\n A bob transferGroup team bob`, 'notOwner'],
      ['to give a group to a stranger', `${TEAM}\n A alice transferGroup team carol`, 'unknownUser'],
      ['to end a group, by a member', `${TEAM}\n A bob deleteGroup team`, 'notOwner'],
      [
        'to act in a group that has ended',
        `${TEAM}\n A alice deleteGroup team\n A alice createGroup other\n A bob requestJoin team r9`,
        'unknownGroup',
      ],
      ['to rename a group, by a member', `${TEAM}\n A bob renameGroup team new`, 'notOwner'],
      [
        'to rename a group to a name that is taken',
        `${TEAM}\n A bob createGroup other\n A alice renameGroup team OTHER`,
        'nameTaken',
      ],
      ['to rename a group to no name', `${TEAM}\n A alice renameGroup team a/b`, 'badName'],
      ['to rename an account that has the name it wanted', `${TEAM}\n A bob renameAccount robert`, 'nameKept'],
      ['to make a stranger the owner', `${TEAM}\n A alice setOwner team carol`, 'unknownUser'],
      ['to give nobody a password', `${TEAM}\n A alice resetPassword nobody`, 'unknownUser'],
      ['to go back to older rules', `${TEAM}\n A alice setFoldVersion 1`, 'badMessage'],
      [
        'in a group that everybody has left',
        `${TEAM}\n A bob leaveGroup team\n A alice leaveGroup team\n A carol requestJoin team r2`,
        'unknownGroup',
      ],
    ];
    for (const [what, story, code] of rows) {
      it(code ? `${what}: ${code}` : `not ${what} by the same account`, refuses(story, code));
    }
  });

  describe('refuses a file', () => {
    const files: readonly (readonly [string, Partial<OperationBody<'shareFile'>>, string | undefined])[] = [
      ['whose pieces are no power of two', { pieceBytes: 3 * 16_384 }, 'badMessage'],
      ['whose pieces are smaller than a leaf', { pieceBytes: 8_192 }, 'badMessage'],
      ['whose pieces are too large', { pieceBytes: 32 * 1024 * 1024 }, 'badMessage'],
      ['with too many pieces', { sizeBytes: 16_384 * PIECES_MAX + 1 }, 'badMessage'],
      ['with as many as allowed', { sizeBytes: 16_384 * PIECES_MAX }, undefined],
      ['that is larger than anything', { sizeBytes: 2 ** 50 }, 'fileTooLarge'],
      ['that is empty and has a root', { sizeBytes: 0 }, 'badMessage'],
      ['that has bytes and no root', { root: '0'.repeat(64) as never }, 'badMessage'],
      ['that is empty', { sizeBytes: 0, root: '0'.repeat(64) as never }, undefined],
    ];
    for (const [what, fields, code] of files) {
      it(`${what}: ${code ?? 'no, takes it'}`, () => {
        const all = told(`${TEAM}\n A bob shareFile team f 1`);
        const { op } = all.pop() as Told;
        assert.equal(check(folded(all), { ...op, body: { ...op.body, ...fields } } as typeof op)?.code, code);
      });
    }
  });

  describe('on one tracker', () => {
    it('lets in whom the owner accepts', comesTo(TEAM, { team: 'alice* bob' }));
    it('shows who waits', comesTo(`${TEAM}\n A carol requestJoin team r2`, { team: 'alice* bob carol?' }));
    it(
      'forgets who withdraws',
      comesTo(`${TEAM}\n A carol requestJoin team r2\n A carol cancelRequest team r2`, { team: 'alice* bob' }),
    );
    it(
      'lets ask again who was rejected',
      comesTo(
        `${TEAM}
      A carol requestJoin team r2
      A alice rejectRequest team r2
      A carol requestJoin team r3
      A alice acceptRequest team r3`,
        { team: 'alice* bob carol' },
      ),
    );
    it(
      'lets come back who was removed',
      comesTo(
        `${TEAM}
      A alice removeMember team bob
      A bob requestJoin team r2
      A alice acceptRequest team r2`,
        { team: 'alice* bob' },
      ),
    );
    it(
      'makes the longest-standing member owner',
      comesTo(
        `${TEAM}
      A carol requestJoin team r2
      A alice acceptRequest team r2
      A alice leaveGroup team`,
        { team: 'bob* carol' },
      ),
    );
    it(
      'archives a group that everybody has left, and frees its name',
      comesTo(
        `${TEAM}
      A bob leaveGroup team
      A alice leaveGroup team
      A carol createGroup team=t2`,
        { team: 'carol*' },
      ),
    );
    it(
      'counts the same content from another as one more sharer',
      comesTo(
        `${TEAM}
      A alice shareFile team f 1
      A bob shareFile team f 1`,
        { team: 'alice* bob; f v1 content 1 by alice from alice,bob' },
      ),
    );
    it(
      'takes changed content of the author at once, and only of them',
      comesTo(
        `${TEAM}
      A alice shareFile team f 1
      A bob shareFile team f 1
      A alice shareFile team f 2`,
        { team: 'alice* bob; f v2 content 2 by alice from alice' },
      ),
    );
    it(
      'takes changed content of another who says so',
      comesTo(
        `${TEAM}
      A alice shareFile team f 1
      A bob shareFile team F 2 replace`,
        { team: 'alice* bob; F v2 content 2 by bob from bob' },
      ),
    );
    it(
      'keeps a file that nobody shares any more',
      comesTo(
        `${TEAM}
      A bob shareFile team f 1
      A bob stopShare team f`,
        { team: 'alice* bob; f v1 content 1 by bob from nobody' },
      ),
    );
    it(
      'ends the shares of who leaves',
      comesTo(
        `${TEAM}
      A alice shareFile team f 1
      A bob shareFile team f 1
      A bob shareFile team g 2
      A alice removeMember team bob`,
        { team: 'alice*; f v1 content 1 by alice from alice; g v1 content 2 by bob from nobody' },
      ),
    );
    it(
      'gives a group to another member, who then is its owner',
      comesTo(
        `${TEAM}
      A alice transferGroup team bob
      A carol requestJoin team r2
      A bob acceptRequest team r2`,
        { team: 'alice bob* carol' },
      ),
    );
    it(
      'ends a group for everybody, and frees its name',
      comesTo(
        `${TEAM}
      A carol requestJoin team r2
      A alice deleteGroup team
      A bob createGroup team=t2`,
        { team: 'bob*' },
      ),
    );
    it(
      'renames a group',
      comesTo(`${TEAM}\n A alice renameGroup team Team\n A alice renameGroup team crew\n A bob createGroup team=t2`, {
        crew: 'alice* bob',
        team: 'bob*',
      }),
    );
    it(
      'lets an operator give a group to a member',
      comesTo(`${TEAM}\n A operator setOwner team bob`, { team: 'alice bob*' }),
    );
    it('signs everybody out whose password an operator sets', () => {
      const state = folded(told(`${TEAM}\n A bob/2 signIn\n A operator resetPassword bob`));
      const bob = state.accounts.get(accountOf('bob'));
      assert.deepEqual([bob?.devices.size, bob?.passwordHash], [0, 'operator resetPassword bob']);
    });
    it('lets an account that lost its name choose another, once', () => {
      const story = `${TEAM}\n A dora signUp\n B dora=dora2 signUp\n sync\n A dora=dora2 renameAccount doris`;
      assert.equal(folded(told(story)).accounts.get(accountOf('dora2'))?.name, 'doris');
      assert.equal(refusalOfLast(`${story}\n A dora=dora2 renameAccount dorothy`), 'nameKept');
    });
    it(
      'lets the owner remove a file',
      comesTo(`${TEAM}\n A bob shareFile team f 1\n A alice removeFile team f`, { team: 'alice* bob' }),
    );
    it(
      'lets the author remove a file',
      comesTo(`${TEAM}\n A bob shareFile team f 1\n A bob removeFile team f`, { team: 'alice* bob' }),
    );
    it('signs out all other devices with a new password', () => {
      const state = folded(told(`${TEAM}\n A bob/2 signIn\n A bob/2 changePassword`));
      assert.equal(state.accounts.get(accountOf('bob'))?.devices.size, 1);
      assert.equal(state.accounts.get(accountOf('bob'))?.passwordHash, 'bob/2 changePassword');
    });
  });

  describe('on two trackers that were apart', () => {
    it('lets the first keep a user name', () => {
      const state = folded(told('A anna=a1 signUp\n B Anna=a2 signUp\n B anna=a3 signUp'));
      const names = [...state.accounts.values()].map(({ name }) => name);
      assert.match(names.join(' '), /^anna Anna~[a-z2-7]{4} anna~[a-z2-7]{4}$/);
      assert.deepEqual(state.lostNames.get('anna'), [accountOf('a2'), accountOf('a3')]);
      assert.deepEqual(conflicts(told('A anna=a1 signUp\n B anna=a2 signUp')), ['anna=a2 createAccount: renamed']);
    });
    it('lets the first keep a group name, and everybody their group', () => {
      const words = inWords(folded(told(`${TEAM}\n A alice createGroup x=1\n B bob createGroup x=2`)));
      assert.deepEqual(Object.values(words), ['alice* bob', 'alice*', 'bob*']);
      assert.match(Object.keys(words).join(' '), /^team x x~[a-z2-7]{4}$/);
    });
    const asked = `${TEAM}\n A carol requestJoin team r2\n sync`;
    it(
      'lets a rejection win over an earlier acceptance',
      comesTo(
        `${asked}
      A alice acceptRequest team r2
      B alice rejectRequest team r2`,
        { team: 'alice* bob' },
      ),
    );
    it(
      'lets a rejection win over a later acceptance',
      comesTo(
        `${asked}
      A alice rejectRequest team r2
      B alice acceptRequest team r2`,
        { team: 'alice* bob' },
        'alice acceptRequest team r2: unknownRequest',
      ),
    );
    it(
      'keeps out who withdrew while being accepted',
      comesTo(
        `${asked}
      A alice acceptRequest team r2
      B carol cancelRequest team r2`,
        { team: 'alice* bob' },
      ),
    );
    it(
      'takes a rejection by who was owner when they said so',
      comesTo(
        `${asked}
      A alice leaveGroup team
      B alice rejectRequest team r2`,
        { team: 'bob*' },
      ),
    );
    it(
      'refuses an acceptance by who was no longer owner, and the new owner still sees the request',
      comesTo(
        `${asked}
      A alice leaveGroup team
      B alice acceptRequest team r2`,
        { team: 'bob* carol?' },
        'alice acceptRequest team r2: notOwner',
      ),
    );
    it(
      'lets a rejection win that comes before its request: both were lost with a disk, and are given back by others',
      comesTo(
        `${TEAM}
      A alice rejectRequest team r2
      A carol requestJoin team r2
      A alice acceptRequest team r2`,
        { team: 'alice* bob' },
        'alice acceptRequest team r2: unknownRequest',
      ),
    );
    it(
      'lets a withdrawal win that comes before its request, but not one of somebody else',
      comesTo(
        `${TEAM}
      A carol cancelRequest team r2
      A bob cancelRequest team r3
      A carol requestJoin team r2
      A carol requestJoin team r3`,
        { team: 'alice* bob carol?' },
      ),
    );
    it(
      'lets a removal win over an acceptance that had not seen it',
      comesTo(
        `${TEAM}
      A bob leaveGroup team
      A bob requestJoin team r2
      sync
      A alice acceptRequest team r2
      sync
      A alice removeMember team bob
      A bob requestJoin team r3
      B alice removeMember team bob
      A alice acceptRequest team r3
      sync`,
        { team: 'alice* bob?' },
        'alice acceptRequest team r3: unknownRequest',
      ),
    );
    it(
      'does not let back in who was removed on the other side',
      comesTo(
        `${TEAM}
      A alice removeMember team bob
      B bob leaveGroup team
      B bob requestJoin team r2
      B alice acceptRequest team r2`,
        { team: 'alice* bob?' },
        'bob leaveGroup team: notMember',
        'alice acceptRequest team r2: unknownRequest',
      ),
    );
    it(
      'shows one of two requests of the same person, and needs one answer',
      comesTo(
        `${TEAM}
      A carol requestJoin team r2
      B carol requestJoin team r3
      sync
      B alice acceptRequest team r3`,
        { team: 'alice* bob carol' },
      ),
    );
    it(
      'keeps the first of two files with the same name',
      comesTo(
        `${TEAM}
      A alice shareFile team f 1
      B bob shareFile team f 2`,
        { team: 'alice* bob; f v1 content 1 by alice from alice' },
        'bob shareFile team f 2: fileExists',
      ),
    );
    it(
      'refuses the share of who was removed meanwhile',
      comesTo(
        `${TEAM}
      A alice removeMember team bob
      B bob shareFile team f 1`,
        { team: 'alice*' },
        'bob shareFile team f 1: notMember',
      ),
    );
    it('keeps out a sign-in that did not know of the sign-out', () => {
      const apart = told(`${TEAM}\n A bob/2 signIn\n sync\n A bob signOut 2\n B bob/2 signIn`);
      assert.equal(folded(apart).accounts.get(accountOf('bob'))?.devices.size, 1);
      const knowing = told(`${TEAM}\n A bob/2 signIn\n sync\n A bob signOut 2\n sync\n B bob/2 signIn`);
      assert.equal(folded(knowing).accounts.get(accountOf('bob'))?.devices.size, 2);
    });
    it(
      'keeps out a sign-in with a password that was changed meanwhile',
      comesTo(
        `${TEAM}
      A bob changePassword
      B bob/2 signIn`,
        { team: 'alice* bob' },
        'bob/2 signIn: wrongPassword',
      ),
    );
    it(
      'lets a group go to the first of two to whom it was given',
      comesTo(
        `${TEAM}
      A carol requestJoin team r2
      A alice acceptRequest team r2
      sync
      A alice transferGroup team bob
      B alice transferGroup team carol`,
        { team: 'alice bob* carol' },
        'alice transferGroup team carol: notOwner',
      ),
    );
    it(
      'lets an operation that came in on both take effect once',
      comesTo(
        `${TEAM}
      A alice shareFile team f 1
      again 9
      sync
      A alice stopShare team f
      again 9`,
        { team: 'alice* bob; f v1 content 1 by alice from nobody' },
      ),
    );
    it('takes either copy of an operation for having been seen', () => {
      const [first, second, third] = told('A a signUp\n again 1') as [Told, Told, Told];
      const outcome = { result: 'ok' as const, instances: [first.stamp, third.stamp] };
      assert.equal(hasSeen(second.stamp, outcome), true);
      assert.equal(hasSeen({ ...second.stamp, origin: 'cccccccccccccccc' as never, seen: [] }, outcome), false);
      assert.equal(
        hasSeen(
          { ...second.stamp, origin: 'cccccccccccccccc' as never, seen: [{ origin: third.stamp.origin, seq: 1 }] },
          outcome,
        ),
        true,
      );
    });
  });

  describe('tells what is different', () => {
    /**
     * Ends of memberships and sign-ins between what tracker B knew and the whole story; each must
     * beat the tickets given meanwhile.
     */
    const ends = (story: string): string[] => {
      const all = told(story);
      const [before, after, changes] = [
        folded(all.filter(({ stamp }, n) => n < told(TEAM).length || stamp.origin.startsWith('b'))),
        folded(all),
        noChanges(),
      ];
      diffState(snapshotOf(before, before.groups.keys(), before.accounts.keys()), after, changes);
      return changes.ended.map(({ account, group, device, since, at }) => {
        assert.ok(at.ms > since.ms || (at.ms === since.ms && at.counter > since.counter), 'it ended before it began');
        return `${before.accounts.get(account)?.name ?? ''} ${before.groups.get(group as GroupId)?.name ?? (device ? 'device' : '')}`;
      });
    };
    it('a removal', () =>
      assert.deepEqual(ends(`${TEAM}\n A alice removeMember team bob\n B bob shareFile team f 1`), ['bob team']));
    it('a membership that a rejection, earlier in the order, has undone', () =>
      assert.deepEqual(
        ends(`${TEAM}
      B bob leaveGroup team
      B bob requestJoin team r2
      A alice rejectRequest team r2
      B alice acceptRequest team r2`),
        ['bob team'],
      ));
    it('a sign-in', () => assert.deepEqual(ends(`${TEAM}\n B bob/2 signIn\n A bob changePassword`), ['bob device']));
    it('nothing else', () =>
      assert.deepEqual(ends(`${TEAM}\n A carol requestJoin team r2\n B bob shareFile team f 1`), []));
  });

  describe('whatever happens', () => {
    it('names are unique, a living group is owned by a member, nobody is half in', () =>
      fc.assert(
        fc.property(anyStory, (text) => {
          const state = folded(told(text));
          for (const wrong of brokenRules(state)) assert.fail(wrong);
        }),
        { numRuns: 500 },
      ));

    it('a rejected or withdrawn request lets nobody in, wherever the acceptance stands', () =>
      fc.assert(
        fc.property(anyStory, (text) => {
          const all = told(text);
          const state = folded(all);
          for (const group of state.groups.values()) {
            for (const [request, { as }] of group.decided) {
              if (as !== 'rejected' && as !== 'cancelled') continue;
              assert.ok([...group.members.values()].every((member) => member.request !== request));
            }
          }
        }),
        { numRuns: 300 },
      ));

    it('entries that come in any sequence and are put in order come to the same', () =>
      fc.assert(
        fc.property(
          anyStory.chain((text) =>
            fc.shuffledSubarray(told(text), { minLength: told(text).length }).map((shuffled) => ({ text, shuffled })),
          ),
          ({ text, shuffled }) => {
            const sorted = shuffled.toSorted((a, b) => compareStamps(a.stamp, b.stamp));
            assert.deepEqual(stateHash(folded(sorted)), stateHash(folded(told(text))));
          },
        ),
        { numRuns: 100 },
      ));

    it('every operation can be taken back, the newest first', () =>
      fc.assert(
        fc.property(anyStory, (text) => {
          const state = emptyState();
          const done = told(text)
            .toSorted((a, b) => compareStamps(a.stamp, b.stamp))
            .map(({ op, stamp, added }) => ({
              id: op.id,
              before: stateHash(state),
              journal: apply(state, op, stamp, added, noChanges()),
            }));
          for (const { id, before, journal: undoLog } of done.reverse()) {
            undo(state, id, undoLog);
            assert.deepEqual(stateHash(state), before);
          }
        }),
        { numRuns: 200 },
      ));

    it('different histories have different hashes', () => {
      const hash = (text: string): string => stateHash(folded(told(text))).toString('hex');
      assert.notEqual(hash(TEAM), hash(`${TEAM}\n A alice removeMember team bob`));
      assert.notEqual(hash(`${TEAM}\n A bob shareFile team f 1`), hash(`${TEAM}\n A bob shareFile team f 2`));
    });
  });
});
