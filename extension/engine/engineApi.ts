// What an engine is to those who show it: one plain value, changes of it, and a handler for every
// verb. engine.ts implements it; localServer.ts serves it to frontends.
import type {
  EngineEvent as NumberedEvent,
  engineLink,
  Overview,
  Transfer,
} from '../../protocol/messages/engineLink.ts';
import type { GroupId } from '../../protocol/base/ids.ts';
import type { SwarmView } from '../../protocol/messages/swarmView.ts';
import type { HandlersOf } from '../../protocol/wire/table.ts';

/**
 * Handlers of all verbs that are the engine's own; `watch`, `watchSwarm`, `status`, `claim` and
 * `stop` belong to the host.
 */
export type RequestHandlers = Omit<
  HandlersOf<typeof engineLink, 'engine'>,
  'watch' | 'watchSwarm' | 'status' | 'claim' | 'stop'
>;

/** The host gives each its number. */
export type EngineEvent = Omit<NumberedEvent, 'id'>;

/** What changed since the last call. */
export interface Change {
  readonly overview: boolean;
  readonly transfers: ReadonlySet<number>;
  readonly gone: readonly number[];
  /** Groups in which somebody came, went, or seeds more or less. */
  readonly presence: readonly GroupId[];
}

export interface EngineApi {
  readonly handlers: RequestHandlers;
  overview(): Overview;
  transfers(): readonly Transfer[];
  transfer(id: number): Transfer | undefined;
  /** How it stands in the swarm of a transfer; worked out anew at every call. */
  swarm(id: number): SwarmView | undefined;
  /** Called at once at every change; the host merges. Returns how to stop it. */
  onChange(listener: (change: Change) => void): () => void;
  onEvent(listener: (event: EngineEvent) => void): () => void;
  /** Whether something is being hashed or downloaded, so that the engine should not leave yet. */
  readonly isBusy: boolean;
  /** Whether a person signed in on the command line and has not signed out. */
  readonly isHeld: boolean;
  /** Whether somebody is signed in who wants others to be served when no window is open. */
  readonly keepsSharing: boolean;
  /**
   * Stops everything cleanly; what is unfinished continues at the next start. `isUnheld`: nobody
   * wanted that, the last window closed.
   */
  close(options?: { readonly isUnheld?: boolean }): Promise<void>;
}
