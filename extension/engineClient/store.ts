// The one writer of a window's state: its link to the engine, and what the engine tells over it.
// Whoever wants something of the engine asks here; whoever shows something listens here.
import type { Connection } from '../../protocol/wire/connection.ts';
import type { EngineCalls, EngineEvent, engineLink, Overview } from '../../protocol/messages/engineLink.ts';
import { asShoalError, isShoalError, ShoalError } from '../../protocol/base/errors.ts';
import type { GroupId } from '../../protocol/base/ids.ts';
import type { FrontendHandlers } from '../../protocol/home/connectEngine.ts';
import { EngineMirror } from '../../protocol/frontend/engineMirror.ts';
import type { MirrorChange } from '../../protocol/frontend/engineMirror.ts';
import { READ_MS_MAX } from '../../protocol/frontend/readAhead.ts';
import type { BodyOf, ReplyOf } from '../../protocol/wire/table.ts';
import type { GroupView } from '../../protocol/messages/trackerLink.ts';
import type { Clock, Log } from '../../protocol/base/world.ts';
import { Emitter } from '../../protocol/async/emitter.ts';
import { wait } from '../../protocol/async/wait.ts';
import type { EngineLauncher } from './engineLauncher.ts';
import { Listings } from './listings.ts';
import type { WindowState } from '../state/state.ts';
import { INITIAL_STATE } from '../state/state.ts';
import { SwarmSubscriptions } from './swarmSubscriptions.ts';

type EngineLinkHere = Connection<typeof engineLink, 'frontend'>;

/**
 * How long an answer may take that needs a tracker, in ms: the engine may try both before it says
 * that it cannot.
 */
const CALL_MS_MAX = 60_000;
/** How long a call may take that reads whole files, in ms: a day. */
const LONG_CALL_MS_MAX = 86_400_000;
/**
 * How long a window looks for the successor of an engine that left cleanly, in ms: another window
 * may be updating it.
 */
const SUCCESSOR_MS = 3_000;
/** An engine that breaks so often within a minute is not started again without a person's word. */
const RESTARTS_PER_MINUTE_MAX = 3;

/** What the store needs of a launcher. */
export type Launcher = Pick<
  EngineLauncher,
  'home' | 'place' | 'isEngineHere' | 'connect' | 'find' | 'homeSummary' | 'close'
>;

export interface StoreOptions {
  readonly launcher: Launcher;
  readonly clock: Clock;
  readonly log: Log;
  /** What to tell an engine that this window has just met: the person's settings. */
  readonly introduce: (connection: EngineLinkHere) => Promise<void>;
}

export class Store {
  state: WindowState = INITIAL_STATE;
  readonly listings: Listings;
  /** Swarms that somebody looks at. */
  readonly swarms = new SwarmSubscriptions((body) =>
    this.#connection?.call('watchSwarm', body, { deadlineMs: CALL_MS_MAX }),
  );
  readonly #options: StoreOptions;
  /** What the engine says; `state` also says what is known while there is none. */
  readonly #mirror = new EngineMirror();
  readonly #changes = new Emitter<[state: WindowState, before: WindowState]>();
  readonly #events = new Emitter<[event: EngineEvent]>();
  #connection: EngineLinkHere | undefined;
  #connecting: Promise<EngineLinkHere> | undefined;
  #crashesMs: number[] = [];
  #closed = false;

  constructor(options: StoreOptions) {
    this.#options = options;
    this.listings = new Listings({
      call: (name, body) => this.call(name, body),
      change: (apply) => this.#set(apply(this.state)),
      state: () => this.state,
    });
    this.#mirror.onChange((change) => this.#onMirrorChange(change));
    this.#mirror.onEvent((event) => this.#events.emit(event));
  }

  /** Called at every change, with the state before. Returns how to stop it. */
  onChange(listener: (state: WindowState, before: WindowState) => void): () => void {
    return this.#changes.on(listener);
  }
  onEvent(listener: (event: EngineEvent) => void): () => void {
    return this.#events.on(listener);
  }

