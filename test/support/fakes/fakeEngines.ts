// Where a command line under test gets its engine: the real host and a real socket, around an
// engine that only pretends.
import assert from 'node:assert/strict';
import type { EngineConnector } from '../../../extension/engine/cli/session.ts';
import { startLocalServer } from '../../../extension/engine/daemon/localServer.ts';
import type { LocalServer } from '../../../extension/engine/daemon/localServer.ts';
import type { EngineApi } from '../../../extension/engine/engineApi.ts';
import { findEngine } from '../../../protocol/home/connectEngine.ts';
import { silentLog } from '../../../protocol/base/world.ts';
import type { World } from '../../../protocol/base/world.ts';

/** @param started  told of a host that a command has started, so that the test can end it */
export function enginesOf(
  world: World,
  engine: () => EngineApi,
  started: (server: LocalServer) => void,
): EngineConnector {
  const engines: EngineConnector = {
    find: (home, handlers) => findEngine({ home, world, version: 'dev', handlers }),
    async connect(home, handlers) {
      const server = await startLocalServer({
        home,
        world,
        version: 'dev',
        log: silentLog,
        createEngine: () => Promise.resolve(engine()),
      });
      if (server) started(server);
      const found = await engines.find(home, handlers);
      assert.ok(found);
      return { ...found, started: server !== undefined };
    },
  };
  return engines;
}
