// `serve`: holds the engine and prints what happens, until it is told to end. Starts the engine
// again if it breaks.
import type { EngineEvent, Transfer } from '../../../../protocol/messages/engineLink.ts';
import { asShoalError, printable } from '../../../../protocol/base/errors.ts';
import { addressText } from '../../../../protocol/base/address.ts';
import { fromWire } from '../../../../protocol/wire/wireErrors.ts';
import { retire } from '../../../../protocol/home/connectEngine.ts';
import { wait } from '../../../../protocol/async/wait.ts';
import { trackerText } from '../statusText.ts';
import { formatBytes, formatCount } from '../../../../protocol/frontend/format.ts';
import { jsonLine } from '../table.ts';
import { conflictText } from '../conflictText.ts';
import type { Session } from '../session.ts';

/** How long after an engine that broke another is started, in ms. */
const RECONNECT_MS = 2_000;

export async function serve(session: Session): Promise<number | void> {
  const stop = new AbortController();
  const stopListening = session.terminal.onInterrupt(() => stop.abort());
  const print = linePrinter(session);
  const unlisten = session.mirror.onEvent((event) => print(eventText(event), { event }));
  try {
    for (;;) {
      const engine = await session.engine();
      await session.watch();
      const { overview } = session.mirror;
      const ends = engine.started ? 'Ctrl-C ends it' : 'it was running already and stays when this ends';
      print(
        `serving ${session.home.folder} with ${printable(overview.program)}, process ${overview.processId}; ${ends}`,
        { serving: { home: session.home.folder, processId: overview.processId, started: engine.started } },
      );
      const unwatch = printChanges(session, print);
      const abort = new Promise<'told'>((resolve) =>
        stop.signal.addEventListener('abort', () => resolve('told'), { once: true }),
      );
      const end = stop.signal.aborted ? 'told' : await Promise.race([engine.connection.whenEnded, abort]);
      unwatch();
      if (end === 'told') {
        if (engine.started) await retire(engine);
        print(engine.started ? 'the engine has ended' : 'no longer watching; the engine goes on', {
          ended: engine.started,
        });
        return;
      }
      if (end.clean) return print('the engine was stopped', { ended: true });
      print(`the engine ended unexpectedly (${end.error?.message ?? ''}); starting it again`, { broke: true });
      session.release();
      await wait(session.clock, RECONNECT_MS, stop.signal);
    }
  } catch (error) {
    if (!stop.signal.aborted) throw asShoalError(error);
  } finally {
    unlisten();
    stopListening();
  }
}

type PrintLine = (sentence: string, json: object) => void;

function linePrinter(session: Session): PrintLine {
  return (sentence, json) => {
    const at = new Date(session.clock.now());
    if (session.json) return session.terminal.out(jsonLine({ atMs: at.getTime(), ...json }));
    const two = (value: number): string => String(value).padStart(2, '0');
    session.terminal.out(`${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())} ${sentence}\n`);
  };
}

/** Says what is different from the last look; the first look is all different. */
function printChanges(session: Session, print: PrintLine): () => void {
  const { mirror } = session;
  const printed = new Map<string, string>();
  const once = (key: string, sentence: string, json: object): void => {
    if (printed.get(key) === sentence) return;
    printed.set(key, sentence);
    print(sentence, json);
  };
  const printAll = (): void => {
    const { account, trackers, listening } = mirror.overview;
    for (const tracker of trackers) {
      if (tracker.link !== 'connecting') {
        once(`tracker ${addressText(tracker.address)}`, `tracker ${trackerText(tracker)}`, { tracker });
      }
    }
    once('account', account ? `signed in as ${printable(account.user)}` : 'not signed in; use `shoal login`', {
      account: account ?? null,
    });
    const port = listening[0]?.port;
    if (port !== undefined) once('listening', `listening for peers on port ${port}`, { listening });
    for (const transfer of mirror.transfers.values()) {
      once(`transfer ${transfer.id}`, transferText(transfer), { transfer });
    }
  };
  printAll();
  return mirror.onChange(printAll);
}

function transferText({ name, groupName, kind, state, sizeBytes, peers, path, error }: Transfer): string {
  const what = `${printable(name)} in ${printable(groupName)}`;
  if (error && (state === 'failed' || state === 'gone')) return `${what}: ${fromWire(error).message}`;
  switch (state) {
    case 'hashing':
      return `hashing ${what} (${formatBytes(sizeBytes)})`;
    case 'checking':
      return `checking ${what}`;
    case 'waiting':
      return `waiting for somebody who has ${what}`;
    case 'downloading':
      return `downloading ${what}${peers > 0 ? ` from ${formatCount(peers, 'peer')}` : ''}`;
    case 'seeding':
      return kind === 'share' ? `sharing ${what}` : `${what} is complete and shared: ${printable(path)}`;
    case 'paused':
      return `paused ${what}`;
    default:
      return `${what}: ${state}`;
  }
}

/** An event as a sentence. */
export function eventText({ what, group, user, name, conflict }: Omit<EngineEvent, 'id'>): string {
  const [inGroup, who, file] = [printable(group), printable(user), printable(name)];
  switch (what) {
    case 'requestReceived':
      return `${who} asks to join ${inGroup}: shoal accept_request ${inGroup} ${who}`;
    case 'accepted':
      return `you are a member of ${inGroup} now`;
    case 'rejected':
      return `your request to join ${inGroup} was rejected`;
    case 'removed':
      return `you were removed from ${inGroup}`;
    case 'signedOut':
      return 'you were signed out';
    case 'downloaded':
      return `downloaded ${file} of ${inGroup}`;
    case 'failed':
      return `${file} of ${inGroup} has failed`;
    case 'renamed':
    case 'conflict':
      return conflict ? conflictText(conflict) : what;
    default:
      return `something happened that this version does not know (${inGroup} ${who} ${file})`;
  }
}
