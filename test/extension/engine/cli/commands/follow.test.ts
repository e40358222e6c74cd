// Commands that stay: with a download or a share until it is done, and `serve` until it is told to
// end. What they print meanwhile, how they end, and with which code. The engine only pretends.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { ShoalError } from '../../../../../protocol/base/errors.ts';
import { toWire } from '../../../../../protocol/wire/wireErrors.ts';
import { CommandLine } from '../../../../support/fakes/commandLine.ts';
import type { Ran } from '../../../../support/fakes/commandLine.ts';
import { aFile, aTransfer, FakeEngine, fails } from '../../../../support/fakes/fakeEngine.ts';

describe('the command line', () => {
  let shoal: CommandLine;
  beforeEach(() => {
    shoal = new CommandLine();
  });
  afterEach(() => shoal.end());

  describe('stays with a download', () => {
    const get = (...words: string[]): Promise<Ran> => shoal.run('get', 'team', 'dump.sql', ...words);
    beforeEach(() => {
      shoal.engine.list.set(1, aTransfer({ heldPieces: 0, doneBytes: 0 }));
      shoal.terminal.hasScreen = true; // so that progress is shown from the first moment
    });

    it('until it is complete, and says from whom it came', async () => {
      const done = get();
      await shoal.terminal.until(/0 %/);
      shoal.engine.setTransfer({ state: 'seeding', heldPieces: 2, doneBytes: 1024 * 1024 });
      const { exit, stdout } = await done;
      assert.equal(exit, 0);
      assert.match(
        stdout,
        /^Downloaded \/work\/downloads\/dump\.sql \(1\.00 MiB\)\.\nFrom bob: 2 pieces\. You share it now, too\.\nSHA-256 /,
      );
    });

    it('with lines of JSON, the last one the result', async () => {
      const done = get('--json');
      await shoal.terminal.until(/progress/);
      shoal.engine.setTransfer({ state: 'seeding', heldPieces: 2, doneBytes: 1024 * 1024 });
      const lines = (await done).stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, unknown>);
      assert.ok(lines.slice(0, -1).every((line) => 'progress' in line));
      assert.equal(lines.at(-1)?.['path'], '/work/downloads/dump.sql');
    });

    it('until it fails, with the code of what went wrong', async () => {
      const done = get();
      await shoal.terminal.until(/0 %/);
      shoal.engine.setTransfer({ state: 'failed', error: toWire(new ShoalError('destinationExists', { path: '/x' })) });
      const { exit, stderr } = await done;
      assert.equal(exit, 1);
      assert.match(
        stderr,
        /shoal: \/x exists already; nothing was overwritten\. Name another place or use --rename\n$/,
      );
    });

    it('of which it is told only after the answer', async () => {
      shoal.engine = new FakeEngine({
        download: () => {
          setImmediate(() => shoal.engine.setTransfer({ id: 2 }));
          return { transfer: 2 };
        },
      });
      const done = get();
      await shoal.terminal.until(/50 %/);
      shoal.engine.setTransfer({ id: 2, state: 'seeding' });
      assert.equal((await done).exit, 0);
    });

    it('until somebody cancels it', async () => {
      const done = get();
      await shoal.terminal.until(/0 %/);
      shoal.engine.removeTransfer(1);
      const { exit, stderr } = await done;
      assert.equal(exit, 1);
      assert.match(stderr, /shoal: cancelled\n$/);
    });

    it('that was done before, in the same place', async () => {
      shoal.engine.list.set(1, aTransfer({ state: 'seeding', path: path.join(shoal.folder, 'downloads', 'dump.sql') }));
      const { exit, stdout } = await get();
      assert.equal(exit, 0);
      assert.match(stdout, /dump\.sql is here already, complete \(1\.00 MiB\)\.\n/);
      assert.ok(!shoal.engine.asked.some(({ verb }) => verb === 'download'));
    });

    it('and leaves it to the engine at Ctrl-C', async () => {
      const done = get();
      await shoal.terminal.until(/0 %/);
      shoal.terminal.press();
      const { exit, stderr } = await done;
      assert.equal(exit, 130);
      assert.match(
        stderr,
        /The download goes on in the background \(0 %\)\. See it with `shoal show_downloads --long`; end it with `shoal cancel 1`\.\n$/,
      );
      assert.deepEqual(
        shoal.engine.asked.map(({ verb }) => verb),
        ['findFile', 'download'],
      );
    });

    it('says once that nobody has it, and waits', async () => {
      shoal.engine.setTransfer({ state: 'waiting' });
      const done = get();
      await shoal.terminal.until(/waiting/);
      await shoal.clock.advance(60_000);
      await shoal.terminal.until(/Nobody who is online has dump\.sql; waiting until somebody comes/);
      shoal.engine.setTransfer({ state: 'seeding' });
      const { exit, stderr } = await done;
      assert.equal(exit, 0);
      assert.equal(stderr.match(/Nobody/g)?.length, 1);
    });

    it('ends with 5 after --timeout without anybody', async () => {
      shoal.engine.setTransfer({ state: 'waiting' });
      const done = get('--timeout', '30');
      await shoal.terminal.until(/waiting/);
      await shoal.clock.advance(29_999);
      shoal.engine.setTransfer({ state: 'downloading' }); // somebody came: the time begins anew
      await shoal.terminal.until(/1 peer/);
      shoal.engine.setTransfer({ state: 'waiting' });
      await shoal.terminal.until(/waiting[^]*1 peer[^]*waiting/);
      await shoal.clock.advance(30_000);
      const { exit, stderr } = await done;
      assert.equal(exit, 5);
      assert.match(stderr, /shoal: nobody who is online has dump\.sql/);
    });

    it('ends with 5 at once with --no-wait when the tracker knows nobody', async () => {
      shoal.engine = new FakeEngine({ findFile: () => aFile({ seeders: 0 }) });
      shoal.engine.setTransfer({ state: 'waiting' });
      const done = get('--no-wait');
      await shoal.terminal.until(/waiting/);
      await shoal.clock.advance(0);
      assert.equal((await done).exit, 5);
    });

    it('says how much was here already', async () => {
      shoal.engine.setTransfer({ resumedPieces: 1, heldPieces: 1 });
      const done = get();
      await shoal.terminal.until(/Resumed: 1 of 2 pieces were here already and are verified\./);
      shoal.engine.setTransfer({ state: 'seeding' });
      await done;
    });

    it('says when the engine is stopped meanwhile', async () => {
      const done = get();
      await shoal.terminal.until(/0 %/);
      await shoal.host?.leave();
      const { exit, stderr } = await done;
      assert.equal(exit, 1);
      assert.match(stderr, /it was stopped meanwhile, and what is unfinished goes on at its next start/);
    });

    it('makes no folder for a file that is not there', async () => {
      shoal.engine = new FakeEngine({ findFile: fails('unknownFile', { name: 'dump.sql', group: 'team' }) });
      assert.equal((await get()).exit, 4);
      assert.equal(fs.existsSync(path.join(shoal.folder, 'downloads')), false);
    });

    it('says which folder is missing', async () => {
      const { exit, stderr } = await get('no/such/place.sql');
      assert.equal(exit, 1);
      assert.match(stderr, /cannot be written \(there is no folder .*no\/such\)/);
    });
  });

  describe('stays with a share', () => {
    beforeEach(() => {
      shoal.terminal.hasScreen = true;
    });

    it('until the group knows it', async () => {
      shoal.engine.list.set(1, aTransfer({ kind: 'share', state: 'hashing', doneBytes: 0 }));
      const done = shoal.run('share', 'dump.sql', 'team');
      await shoal.terminal.until(/hashing/);
      shoal.engine.setTransfer({ doneBytes: 1024 * 1024 });
      await shoal.terminal.until(/telling the group/);
      shoal.engine.setTransfer({ state: 'seeding' });
      const { exit, stdout } = await done;
      assert.equal(exit, 0);
      assert.match(
        stdout,
        /^Shared dump\.sql in team \(1\.00 MiB\)\. Others get it while your engine runs\.\nSHA-256 /,
      );
    });

    it('or until it is refused', async () => {
      shoal.engine.list.set(1, aTransfer({ kind: 'share', state: 'hashing', doneBytes: 0 }));
      const done = shoal.run('share', 'dump.sql', 'team');
      await shoal.terminal.until(/hashing/);
      shoal.engine.setTransfer({
        state: 'failed',
        error: toWire(new ShoalError('fileExists', { name: 'dump.sql', group: 'team', user: 'bob' })),
      });
      const { exit, stderr } = await done;
      assert.equal(exit, 3);
      assert.match(stderr, /share it with --replace to make this its new version/);
    });
  });

  describe('serve', () => {
    it('prints what happens until Ctrl-C, which ends the engine that it started', async () => {
      const done = shoal.run('serve');
      await shoal.terminal.until(/signed in as alice/);
      shoal.engine.setTransfer({ kind: 'share', state: 'seeding' });
      await shoal.terminal.until(/sharing dump\.sql in team/);
      shoal.engine.event({ what: 'requestReceived', group: 'team', user: 'bob', name: '' });
      await shoal.terminal.until(/bob asks to join team/);
      shoal.terminal.press();
      const { exit, stdout } = await done;
      assert.equal(exit, 0);
      assert.equal(shoal.engine.closed, true);
      assert.match(stdout, /the engine has ended\n$/);
      assert.ok(
        stdout
          .split('\n')
          .slice(0, -1)
          .every((line) => /^\d\d:\d\d:\d\d /.test(line)),
        stdout,
      );
    });

    it('leaves an engine alone that ran before', async () => {
      await shoal.start();
      const done = shoal.run('serve');
      await shoal.terminal.until(/signed in as alice/);
      shoal.terminal.press('SIGTERM');
      assert.equal((await done).exit, 0);
      assert.equal(shoal.engine.closed, false);
    });

    it('ends when the engine is stopped by another', async () => {
      const done = shoal.run('serve');
      await shoal.terminal.until(/signed in as alice/);
      await shoal.host?.leave();
      assert.match((await done).stdout, /the engine was stopped\n$/);
    });
  });
});
