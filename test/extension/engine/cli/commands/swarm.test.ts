// `shoal swarm`: what it prints of a swarm, for people and for programs, and its map of pieces. The
// engine only pretends.
// Covers: extension/engine/cli/commands/swarm.ts, extension/engine/cli/swarmText.ts
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { runCli } from '../../../../../extension/engine/cli.ts';
import type { EngineConnector } from '../../../../../extension/engine/cli/session.ts';
import { pieceMap } from '../../../../../extension/engine/cli/swarmText.ts';
import type { LocalServer } from '../../../../../extension/engine/daemon/localServer.ts';
import { startLocalServer } from '../../../../../extension/engine/daemon/localServer.ts';
import { findEngine } from '../../../../../protocol/home/connectEngine.ts';
import { createIdentity } from '../../../../../protocol/node/identity.ts';
import { createNodeWorld } from '../../../../../protocol/node/nodeWorld.ts';
import { silentLog } from '../../../../../protocol/base/world.ts';
import { anOverview, aPeer, aSwarm, aTransfer, FakeEngine } from '../../../../support/fakes/fakeEngine.ts';
import { FakeTerminal } from '../../../../support/fakes/fakeTerminal.ts';

describe('shoal swarm', () => {
  const world = createNodeWorld({ identity: createIdentity(), log: silentLog });
  let folder: string;
  let server: LocalServer | undefined;
  let engine: FakeEngine;

  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sh-'));
    engine = new FakeEngine();
    engine.list.set(1, aTransfer({ pieces: 10, heldPieces: 4, downBytesPerS: 1024 * 1024 }));
  });
  afterEach(async () => {
    await server?.leave();
    fs.rmSync(folder, { recursive: true, force: true });
  });
  const engines: EngineConnector = {
    find: (home, handlers) => findEngine({ home, world, version: 'dev', handlers }),
    async connect(home, handlers) {
      server =
        (await startLocalServer({
          home,
          world,
          version: 'dev',
          log: silentLog,
          createEngine: () => Promise.resolve(engine),
        })) ?? server;
      const found = (await engines.find(home, handlers)) ?? assert.fail('no engine');
      return { ...found, started: true };
    },
  };
  const run = async (...words: string[]): Promise<{ readonly exit: number; readonly stdout: string }> => {
    const terminal = new FakeTerminal({ workFolder: folder, environment: { SHOAL_HOME: path.join(folder, 'home') } });
    return { exit: await runCli(words, { terminal, engines, world }), stdout: terminal.stdout };
  };

  it('shows map, counts, why, and peers', async () => {
    const far = aPeer({
      user: 'dave\u202E',
      state: 'left',
      downBytesPerS: 0,
      gaveBytes: 0,
      pieces: 7,
      leftAtMs: world.clock.now() - 3600_000,
    });
    engine.swarms.set(1, aSwarm({ peers: [aPeer(), far] }));
    const { stdout, exit } = await run('swarm', 'team', 'dump.sql');
    assert.equal(exit, 0);
    assert.equal(
      stdout,
      `dump.sql in team: 50 % of 1.00 MiB, down 1.00 MiB/s, up 0 B/s
████▸▸····
█ held  ▒ partly  ▸ coming  · missing  × with nobody at hand
10 pieces: 4 held, 2 asked for, 4 missing
Only bob sends, at 1.00 MiB/s.

PEER                  HAS        DOWN  UP      GAVE  STATE
bob 626f62            all  1.00 MiB/s      2.00 MiB  sends to you
dave\\u{202e} 626f62  7/10                            left 1 h ago
`,
    );
  });

  it('gives programs the same as JSON', async () => {
    engine.state = anOverview({ downBytesPerS: 1024 * 1024, downLimitBytesPerS: 1024 * 1024 });
    const said = JSON.parse((await run('swarm', '1', '--json')).stdout) as Record<string, unknown>;
    assert.deepEqual(said['why'], [{ is: 'downLimit', whose: 'common', bytesPerS: 1024 * 1024 }]);
    assert.deepEqual(said['sentences'], ['Your limit for all downloads holds: 1.00 MiB/s.']);
    assert.deepEqual(
      [said['pieces'], said['heldPieces'], (said['cells'] as { held: number[] }).held],
      [10, 4, [1, 1, 1, 1, 0, 0, 0, 0, 0, 0]],
    );
  });

  it('needs a transfer that is there', async () => assert.equal((await run('swarm', 'team', 'other')).exit, 4));
});

describe('the map of pieces on a terminal', () => {
  const cells = fc.array(fc.constantFrom('held', 'requested', 'verifying', 'unwanted', 'missing', 'nowhere'), {
    minLength: 1,
    maxLength: 300,
  });
  it('is no wider than asked for, and whole only where everything is held', () =>
    fc.assert(
      fc.property(cells, fc.integer({ min: 1, max: 120 }), (states, columns) => {
        const column = (name: string): Uint8Array => Uint8Array.from(states, (state) => Number(state === name));
        const map = pieceMap(
          aSwarm({
            pieces: states.length,
            cells: {
              held: column('held'),
              requested: column('requested'),
              verifying: column('verifying'),
              unwanted: column('unwanted'),
              nowhere: column('nowhere'),
              peers: Uint8Array.from(states, (state) => Number(state !== 'nowhere')),
            },
          }),
          columns,
        );
        assert.equal(map.length, Math.min(columns, states.length));
        assert.equal(
          [...map].every((mark) => mark === '█' || mark === ' '),
          states.every((state) => state === 'held' || state === 'unwanted'),
        );
        if (columns >= states.length) {
          for (const [n, state] of states.entries()) assert.equal(map[n] === '×', state === 'nowhere');
        }
      }),
    ));
});
