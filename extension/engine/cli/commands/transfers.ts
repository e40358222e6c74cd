// Verbs of transfers, named by group and file or by number.
import { printable, ShoalError } from '../../../../protocol/base/errors.ts';
import type { Priority, QueueMove, Transfer } from '../../../../protocol/messages/engineLink.ts';
import { parseCount, parseRate, parseWord } from '../arguments.ts';
import { MODES } from './files.ts';
import { followRepair } from './follow.ts';
import { formatBytes } from '../../../../protocol/frontend/format.ts';
import { isComplete, isUnfinished } from '../../../../protocol/frontend/transferState.ts';
import { TRANSFER_ARGUMENT_HELP, findTransfer, findTransfers } from './transferArguments.ts';
import type { Session } from '../session.ts';
import { showSwarm } from './swarm.ts';
import { LONG_CALL_MS_MAX } from '../session.ts';
import type { CommandInput, CommandFamily } from './command.ts';

const SEVERAL_TRANSFERS_HELP = `${TRANSFER_ARGUMENT_HELP} Several by their numbers.`;
const PRIORITIES: readonly Priority[] = ['high', 'normal', 'low'];
const MOVES: readonly QueueMove[] = ['top', 'up', 'down', 'bottom'];

export const transferCommands: CommandFamily = {
  title: 'Downloads under way:',
  commands: [
    {
      usage: 'pause [what...]',
      summary: 'pause a download',
      details: SEVERAL_TRANSFERS_HELP,
      json: '{"transfer", "state": "paused"}; with several numbers or --all a list of these',
      options: [['--all', 'every download that is not finished']],
      examples: ['pause team dump.sql', 'pause 3', 'pause 3 5 8', 'pause --all'],
      run: (session, input) =>
        forEachTransfer(session, input, isRunning, async (transfer) => {
          const { id, name } = transfer;
          if (!isUnfinished(transfer)) {
            throw new ShoalError('usage', { why: `${name} is not being downloaded; to end sharing it use stop_share` });
          }
          await session.call('pause', { transfer: id });
          return [`Paused ${printable(name)}; it goes on with: shoal resume ${id}`, { transfer: id, state: 'paused' }];
        }),
    },
    {
      usage: 'resume [what...]',
      summary: 'go on with a paused or failed one',
      details: SEVERAL_TRANSFERS_HELP,
      json: '{"transfer", "state": "resumed"}; with several numbers or --all a list of these',
      options: [['--all', 'every download that is paused or has failed']],
      run: (session, input) =>
        forEachTransfer(
          session,
          input,
          ({ kind, state }) => kind === 'download' && (state === 'paused' || state === 'failed'),
          async ({ id, name }) => {
            await session.call('resume', { transfer: id });
            return [`Going on with ${printable(name)}.`, { transfer: id, state: 'resumed' }];
          },
        ),
    },
    {
      usage: 'cancel [what...]',
      summary: 'forget a download and delete what is unfinished',
      json: '{"transfer", "state": "cancelled"}; with several numbers or --all a list of these',
      details: `${SEVERAL_TRANSFERS_HELP} A finished file stays where it is.`,
      options: [['--all', 'every download that is not finished']],
      run: (session, input) =>
        forEachTransfer(session, input, isUnfinished, async (transfer) => {
          const { id, name, kind } = transfer;
          if (kind === 'share') {
            throw new ShoalError('usage', { why: `${name} is a share of yours; end it with stop_share` });
          }
          await session.call('cancelTransfer', { transfer: id });
          return [
            isComplete(transfer)
              ? `Forgot ${printable(name)}, which was complete: the file stays, you do not share it any more.`
              : `Cancelled ${printable(name)}.`,
            { transfer: id, state: 'cancelled' },
          ];
        }),
    },
    {
      usage: 'set [group|number] [name]',
      summary: 'change how a download goes, or limits for all together',
      details:
        `${TRANSFER_ARGUMENT_HELP} Without one, --down, --up and --active count for all together. All is ` +
        'remembered. A download keeps both limits, its own and the common one; a share takes --up alone.',
      json: '{"transfer", …what was set}',
      options: [
        ['--down <rate>', 'most bytes per second to download, such as 500k or 2M, 0 for no limit'],
        ['--up <rate>', 'the same for upload'],
        ['--priority <priority>', `whose turn comes first: ${PRIORITIES.join(', ')}`],
        ['--move <where>', `its place among those of its priority: ${MOVES.join(', ')}`],
        ['--move-to <number>', 'to where another download stands, and to its priority'],
        ['--mode <mode>', `which pieces first: ${MODES.join(', ')}`],
        ['--active <count>', 'how many downloads fetch at once, 0 for no limit'],
      ],
      examples: [
        'set 3 --priority high --down 2M',
        'set team dump.sql --move top',
        'set --down 10M --up 1M --active 3',
      ],
      run: setTransferOptions,
    },
    {
      usage: 'swarm <group|number> [name]',
      summary: 'show who has which pieces of a file, and why it is not faster',
      details: TRANSFER_ARGUMENT_HELP,
      json:
        '{"transfer", "group", "name", "state", "pieces", "heldPieces", …, "why": [{"is", …}], ' +
        '"sentences", "nowhere", "peers": [{"user", "pin", "state", "pieces", "downBytesPerS", …}], ' +
        '"cellPieces", "cells"}',
      examples: ['swarm team dump.sql', 'swarm 3 --json'],
      run: showSwarm,
    },
    {
      usage: 'verify <group|number> [name]',
      summary: 'read a file again and compare it with what was shared',
      json: '{"transfer", "name", "path", "sha256", "sizeBytes", "intact": true, "repairedPieces"}',
      details: `${TRANSFER_ARGUMENT_HELP} Exit code 6 when it differs.`,
      options: [['--repair', 'fetch again what is wrong in a download; the file is replaced only when it is right']],
      async run(session, { args, options }) {
        const { id, name, path } = await findTransfer(session, args);
        if (!session.json && session.terminal.hasScreen) session.terminal.err(`Reading ${printable(path)} …\n`);
        const { sha256, sizeBytes, repairing } = await session.call(
          'verify',
          { transfer: id, repair: options['repair'] === true },
          LONG_CALL_MS_MAX,
        );
        if (repairing) return followRepair(session, id);
        session.print(
          [`${printable(path)} is exactly what was shared (${formatBytes(sizeBytes)}).`, `SHA-256 ${sha256}`],
          {
            transfer: id,
            name,
            path,
            sha256,
            sizeBytes,
            intact: true,
            repairedPieces: 0,
          },
        );
      },
    },
  ],
};

