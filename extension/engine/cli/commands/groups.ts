// Verbs of groups: who shares with whom.
import { printable, ShoalError } from '../../../../protocol/base/errors.ts';
import { nameKey } from '../../../../protocol/base/names.ts';
import type { GroupRow, JoinRequest } from '../../../../protocol/messages/trackerLink.ts';
import { readPages } from '../../../../protocol/frontend/pagination.ts';
import { formatCount } from '../../../../protocol/frontend/format.ts';
import { conflictText } from '../conflictText.ts';
import { table } from '../table.ts';
import type { Session } from '../session.ts';
import type { CommandFamily, CommandSpec } from './command.ts';
import { printDone, ROWS_READ_MAX } from './command.ts';

/** A verb that changes one group and answers with a sentence. */
const groupCommand = (
  use: string,
  call: 'createGroup' | 'joinGroup' | 'cancelRequest' | 'leaveGroup' | 'deleteGroup',
  sentence: (group: string) => string,
  rest: Pick<CommandSpec, 'summary' | 'details'>,
): CommandSpec => ({
  usage: `${use} <group>`,
  json: '{"group", "durability"}',
  ...rest,
  async run(session, { args: [group = ''] }) {
    const done = await session.call(call, { group });
    await printDone(session, sentence(printable(group)), { group }, done);
  },
});

/** A verb of a group's owner about one person. */
const memberCommand = (
  use: string,
  call: 'removeMember' | 'acceptRequest' | 'rejectRequest' | 'transferGroup',
  sentence: (group: string, user: string) => string,
  rest: Pick<CommandSpec, 'summary' | 'details'>,
): CommandSpec => ({
  usage: `${use} <group> <user>`,
  json: '{"group", "user", "durability"}',
  ...rest,
  async run(session, { args: [group = '', user = ''] }) {
    const done = await session.call(call, { group, user });
    await printDone(session, sentence(printable(group), printable(user)), { group, user }, done);
  },
});

