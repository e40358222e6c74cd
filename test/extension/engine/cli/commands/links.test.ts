// Verbs of links and of who downloads from here: the command line around an engine that only
// pretends, found as if it ran already.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { runCli } from '../../../../../extension/engine/cli.ts';
import type { LocalServer } from '../../../../../extension/engine/daemon/localServer.ts';
import { startLocalServer } from '../../../../../extension/engine/daemon/localServer.ts';
import { homeOf } from '../../../../../protocol/home/homePath.ts';
import type { Home } from '../../../../../protocol/home/homeLayout.ts';
import type { FrontendHandlers } from '../../../../../protocol/home/connectEngine.ts';
import { findEngine } from '../../../../../protocol/home/connectEngine.ts';
import { createIdentity } from '../../../../../protocol/node/identity.ts';
import { createNodeWorld } from '../../../../../protocol/node/nodeWorld.ts';
import { silentLog } from '../../../../../protocol/base/world.ts';
import { aFile, anOverview, FakeEngine } from '../../../../support/fakes/fakeEngine.ts';
import { FakeTerminal } from '../../../../support/fakes/fakeTerminal.ts';

describe('the command line beside a running engine', () => {
  const world = createNodeWorld({ identity: createIdentity(), log: silentLog });
  let folder: string;
  let server: LocalServer | undefined;
  let engine: FakeEngine;

  beforeEach(async () => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sh-'));
    engine = new FakeEngine();
    server = await startLocalServer({
      home: homeOf(path.join(folder, 'home')),
      world,
      version: 'dev',
      log: silentLog,
      createEngine: () => Promise.resolve(engine),
    });
  });
  afterEach(async () => {
    await server?.leave();
    fs.rmSync(folder, { recursive: true, force: true });
  });

  const run = async (...words: string[]): Promise<{ exit: number; stdout: string; stderr: string }> => {
    const terminal = new FakeTerminal({ workFolder: folder, environment: { SHOAL_HOME: path.join(folder, 'home') } });
    const find = (home: Home, handlers: FrontendHandlers) => findEngine({ home, world, version: 'dev', handlers });
    const exit = await runCli(words, {
      terminal,
      world,
      engines: {
        find,
        connect: async (home, handlers) => ({
          ...((await find(home, handlers)) ?? assert.fail('no engine')),
          started: false,
        }),
      },
    });
    return { exit, stdout: terminal.stdout, stderr: terminal.stderr };
  };

  describe('makes and follows links', () => {
    const TRACKER = `shoal://${'a'.repeat(52)}@a.example:7070`;
    const { root } = aFile();
    beforeEach(() => (engine.state = anOverview({ trackerUrl: TRACKER })));

    it('that lead into a group', async () => {
      const { stdout: link } = await run('link', 'team');
      assert.equal(
        link,
        `vscode://shoal.shoal/join?tracker=shoal~3a~2f~2f${'a'.repeat(52)}~40a.example~3a7070&group=team\n`,
      );
      assert.match((await run('open_link', link.trim())).stdout, /Asked to join team\./);
      assert.deepEqual(engine.asked.at(-1), { verb: 'joinGroup', body: { group: 'team' } });
    });

    it('that name a file', async () => {
      const { stdout } = await run('link', 'team', 'dump.sql');
      assert.match(stdout, new RegExp(`/open\\?tracker=.*&group=team&name=dump\\.sql&root=${root}\\n$`));
      await run('open_link', stdout.trim(), 'there.sql', '--detach');
      assert.deepEqual(engine.asked.at(-1), {
        verb: 'download',
        body: {
          group: 'team',
          name: 'dump.sql',
          path: path.join(folder, 'there.sql'),
          asFile: true,
          rename: false,
          mode: 'auto',
          only: [],
        },
      });
    });

    it('but none that is damaged, or of another tracker', async () => {
      const { stdout } = await run('link', 'team');
      assert.match(
        (await run('open_link', 'vscode://shoal.shoal/join?group=team')).stderr,
        /^shoal: this link cannot be used: it names no tracker/,
      );
      const { exit, stderr } = await run('open_link', stdout.trim().replace('2faaa', '2fbbb'));
      assert.equal(exit, 3);
      assert.match(
        stderr,
        /this link belongs to another tracker \(a\.example:7070\); sign in there first: shoal --tracker shoal:\/\/bbba+@a\.example:7070 login NAME/,
      );
      assert.deepEqual(
        engine.asked.filter(({ verb }) => verb === 'joinGroup'),
        [],
      );
    });
  });

  it('tells who downloads from here', async () => {
    assert.match((await run('uploads')).stderr, /^Nobody downloads from here now\./);
    engine.state = anOverview({ served: [{ user: 'bob', group: 'team', name: 'dump.sql', bytesPerS: 2 * 1024 ** 2 }] });
    assert.equal(
      (await run('uploads')).stdout,
      'USER  GROUP  NAME              UP\nbob   team   dump.sql  2.00 MiB/s\n',
    );
    assert.match((await run('status')).stdout, /^uploads {4}dump\.sql in team to bob, 2\.00 MiB\/s$/m);
  });
});
