// Verbs of the engine itself: what it is doing, holding it, ending it.
import { printable } from '../../../../protocol/base/errors.ts';
import { addressText } from '../../../../protocol/base/address.ts';
import type { Downloader, Overview, TrackerState, Transfer } from '../../../../protocol/messages/engineLink.ts';
import { SERVED_MAX } from '../../../../protocol/messages/engineLink.ts';
import { fromWire } from '../../../../protocol/wire/wireErrors.ts';
import { retire } from '../../../../protocol/home/connectEngine.ts';
import { transferTable } from './files.ts';
import { formatCount, formatRate } from '../../../../protocol/frontend/format.ts';
import { table } from '../table.ts';
import { serve } from './serve.ts';
import type { CommandFamily } from './command.ts';

export const engineCommands: CommandFamily = {
  title: 'The engine, which works in the background:',
  commands: [
    {
      usage: 'status',
      summary: 'show trackers, account, groups, transfers and rates',
      details: 'Does not start the engine when it does not run.',
      json: '{"running", "home", "overview": {"program", "processId", "trackerUrl", "trackers", "account", "listening", "groups", …}, "transfers"}',
      async run(session) {
        const home = session.home.folder;
        const engine = await session.runningEngine();
        if (!engine) {
          return session.print(
            [`home       ${home}`, 'engine     does not run; the next command that needs it starts it'],
            { running: false, home },
          );
        }
        const { overview, transfers } = await session.watch();
        const all = [...transfers.values()].sort((a, b) => a.id - b.id);
        session.print(statusLines(home, overview, all), { running: true, home, overview, transfers: all });
      },
    },
    {
      usage: 'uploads',
      summary: 'show who downloads from here at this moment',
      details: `At most ${SERVED_MAX} of them. Who got nothing for a quarter of a minute is not among them. Does not start the engine when it does not run.`,
      json: '[{"user", "group", "name", "bytesPerS"}]',
      async run(session) {
        const engine = await session.runningEngine();
        const { overview } = engine ? await session.watch() : { overview: undefined };
        const served = overview?.served ?? [];
        if (served.length === 0) session.note('Nobody downloads from here now.');
        session.print(
          served.length === 0
            ? []
            : table(served, [
                { title: 'USER', of: ({ user }) => user },
                { title: 'GROUP', of: ({ group }) => group },
                { title: 'NAME', of: ({ name }) => name },
                { title: 'UP', align: 'right', of: ({ bytesPerS }) => (bytesPerS > 0 ? formatRate(bytesPerS) : '-') },
              ]),
          served,
        );
      },
    },
    {
      usage: 'serve',
      summary: 'keep the engine running and print what happens',
      details:
        'For a server, a container or a service manager: the engine runs as long as this does, whoever is signed in. Ctrl-C, or SIGTERM, ends this, and the engine too if this has started it. Sign in once with `shoal login`.',
      json: 'one line for each event: {"event": {"what", "group", "user", "name"}}, {"transfer": {…}}, {"tracker": {…}}',
      run: serve,
    },
    {
      usage: 'stop',
      summary: 'end the engine of this home',
      details:
        'Nothing is shared until it is started again, by the next command or window. What is unfinished goes on then.',
      json: '{"stopped"}; false when none was running',
      async run(session) {
        const engine = await session.runningEngine();
        if (engine) await retire(engine);
        session.print(
          engine ? 'Stopped the engine. What is unfinished goes on when it is started again.' : 'No engine is running.',
          { stopped: engine !== undefined },
        );
      },
    },
  ],
};

export function trackerText({ address, link, inUse, error, pair }: TrackerState): string {
  const state = {
    connecting: 'connecting',
    up: inUse ? 'up, in use' : 'up',
    down: 'down',
    refused: 'refused',
    other: '?',
  }[link];
  const whole = {
    whole: ', has the other one',
    apart: ', does not reach the other one',
    alone: '',
    unknown: '',
    other: '',
  }[pair];
  return `${printable(addressText(address))}  ${state}${error ? `: ${fromWire(error).message}` : whole}`;
}

const uploadText = ({ user, group, name, bytesPerS }: Downloader): string =>
  `${printable(name)} in ${printable(group)} to ${printable(user)}${bytesPerS > 0 ? `, ${formatRate(bytesPerS)}` : ''}`;

/** What `status` shows. */
export function statusLines(home: string, overview: Overview, transfers: readonly Transfer[]): readonly string[] {
  const {
    program,
    processId,
    trackerUrl,
    trackers,
    account,
    listening,
    groups,
    downBytesPerS,
    upBytesPerS,
    downLimitBytesPerS,
    upLimitBytesPerS,
    outbox,
    keepSharing,
    activeDownloads,
    served,
  } = overview;
  const limit = (bytesPerS: number): string => (bytesPerS > 0 ? ` (limit ${formatRate(bytesPerS)})` : '');
  const rows = (title: string, values: readonly string[]): readonly string[] =>
    values.map((value, i) => `${(i === 0 ? title : '').padEnd(11)}${value}`);
  return [
    ...rows('home', [home]),
    ...rows('engine', [`${printable(program)}, process ${processId}`]),
    ...rows('realm', [trackerUrl === '' ? 'none; name a tracker with --tracker' : printable(trackerUrl)]),
    ...rows('trackers', trackers.map(trackerText)),
    ...rows('account', [account ? printable(account.user) : 'not signed in; use login']),
    ...rows('listening', listening.length > 0 ? listening.map((address) => printable(addressText(address))) : ['no']),
    ...rows(
      'groups',
      groups.length === 0
        ? ['none']
        : groups.map(({ name, role, owner, members, requests }) => {
            const waiting = requests.length > 0 ? `, ${formatCount(requests.length, 'request')} waiting` : '';
            return `${printable(name)}  ${role === 'applicant' ? 'asked to join' : role}, ${formatCount(members, 'member')}${role === 'owner' ? waiting : `, owner ${printable(owner)}`}`;
          }),
    ),
    ...rows('rates', [
      `down ${formatRate(downBytesPerS)}${limit(downLimitBytesPerS)}, up ${formatRate(upBytesPerS)}${limit(upLimitBytesPerS)}`,
    ]),
    ...rows('uploads', served.map(uploadText)),
    ...(activeDownloads > 0 ? rows('at once', [formatCount(activeDownloads, 'download')]) : []),
    ...(keepSharing ? rows('stays', ['yes, to serve others when no window is open (--keep-sharing)']) : []),
    ...(outbox > 0 ? rows('outbox', [`${formatCount(outbox, 'change')} that only one tracker has yet`]) : []),
    ...(transfers.length > 0 ? ['', ...transferTable(transfers), ...problemLines(transfers)] : []),
  ];
}

const problemLines = (transfers: readonly Transfer[]): readonly string[] =>
  transfers.flatMap(({ id, error }) => (error ? [`${id}: ${fromWire(error).message}`] : []));
