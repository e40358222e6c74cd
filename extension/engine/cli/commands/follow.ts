// Staying with one transfer until it is done: progress, what holds it up, Ctrl-C, and the line at
// its end.
import { printable, ShoalError } from '../../../../protocol/base/errors.ts';
import type { Transfer } from '../../../../protocol/messages/engineLink.ts';
import type { FileRow } from '../../../../protocol/messages/trackerLink.ts';
import type { Timer } from '../../../../protocol/base/world.ts';
import { fromWire } from '../../../../protocol/wire/wireErrors.ts';
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatPercent,
  formatRate,
} from '../../../../protocol/frontend/format.ts';
import { isComplete } from '../../../../protocol/frontend/transferState.ts';
import type { Session } from '../session.ts';

/**
 * How long with nobody to download from until the person is told, in ms: finding peers takes a
 * moment.
 */
const WAITING_NOTE_MS = 3_000;
/** With --no-wait, how long peers that the tracker names may take to be reached, in ms. */
const PEER_SEARCH_MS_MAX = 10_000;
/** Exit codes of a program that a signal ended. */
const SIGNAL_EXIT = { SIGINT: 130, SIGTERM: 143 } as const;

interface FollowOptions {
  /** What to print when the person leaves. */
  readonly onInterrupt: (transfer: Transfer | undefined) => string;
  /** Told of every change; gives something when it is over, or throws. */
  readonly onUpdate: (transfer: Transfer) => Transfer | undefined;
}

/** The transfer when it is done, or the exit code when the person left. */
async function follow(
  session: Session,
  id: number,
  { onInterrupt, onUpdate }: FollowOptions,
  stop: AbortController,
): Promise<Transfer | number> {
  const mirror = await session.watch();
  let exit: number | undefined;
  const stopListening = session.terminal.onInterrupt((signal) => {
    exit = SIGNAL_EXIT[signal];
    stop.abort();
  });
  try {
    return await session.until(() => {
      const transfer = mirror.transfers.get(id);
      if (!transfer && mirror.isGone(id)) throw new ShoalError('cancelled');
      if (!transfer) return undefined; // its first change is on its way
      if (exit !== undefined) return undefined;
      session.progress.show(transfer);
      noteError(session, transfer);
      if (transfer.state === 'failed' || transfer.state === 'gone') {
        throw transfer.error ? fromWire(transfer.error) : new ShoalError('internal', { why: transfer.state });
      }
      return onUpdate(transfer);
    }, stop.signal);
  } catch (error) {
    if (exit === undefined) throw error;
    session.note(onInterrupt(mirror.transfers.get(id)));
    return exit;
  } finally {
    stopListening();
    session.progress.clear();
  }
}

const notedErrors = new WeakMap<Session, string>();

/**
 * What holds it up for now: a full disk, trackers that cannot be reached, a pause. Each is said
 * once.
 */
function noteError(session: Session, { id, state, error }: Transfer): void {
  const trouble =
    state === 'paused'
      ? `Paused; it goes on with: shoal resume ${id}`
      : error && state !== 'failed' && state !== 'gone'
        ? fromWire(error).message
        : '';
  if (trouble !== '' && notedErrors.get(session) !== trouble) session.note(trouble);
  notedErrors.set(session, trouble);
}

export async function followShare(session: Session, id: number, path: string): Promise<number | void> {
  const done = await follow(
    session,
    id,
    {
      onInterrupt: () => 'The engine goes on and shares it when it is hashed; `shoal status` shows how far it is.',
      onUpdate: (transfer) => (transfer.state === 'seeding' ? transfer : undefined), // then the group knows of it
    },
    new AbortController(),
  );
  if (typeof done === 'number') return done;
  const { groupName, name, sizeBytes, root, sha256 } = done;
  session.print(
    [
      `Shared ${printable(name)} in ${printable(groupName)} (${formatBytes(sizeBytes)}). Others get it while your engine runs.`,
      `SHA-256 ${sha256 ?? '?'}`,
    ],
    { transfer: id, group: groupName, name, sizeBytes, root, sha256, path },
  );
}

export interface FollowDownloadOptions {
  readonly file: FileRow;
  readonly noWait: boolean;
  /** How long to wait while nobody has it, in s; undefined for as long as it takes. */
  readonly waitS: number | undefined;
}