export const groupCommands: CommandFamily = {
  title: 'Groups:',
  commands: [
    groupCommand(
      'create_group',
      'createGroup',
      (group) => `Created the group ${group}; you own it. Others ask to join with: shoal join_group ${group}`,
      { summary: 'make a group; you decide who joins it' },
    ),
    groupCommand(
      'join_group',
      'joinGroup',
      (group) => `Asked to join ${group}. Its owner decides; \`shoal list_groups\` shows when you are a member.`,
      { summary: 'ask the owner of a group to let you in' },
    ),
    groupCommand('cancel_request', 'cancelRequest', (group) => `Took back your request to join ${group}.`, {
      summary: 'take such a request back',
    }),
    groupCommand(
      'leave_group',
      'leaveGroup',
      (group) => `Left ${group}. Your shares there have stopped; downloaded files stay where they are.`,
      {
        summary: 'leave a group; your shares there stop',
        details: 'When an owner leaves, the member who has been in the group longest becomes its owner.',
      },
    ),
    {
      usage: 'list_groups',
      summary: 'show all groups, and what you are in each',
      json: '[{"group", "name", "role", "owner", "members", "online", "files"}]; role is stranger, applicant, member or owner',
      async run(session) {
        const groups = await readPages<GroupRow>({
          call: 'listGroups',
          nameOf: ({ name }) => name,
          keyOf: nameKey,
          rowsMax: ROWS_READ_MAX,
          page: async (after) => {
            const { groups: rows, more } = await session.call('listGroups', { after });
            return { rows, more };
          },
        });
        if (groups.length === 0) session.note('There are no groups yet. Make one with: shoal create_group NAME');
        session.print(
          groups.length === 0
            ? []
            : table(groups, [
                { title: 'GROUP', of: ({ name }) => name },
                { title: 'YOU ARE', of: ({ role }) => ROLES[role] },
                { title: 'OWNER', of: ({ owner }) => owner },
                { title: 'MEMBERS', align: 'right', of: ({ members }) => members },
                { title: 'ONLINE', align: 'right', of: ({ online }) => online },
                { title: 'FILES', align: 'right', of: ({ files }) => files },
              ]),
          groups,
        );
      },
    },
    {
      usage: 'list_requests <group>',
      summary: 'show who asks to join a group of yours',
      json: '[{"request", "account", "user", "atMs"}]',
      async run(session, { args: [group = ''] }) {
        const requests = await waitingRequests(session, group);
        if (requests.length === 0) session.note(`Nobody asks to join ${printable(group)}.`);
        session.print(
          requests.length === 0
            ? []
            : table(requests, [
                { title: 'USER', of: ({ user }) => user },
                { title: 'ASKED', of: ({ atMs }) => minuteText(atMs) },
              ]),
          requests,
        );
        if (requests.length > 0) {
          session.note(
            `\n${formatCount(requests.length, 'request')}. Answer with: shoal accept_request ${printable(group)} USER, or reject_request`,
          );
        }
      },
    },
    memberCommand('accept_request', 'acceptRequest', (group, user) => `${user} is a member of ${group} now.`, {
      summary: 'let somebody into a group of yours',
    }),
    memberCommand(
      'reject_request',
      'rejectRequest',
      (group, user) => `Rejected the request of ${user} to join ${group}.`,
      { summary: 'do not let somebody in' },
    ),
    memberCommand(
      'remove_member',
      'removeMember',
      (group, user) => `Removed ${user} from ${group}. From now on nobody serves ${user} this group's files.`,
      {
        summary: 'remove somebody from a group of yours',
        details: 'What the member has downloaded already stays with the member.',
      },
    ),
    memberCommand(
      'transfer_group',
      'transferGroup',
      (group, user) => `${user} is the owner of ${group} now; you are a member.`,
      { summary: 'make another member the owner of a group of yours' },
    ),
    {
      usage: 'rename_group <group> <name>',
      summary: 'give a group of yours another name',
      json: '{"group", "durability"}',
      async run(session, { args: [group = '', to = ''] }) {
        await printDone(
          session,
          `${printable(group)} is called ${printable(to)} now.`,
          { group: to },
          await session.call('renameGroup', { group, to }),
        );
      },
    },
    groupCommand(
      'delete_group',
      'deleteGroup',
      (group) => `The group ${group} has ended, for everybody. Files on people's disks stay where they are.`,
      {
        summary: 'end a group of yours for everybody',
        details: 'It needs both trackers of a pair: nobody shall be able to go on with the group at the other one.',
      },
    ),
    {
      usage: 'list_conflicts',
      summary: 'show what you did and did not come to what was meant',
      details:
        'That happens when two things are done at once at two trackers that cannot reach each other, and do not go together.',
      json: '[{"operation", "what", "result", "group", "wanted", "name", "user", "atMs", "isMine"}]',
      async run(session) {
        const { conflicts } = await session.call('listConflicts', {});
        if (conflicts.length === 0) session.note('There are none.');
        session.print(
          conflicts.map((conflict) => `${minuteText(conflict.atMs)}  ${conflictText(conflict)}`),
          conflicts,
        );
      },
    },
  ],
};

const minuteText = (ms: number): string => `${new Date(ms).toISOString().replace('T', ' ').slice(0, 16)} UTC`;

const ROLES = { stranger: '-', applicant: 'waiting', member: 'member', owner: 'owner', other: '?' } as const;

/** @throws ShoalError unknownGroup, notMember, notOwner */
async function waitingRequests(session: Session, group: string): Promise<readonly JoinRequest[]> {
  // says what is wrong with the group, and waits until the tracker has told us of ours
  await session.call('listMembers', { group, after: '' });
  const { overview } = await session.call('status', {});
  const view = overview.groups.find(({ name }) => nameKey(name) === nameKey(group));
  if (view?.role !== 'owner') throw new ShoalError('notOwner', { group });
  return view.requests;
}
