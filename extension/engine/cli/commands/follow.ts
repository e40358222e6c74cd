// Staying with one transfer until it is done: progress, what holds it up, Ctrl-C, and the line at
// its end.
import { printable, ShoalError } from '../../../../protocol/base/errors.ts';
import type { Transfer } from '../../../../protocol/messages/engineLink.ts';
import type { FileRow } from '../../../../protocol/messages/trackerLink.ts';
import type { Timer } from '../../../../protocol/base/world.ts';
import { fromWire } from '../../../../protocol/wire/wireErrors.ts';
import { amount, counted, duration, percent, rate } from '../../../../protocol/frontend/format.ts';
import type { Session } from '../session.ts';

/**
 * How long with nobody to download from until the person is told, in ms: finding peers takes a
 * moment.
 */
const SAY_WAITING_MS = 3_000;
/** With --no-wait, how long peers that the tracker names may take to be reached, in ms. */
const REACH_MS_MAX = 10_000;
/** Exit codes of a program that a signal ended. */
const SIGNAL_EXIT = { SIGINT: 130, SIGTERM: 143 } as const;

/**
 * Whether a download is finished: everything is there and has its name, whether or not it is served
 * now.
 */
export function isComplete({ state, heldPieces, pieces }: Transfer): boolean {
  return state === 'seeding' || state === 'gone' || (state === 'paused' && pieces > 0 && heldPieces === pieces);
}

interface Follow {
  /** What to print when the person leaves. */
  readonly left: (transfer: Transfer | undefined) => string;
  /** Told of every change; gives something when it is over, or throws. */
  readonly look: (transfer: Transfer) => Transfer | undefined;
}

/** The transfer when it is done, or the exit code when the person left. */
async function follow(
  session: Session,
  id: number,
  { left, look }: Follow,
  stop: AbortController,
): Promise<Transfer | number> {
  const watched = await session.watch();
  let exit: number | undefined;
  const stopListening = session.terminal.onInterrupt((signal) => {
    exit = SIGNAL_EXIT[signal];
    stop.abort();
  });
  try {
    return await session.until(() => {
      const transfer = watched.transfers.get(id);
      if (!transfer && watched.isGone(id)) throw new ShoalError('cancelled');
      if (!transfer) return undefined; // its first change is on its way
      if (exit !== undefined) return undefined;
      session.progress.show(transfer);
      noteTrouble(session, transfer);
      if (transfer.state === 'failed' || transfer.state === 'gone') {
        throw transfer.error ? fromWire(transfer.error) : new ShoalError('internal', { why: transfer.state });
      }
      return look(transfer);
    }, stop.signal);
  } catch (error) {
    if (exit === undefined) throw error;
    session.note(left(watched.transfers.get(id)));
    return exit;
  } finally {
    stopListening();
    session.progress.clear();
  }
}

const troubles = new WeakMap<Session, string>();

/**
 * What holds it up for now: a full disk, trackers that cannot be reached, a pause. Each is said
 * once.
 */
function noteTrouble(session: Session, { id, state, error }: Transfer): void {
  const trouble =
    state === 'paused'
      ? `Paused; it goes on with: shoal resume ${id}`
      : error && state !== 'failed' && state !== 'gone'
        ? fromWire(error).message
        : '';
  if (trouble !== '' && troubles.get(session) !== trouble) session.note(trouble);
  troubles.set(session, trouble);
}

export async function followShare(session: Session, id: number, path: string): Promise<number | void> {
  const done = await follow(
    session,
    id,
    {
      left: () => 'The engine goes on and shares it when it is hashed; `shoal status` shows how far it is.',
      look: (transfer) => (transfer.state === 'seeding' ? transfer : undefined), // then the group knows of it
    },
    new AbortController(),
  );
  if (typeof done === 'number') return done;
  const { groupName, name, sizeBytes, root, sha256 } = done;
  session.print(
    [
      `Shared ${printable(name)} in ${printable(groupName)} (${amount(sizeBytes)}). Others get it while your engine runs.`,
      `SHA-256 ${sha256 ?? '?'}`,
    ],
    { transfer: id, group: groupName, name, sizeBytes, root, sha256, path },
  );
}

