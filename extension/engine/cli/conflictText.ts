// A conflict in words, as the command line says it: what came to something else than meant, and
// what one can do.
import type { ErrorCode } from '../../../protocol/base/errors.ts';
import { isErrorCode, printable, ShoalError } from '../../../protocol/base/errors.ts';
import type { Conflict } from '../../../protocol/messages/trackerLink.ts';

/** What an operation wanted. */
const WANTED: Readonly<Record<string, string>> = {
  createAccount: 'the new account',
  createGroup: 'the new group',
  renameGroup: 'the new name of the group',
  renameAccount: 'your new name',
  requestJoin: 'the request to join',
  cancelRequest: 'taking back the request',
  acceptRequest: 'accepting a request',
  rejectRequest: 'rejecting a request',
  leaveGroup: 'leaving',
  removeMember: 'removing a member',
  transferGroup: 'giving the group away',
  deleteGroup: 'ending the group',
  shareFile: 'sharing',
  stopShare: 'stopping a share',
  removeFile: 'removing a file',
  signIn: 'a sign-in',
  signOut: 'a sign-out',
  changePassword: 'the new password',
};

/** One sentence or two. */
export function conflictText({ what, result, group, wanted, name, isMine }: Conflict): string {
  const [shownGroup, shownWanted, shownName] = [group, wanted, name].map(printable);
  if (result === 'renamed' && what === 'createAccount') {
    return (
      `two people took the name ${shownWanted} at the same moment; you are ${shownName} now. ` +
      'Choose another with: shoal rename_account NAME'
    );
  }
  if (result === 'renamed') {
    const both = `two groups took the name ${shownWanted} at the same moment`;
    return isMine
      ? `${both}; yours is ${shownName} now. Choose another with: shoal rename_group ${shownName} NAME`
      : `${both}; the one you are in is ${shownName} now`;
  }
  const about = [
    group === '' ? '' : `in ${shownGroup}`,
    wanted === '' || what === 'createGroup' ? '' : `(${shownWanted})`,
  ]
    .filter((word) => word !== '')
    .join(' ');
  const why = isErrorCode(result)
    ? whyText(result, { group: shownGroup ?? '', name: shownWanted ?? '' })
    : printable(result);
  return (
    `${WANTED[what] ?? printable(what)}${about === '' ? '' : ` ${about}`} has had no effect in the end, ` +
    `because something else was done at the same moment at the other tracker: ${why}`
  );
}

/** The sentence of a code, as far as the conflict knows its fields. */
function whyText(code: ErrorCode, fields: { readonly group: string; readonly name: string }): string {
  return new ShoalError(code, { ...fields, user: 'that person', account: 'the account' }).message;
}