  /**
   * Resolves with the first state in which something is found. @throws ShoalError cancelled, or
   * what `find` throws
   */
  until<T>(find: (state: WindowState) => T | undefined, signal?: AbortSignal): Promise<T> {
    return new Promise((resolve, reject) => {
      const finish = (settle: () => void): void => {
        stop();
        signal?.removeEventListener('abort', onAbort);
        settle();
      };
      const onAbort = (): void => finish(() => reject(new ShoalError('cancelled')));
      const check = (): void => {
        try {
          const found = find(this.state);
          if (found !== undefined) finish(() => resolve(found));
        } catch (error) {
          finish(() => reject(asShoalError(error)));
        }
      };
      const stop = this.onChange(check);
      signal?.addEventListener('abort', onAbort);
      if (signal?.aborted) onAbort();
      else check();
    });
  }

  /** Looks whether somebody is signed in; only then an engine is needed. */
  async begin(): Promise<void> {
    const { isSignedIn, knowsTracker } = await this.#options.launcher.homeSummary();
    if (this.#closed || this.#connection || this.#connecting) return;
    if (isSignedIn) {
      void this.connect().catch(() => undefined);
    } // the state says what went wrong
    else {
      this.#set({
        engine: this.state.engine === 'unknown' || this.state.engine === 'idle' ? 'idle' : this.state.engine,
        knowsTracker,
      });
    }
  }

  /** The engine, started if need be. @throws ShoalError */
  connect(): Promise<EngineLinkHere> {
    if (this.#connection?.isOpen) return Promise.resolve(this.#connection);
    if (this.#connecting) return this.#connecting;
    const connecting = this.#connect();
    this.#connecting = connecting;
    const isOver = (): void => {
      if (this.#connecting === connecting) this.#connecting = undefined;
    };
    connecting.then(isOver, isOver);
    return connecting;
  }

  /** Asks the engine; `isLong` for what reads a whole file. @throws ShoalError */
  async call<K extends EngineCalls>(
    name: K,
    body: BodyOf<typeof engineLink, K>,
    { isLong = false, signal }: { readonly isLong?: boolean; readonly signal?: AbortSignal } = {},
  ): Promise<ReplyOf<typeof engineLink, K>> {
    const connection = await this.connect();
    return connection.call(name, body, {
      deadlineMs: isLong ? LONG_CALL_MS_MAX : CALL_MS_MAX,
      ...(signal && { signal }),
    });
  }

  /** Bytes of a shared file, into memory; how many there were. @throws ShoalError */
  async read(body: BodyOf<typeof engineLink, 'read'>, into: Uint8Array, signal: AbortSignal): Promise<number> {
    const connection = await this.connect();
    return (await connection.call('read', body, { into, signal, deadlineMs: READ_MS_MAX })).rawBytes;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#changes.clear();
    this.#events.clear();
    this.listings.close();
    await this.#options.launcher.close();
    this.#connection?.close();
  }

  async #connect(): Promise<EngineLinkHere> {
    const { launcher } = this.#options;
    this.#set({ engine: 'connecting', failure: undefined });
    try {
      return await this.#useConnection(await launcher.connect(this.#handlers()));
    } catch (error) {
      const failure = asShoalError(error);
      this.#options.log.error('engine unavailable', { error: failure });
      this.#set({ engine: failure.code === 'engineNewer' ? 'outdated' : 'failed', failure });
      throw failure;
    }
  }

  async #useConnection({
    connection,
    version,
    processId,
    started,
  }: {
    connection: EngineLinkHere;
    version: string;
    processId: number;
    started: boolean;
  }): Promise<EngineLinkHere> {
    this.#connection = connection;
    this.#mirror.reset();
    void connection.whenEnded.then(({ clean }) => this.#ended(connection, clean));
    // A setting that the engine cannot take must not cost the person the engine.
    await this.#options
      .introduce(connection)
      .catch((error: unknown) =>
        this.#options.log.warn('engine refused the settings', { why: asShoalError(error).message }),
      );
    await this.#mirror.start(connection, { deadlineMs: CALL_MS_MAX }).catch((error: unknown) => {
      // Whoever asks next shall meet the engine anew, not use a link that tells nothing.
      if (this.#connection === connection) this.#connection = undefined;
      connection.close();
      throw error;
    });
    this.#options.log.info('engine connected', { version, processId, started });
    this.#set({
      ...withOverview(this.state, this.#mirror.overview),
      engine: 'up',
      isEngineHere: this.#options.launcher.isEngineHere,
      transfers: this.#mirror.transfers,
    });
    this.listings.refresh();
    this.swarms.renew();
    return connection;
  }

  #handlers(): FrontendHandlers {
    return {
      ...this.#mirror.handlers,
      presenceChanged: ({ groups }) => this.listings.presenceChanged(groups),
      swarmChanged: (view) => this.swarms.onView(view),
    };
  }

  #onMirrorChange(change: MirrorChange): void {
    if (change.is === 'overview') {
      this.#set(withOverview(this.state, this.#mirror.overview));
      this.listings.refresh();
      return;
    }
    const { changed, before } = change;
    this.#set({ transfers: this.#mirror.transfers });
    // Who seeds has changed.
    if (changed.some(({ id, state }) => state !== before.get(id)?.state)) {
      this.listings.refreshFilesOf(new Set(changed.map(({ group }) => group)));
    }
  }

  async #ended(connection: EngineLinkHere, clean: boolean): Promise<void> {
    if (this.#closed || this.#connection !== connection) return;
    this.#connection = undefined;
    this.#connecting = undefined; // what led to this connection has led nowhere
    const { launcher, clock, log } = this.#options;
    log.info('engine link ended', { clean });
    this.#set({ overview: undefined, transfers: new Map(), engine: 'connecting' });
    const now = clock.monotonicMs();
    this.#crashesMs = [...this.#crashesMs.filter((at) => now - at < 60_000), ...(clean ? [] : [now])];
    try {
      // One that broke is started again; so is one in a window, which ends with that window. One
      // that was stopped stays stopped.
      if (launcher.place === 'window' || (!clean && this.#crashesMs.length <= RESTARTS_PER_MINUTE_MAX)) {
        return void (await this.connect());
      }
      if (!clean) {
        return this.#set({
          engine: 'failed',
          failure: new ShoalError('engineUnreachable', {
            home: launcher.home.folder,
            why: 'it broke several times',
            log: launcher.home.logFile,
          }),
        });
      }
      await this.#findSuccessor(now + SUCCESSOR_MS);
    } catch (error) {
      log.warn('engine did not come back', { error });
    }
  }

  async #findSuccessor(untilMs: number): Promise<void> {
    const { launcher, clock } = this.#options;
    while (!this.#closed && clock.monotonicMs() < untilMs) {
      await wait(clock, 250);
      const found = await launcher.find(this.#handlers()).catch((error: unknown) => {
        if (isShoalError(error, 'engineNewer')) throw error;
        return undefined; // it is just coming up
      });
      if (this.#connection || this.#connecting) return found?.connection.close(); // a command was faster
      if (!found) continue;
      found.connection.close(); // it runs; now with all that belongs to it, versions compared
      return void (await this.connect());
    }
    if (!this.#closed && !this.#connection && !this.#connecting) this.#set({ engine: 'stopped' });
  }

  #set(change: Partial<WindowState>): void {
    const before = this.state;
    this.state = { ...before, ...change };
    this.#changes.emit(this.state, before);
  }
}

/**
 * What a new overview makes of the state. Groups stay as they were while no tracker can be asked.
 */
function withOverview(state: WindowState, overview: Overview): Partial<WindowState> {
  if (!overview.account) {
    return {
      overview,
      knowsTracker: overview.trackerUrl !== '',
      groups: [],
      knowsGroups: false,
      files: new Map(),
      members: new Map(),
    };
  }
  const isUp = overview.trackers.some(({ link, inUse }) => link === 'up' && inUse);
  const groups: readonly GroupView[] = isUp ? overview.groups : state.groups;
  const ids = new Set<GroupId>(
    groups.filter(({ role }) => role === 'member' || role === 'owner').map(({ group }) => group),
  );
  const kept = <T>(listings: ReadonlyMap<GroupId, T>): ReadonlyMap<GroupId, T> =>
    [...listings.keys()].every((id) => ids.has(id)) ? listings : new Map([...listings].filter(([id]) => ids.has(id)));
  return {
    overview,
    knowsTracker: true,
    groups,
    knowsGroups: state.knowsGroups || isUp,
    files: kept(state.files),
    members: kept(state.members),
  };
}