const isRunning = (transfer: Transfer): boolean =>
  isUnfinished(transfer) && transfer.state !== 'paused' && transfer.state !== 'failed';

/**
 * Does something to every transfer that was named, and prints a line for each. @throws ShoalError
 * unknownDownload, usage
 */
async function forEachTransfer(
  session: Session,
  { args, options }: CommandInput,
  fits: (transfer: Transfer) => boolean,
  run: (transfer: Transfer) => Promise<readonly [line: string, json: object]>,
): Promise<void> {
  const isAll = options['all'] === true;
  if (isAll && args.length > 0) throw new ShoalError('usage', { why: 'name downloads, or say --all, not both' });
  const named = isAll ? await matchingTransfers(session, fits) : await findTransfers(session, args);
  const done: (readonly [string, object])[] = [];
  for (const transfer of named) done.push(await run(transfer));
  if (isAll && done.length === 0) session.note('There is none.');
  session.print(
    done.map(([line]) => line),
    isAll || args.length > 2 || named.length > 1 ? done.map(([, json]) => json) : done[0]?.[1],
  );
}

async function matchingTransfers(
  session: Session,
  fits: (transfer: Transfer) => boolean,
): Promise<readonly Transfer[]> {
  const { overview, transfers } = await session.watch();
  if (!overview.account) throw new ShoalError('notSignedIn');
  return [...transfers.values()].filter(fits).sort((a, b) => a.id - b.id);
}

async function setTransferOptions(session: Session, { args, options }: CommandInput): Promise<void> {
  const parseOption = <T>(name: string, parse: (text: string) => T): T | undefined =>
    options[name] === undefined ? undefined : parse(String(options[name]));
  const limits = { downLimitBytesPerS: parseOption('down', parseRate), upLimitBytesPerS: parseOption('up', parseRate) };
  const own = {
    priority: parseOption('priority', (text) => parseWord('--priority', PRIORITIES, text)),
    move: parseOption('move', (text) => parseWord('--move', MOVES, text)),
    moveTo: options['moveTo'] === undefined ? undefined : (await findTransfer(session, [String(options['moveTo'])])).id,
    mode: parseOption('mode', (text) => parseWord('--mode', MODES, text)),
  };
  const activeDownloads = parseOption('active', (text) => parseCount('--active', text));
  const isSet = (values: object): boolean => Object.values(values).some((value) => value !== undefined);
  if (!isSet({ ...limits, ...own, activeDownloads })) {
    throw new ShoalError('usage', { why: 'say what to set; `shoal help set` shows it' });
  }
  if (args.length === 0) {
    if (isSet(own)) {
      throw new ShoalError('usage', { why: 'name the download whose priority, place or mode this shall be' });
    }
    await session.call('configure', {
      ...limits,
      activeDownloads,
      listenHost: undefined,
      listenPort: undefined,
      keepSharing: undefined,
    });
    return session.print('Set for all transfers together.', { ...limits, activeDownloads });
  }
  if (activeDownloads !== undefined) throw new ShoalError('usage', { why: '--active is for all downloads together' });
  const { id, name } = await findTransfer(session, args);
  await session.call('adjust', { transfer: id, ...limits, ...own });
  session.print(`Set for ${printable(name)}.`, { transfer: id, ...limits, ...own });
}
