// What a person is to learn when a tracker tells anew of a group of theirs. A pure decision;
// engine.ts acts on it.
import type { GroupView } from '../../../protocol/messages/trackerLink.ts';

export interface GroupDiff {
  /** Who has asked to join since. */
  readonly applicants: readonly string[];
  /** Whether one has become a member. */
  readonly isNewMember: boolean;
  /** Whether that is because the owner said so. */
  readonly isAccepted: boolean;
}

/** @param before  as it was told last; undefined when it was not */
export function diffGroup(group: GroupView, before: GroupView | undefined): GroupDiff {
  const known = new Set(before?.requests.map(({ request }) => request));
  const applicants =
    group.role === 'owner' ? group.requests.filter(({ request }) => !known.has(request)).map(({ user }) => user) : [];
  const isNewMember = isMember(group) && !isMember(before);
  return { applicants, isNewMember, isAccepted: isNewMember && before?.role === 'applicant' };
}

/** Whether this account is in a group. */
export const isMember = (group: GroupView | undefined): boolean => group?.role === 'member' || group?.role === 'owner';
