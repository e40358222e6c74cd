// An engine as its host knows it: opened for a home, and from then on verbs, one state, and word of
// what changes. Decides nothing; what the engine does is engine.ts's business.
import { Engine } from './engine.ts';
import type { EngineOptions } from './engineParts.ts';
import type { Hasher } from './hashing/hasher.ts';
import { threadedHasher } from './hashing/hashThreadPool.ts';
import { isRunning } from './transfers/transferStatus.ts';
import type { EngineApi } from './engineApi.ts';
import { requestHandlersOf } from './requestHandlers.ts';

/**
 * An engine for a home, going on where its last run ended.
 *
 * @throws ShoalError damagedFile, newerFormat
 */
export async function createEngine({
  hasher,
  ...options
}: Omit<EngineOptions, 'hasher'> & { readonly hasher?: Hasher }): Promise<EngineApi> {
  const engine = new Engine({ ...options, hasher: hasher ?? threadedHasher(options.world) });
  await engine.start();
  return {
    handlers: requestHandlersOf(engine),
    overview: () => engine.overview(),
    transfers: () => engine.transfers.all.map((transfer) => transfer.toView()),
    transfer: (id) => engine.transfers.get(id)?.toView(),
    swarm: (id) => {
      const transfer = engine.transfers.get(id);
      return transfer && engine.swarm(transfer);
    },
    onChange: (listener) => engine.notify.onChange(listener),
    onEvent: (listener) => engine.notify.onEvent(listener),
    get isBusy() {
      return engine.transfers.all.some((transfer) => isRunning(transfer) && transfer.state !== 'waiting');
    },
    get isHeld() {
      return engine.settings.isHeld;
    },
    get keepsSharing() {
      return engine.settings.keepSharing && engine.account !== undefined;
    },
    close: (options) => engine.close(options),
  };
}
