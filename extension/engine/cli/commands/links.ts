// Verbs of links that people send each other (shareLink.ts): making one, and doing what one says.
import { printable, ShoalError } from '../../../../protocol/base/errors.ts';
import { addressText } from '../../../../protocol/base/address.ts';
import { realmUrlText } from '../../../../protocol/messages/realm.ts';
import type { PinnedTracker, ShareLink } from '../../../../protocol/frontend/shareLink.ts';
import { parseShareLink, pinnedTracker, shareLinkText } from '../../../../protocol/frontend/shareLink.ts';
import { DETACH, downloadFile } from './files.ts';
import type { Session } from '../session.ts';
import type { CommandFamily } from './command.ts';
import { printDone } from './command.ts';

export const linkCommands: CommandFamily = {
  title: 'Links:',
  commands: [
    {
      usage: 'link <group> [name]',
      summary: 'print a link into a group, or to a file of it',
      details:
        'It names the tracker, the group and the file, and gives nothing: whoever opens it, in VS Code ' +
        'or with open_link, signs in and asks to join like everybody.',
      json: '{"link", "group", "name"}; name is null for a link into the group',
      examples: ['link team', 'link team dump.sql'],
      async run(session, { args: [group = '', name] }) {
        const tracker = await trackerInUse(session);
        if (!tracker) throw new ShoalError('trackerUnknown');
        const file = name === undefined ? undefined : await session.call('findFile', { group, name });
        if (!file) await session.call('listMembers', { group, after: '' }); // says what is wrong with the group
        const link = shareLinkText(
          file ? { is: 'open', tracker, group, name: file.name, root: file.root } : { is: 'join', tracker, group },
        );
        session.print(link, { link, group, name: file?.name ?? null });
      },
    },
    {
      usage: 'open_link <link> [dest]',
      summary: 'ask to join the group, or download the file, that a link names',
      details: "DEST is where the file goes, as for download_file. The link's tracker must be the one this home uses.",
      json: 'what join_group or download_file prints',
      options: [['--rename', 'take another name, such as "name (2)", when the name is taken'], DETACH],
      async run(session, { args: [text = '', dest], options }) {
        const link = parseShareLink(text);
        await checkTracker(session, link);
        const { group } = link;
        if (link.is === 'join') {
          return printDone(
            session,
            `Asked to join ${printable(group)}. Its owner decides; \`shoal list_groups\` shows when you are a member.`,
            { group },
            await session.call('joinGroup', { group }),
          );
        }
        const { root } = await session.call('findFile', { group, name: link.name });
        if (root !== link.root) {
          session.note('The link was made for another version of this file; what is shared now is downloaded.');
        }
        return downloadFile(session, { group, name: link.name, dest }, options);
      },
    },
  ],
};

async function trackerInUse(session: Session): Promise<PinnedTracker | undefined> {
  await session.engine();
  const { overview } = await session.call('status', {});
  return pinnedTracker(overview.trackerUrl);
}

/** @throws ShoalError otherTracker */
async function checkTracker(session: Session, { tracker }: ShareLink): Promise<void> {
  if ((await trackerInUse(session))?.realm === tracker.realm) return;
  throw new ShoalError('otherTracker', {
    address: tracker.addresses.map(addressText).join(', '),
    url: realmUrlText(tracker),
  });
}
