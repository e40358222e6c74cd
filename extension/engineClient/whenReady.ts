// Waiting until somebody who is signed in can be served: what every command of a member, and every
// editor on a shared file, begins with.
import { ShoalError } from '../../protocol/base/errors.ts';
import { phaseOf } from '../state/state.ts';
import type { Store } from './store.ts';

/** @throws ShoalError notSignedIn, or what keeps the engine from being asked */
export type Ready = () => Promise<void>;

/**
 * Waits while the engine is starting; then somebody has to be signed in. @throws ShoalError
 * notSignedIn
 */
export async function signedIn(store: Store): Promise<void> {
  await store.until((state) => (phaseOf(state) === 'starting' && state.engine !== 'up' ? undefined : true));
  if (!store.state.overview?.account) throw store.state.failure ?? new ShoalError('notSignedIn');
}

/**
 * The same, and the groups must be known: a window that was just opened restores its tabs before a
 * tracker has answered.
 */
export async function groupsKnown(store: Store): Promise<void> {
  await signedIn(store);
  await store.until((state) => (phaseOf(state) === 'starting' ? undefined : true));
}