export async function followDownload(
  session: Session,
  id: number,
  { file, noWait, waitS }: FollowDownloadOptions,
): Promise<number | void> {
  const { clock } = session;
  const startedAtMs = clock.monotonicMs();
  const isAnywhere = file.seeders + file.leechers > 0;
  const patienceMs = waitS !== undefined ? waitS * 1000 : noWait ? (isAnywhere ? PEER_SEARCH_MS_MAX : 0) : undefined;
  const stop = new AbortController();
  let nobody = false;
  let timers: readonly Timer[] = [];
  let resumed = false;

  const waits = (isWaiting: boolean): void => {
    if (isWaiting === timers.length > 0) return;
    for (const timer of timers) timer.cancel();
    timers = !isWaiting
      ? []
      : [
          clock.after(WAITING_NOTE_MS, () =>
            session.note(
              `Nobody who is online has ${printable(file.name)}; waiting until somebody comes. Ctrl-C leaves the waiting to the engine.`,
            ),
          ),
          ...(patienceMs === undefined
            ? []
            : [
                clock.after(patienceMs, () => {
                  nobody = true;
                  stop.abort();
                }),
              ]),
        ];
  };
  try {
    const done = await follow(
      session,
      id,
      {
        onInterrupt: (transfer) => {
          const done = transfer ? ` (${formatPercent(transfer.doneBytes, transfer.sizeBytes)} %)` : '';
          return (
            `The download goes on in the background${done}. ` +
            `See it with \`shoal show_downloads --long\`; end it with \`shoal cancel ${id}\`.`
          );
        },
        onUpdate: (transfer) => {
          waits(transfer.state === 'waiting');
          if (!resumed && transfer.resumedPieces > 0 && transfer.state === 'downloading') {
            resumed = true;
            session.note(
              `Resumed: ${transfer.resumedPieces} of ${formatCount(transfer.pieces, 'piece')} were here already and are verified.`,
            );
          }
          return isComplete(transfer) ? transfer : undefined;
        },
      },
      stop,
    );
    if (typeof done === 'number') return done;
    await printDownloaded(session, done, (clock.monotonicMs() - startedAtMs) / 1000);
  } catch (error) {
    throw nobody ? new ShoalError('nobodyHasIt', { name: file.name }) : error;
  } finally {
    waits(false);
  }
}

/** Waits for the list of a folder. The exit code when the person left. */
export async function followList(session: Session, id: number): Promise<number | undefined> {
  const done = await follow(
    session,
    id,
    {
      onInterrupt: () => 'The list was not fetched.',
      onUpdate: (transfer) => (transfer.state === 'choosing' ? transfer : undefined),
    },
    new AbortController(),
  );
  return typeof done === 'number' ? done : undefined;
}

export async function followRepair(session: Session, id: number): Promise<number | void> {
  const stale = (await session.watch()).transfers.get(id); // it has begun, but that may not have been told yet
  const done = await follow(
    session,
    id,
    {
      onInterrupt: () => `The engine goes on; see it with \`shoal show_downloads --long\`.`,
      onUpdate: (transfer) => (transfer !== stale && isComplete(transfer) ? transfer : undefined),
    },
    new AbortController(),
  );
  if (typeof done === 'number') return done;
  const { name, path, sha256, sizeBytes, pieces, resumedPieces } = done;
  const repairedPieces = pieces - resumedPieces;
  session.print(
    [
      `${printable(path)} was damaged; ${formatCount(repairedPieces, 'piece')} of ${pieces} came anew, ` +
        `and it is exactly what was shared now (${formatBytes(sizeBytes)}).`,
      `SHA-256 ${sha256 ?? '?'}`,
    ],
    { transfer: id, name, path, sha256, sizeBytes, intact: true, repairedPieces },
  );
}

/** Says that a download was done before. */
export async function printAlreadyHere(
  session: Session,
  { id, groupName, name, sizeBytes, sha256, path }: Transfer,
): Promise<void> {
  const { sources } = await session.call('sources', { transfer: id });
  session.print(
    [`${printable(path)} is here already, complete (${formatBytes(sizeBytes)}).`, `SHA-256 ${sha256 ?? '?'}`],
    {
      transfer: id,
      group: groupName,
      name,
      sizeBytes,
      sha256,
      path,
      sources,
    },
  );
}

async function printDownloaded(
  session: Session,
  { id, groupName, name, sizeBytes, sha256, path, ownPieces }: Transfer,
  seconds: number,
): Promise<void> {
  const { sources } = await session.call('sources', { transfer: id });
  const peers = sources.map(({ user, pieces }) => `${printable(user)}: ${formatCount(pieces, 'piece')}`);
  const gotBytes = sources.reduce((sum, { bytes }) => sum + bytes, 0); // less than the file's when it was resumed
  const speed =
    seconds >= 1 && gotBytes > 0 ? ` in ${formatDuration(seconds)} (${formatRate(gotBytes / seconds)})` : '';
  session.print(
    [
      `Downloaded ${printable(path)} (${formatBytes(sizeBytes)})${speed}.`,
      ...(ownPieces > 0
        ? [
            `${formatCount(ownPieces, 'piece')} of it ${ownPieces === 1 ? 'was' : 'were'} in other files here, and copied.`,
          ]
        : []),
      ...(sources.length > 0 ? [`From ${peers.join(', ')}. You share it now, too.`] : []),
      `SHA-256 ${sha256 ?? '?'}`,
    ],
    { transfer: id, group: groupName, name, sizeBytes, sha256, path, sources },
  );
}