export interface DownloadWish {
  readonly file: FileRow;
  readonly noWait: boolean;
  /** How long to wait while nobody has it, in s; undefined for as long as it takes. */
  readonly waitS: number | undefined;
}

export async function followDownload(
  session: Session,
  id: number,
  { file, noWait, waitS }: DownloadWish,
): Promise<number | void> {
  const { clock } = session;
  const startedAtMs = clock.monotonicMs();
  const isAnywhere = file.seeders + file.leechers > 0;
  const patienceMs = waitS !== undefined ? waitS * 1000 : noWait ? (isAnywhere ? REACH_MS_MAX : 0) : undefined;
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
          clock.after(SAY_WAITING_MS, () =>
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
        left: (transfer) =>
          `The download goes on in the background${transfer ? ` (${percent(transfer.doneBytes, transfer.sizeBytes)} %)` : ''}. See it with \`shoal show_downloads --long\`; end it with \`shoal cancel ${id}\`.`,
        look: (transfer) => {
          waits(transfer.state === 'waiting');
          if (!resumed && transfer.resumedPieces > 0 && transfer.state === 'downloading') {
            resumed = true;
            session.note(
              `Resumed: ${transfer.resumedPieces} of ${counted(transfer.pieces, 'piece')} were here already and are verified.`,
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
      left: () => 'The list was not fetched.',
      look: (transfer) => (transfer.state === 'choosing' ? transfer : undefined),
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
      left: () => `The engine goes on; see it with \`shoal show_downloads --long\`.`,
      look: (transfer) => (transfer !== stale && isComplete(transfer) ? transfer : undefined),
    },
    new AbortController(),
  );
  if (typeof done === 'number') return done;
  const { name, path, sha256, sizeBytes, pieces, resumedPieces } = done;
  const repairedPieces = pieces - resumedPieces;
  session.print(
    [
      `${printable(path)} was damaged; ${counted(repairedPieces, 'piece')} of ${pieces} came anew, and it is exactly what was shared now (${amount(sizeBytes)}).`,
      `SHA-256 ${sha256 ?? '?'}`,
    ],
    { transfer: id, name, path, sha256, sizeBytes, intact: true, repairedPieces },
  );
}

/** Says that a download was done before. */
export async function printHere(
  session: Session,
  { id, groupName, name, sizeBytes, sha256, path }: Transfer,
): Promise<void> {
  const { sources } = await session.call('sources', { transfer: id });
  session.print([`${printable(path)} is here already, complete (${amount(sizeBytes)}).`, `SHA-256 ${sha256 ?? '?'}`], {
    transfer: id,
    group: groupName,
    name,
    sizeBytes,
    sha256,
    path,
    sources,
  });
}

async function printDownloaded(
  session: Session,
  { id, groupName, name, sizeBytes, sha256, path, ownPieces }: Transfer,
  seconds: number,
): Promise<void> {
  const { sources } = await session.call('sources', { transfer: id });
  const gotBytes = sources.reduce((sum, { bytes }) => sum + bytes, 0); // less than the file's when it was resumed
  const speed = seconds >= 1 && gotBytes > 0 ? ` in ${duration(seconds)} (${rate(gotBytes / seconds)})` : '';
  session.print(
    [
      `Downloaded ${printable(path)} (${amount(sizeBytes)})${speed}.`,
      ...(ownPieces > 0
        ? [`${counted(ownPieces, 'piece')} of it ${ownPieces === 1 ? 'was' : 'were'} in other files here, and copied.`]
        : []),
      ...(sources.length > 0
        ? [
            `From ${sources.map(({ user, pieces }) => `${printable(user)}: ${counted(pieces, 'piece')}`).join(', ')}. You share it now, too.`,
          ]
        : []),
      `SHA-256 ${sha256 ?? '?'}`,
    ],
    { transfer: id, group: groupName, name, sizeBytes, sha256, path, sources },
  );
}
