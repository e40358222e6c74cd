// `shoal cat`: a shared file on standard output, byte for byte.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { runCli } from '../../extension/engine/cli.ts';
import type { Host } from '../../extension/engine/host.ts';
import { createIdentity } from '../../protocol/identity.ts';
import { READ_BYTES_MAX } from '../../protocol/limits.ts';
import { createNodeWorld } from '../../protocol/nodeWorld.ts';
import { silentLog } from '../../protocol/world.ts';
import { FakeEngine, fails } from '../support/fakeEngine.ts';
import { enginesOf } from '../support/fakeEngines.ts';
import { FakeTerminal } from '../support/fakeTerminal.ts';

describe('shoal cat prints a file', () => {
  const world = createNodeWorld({ identity: createIdentity(), log: silentLog });
  let folder: string;
  let host: Host | undefined;
  let engine: FakeEngine;
  let terminal: FakeTerminal;

  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sh-'));
    terminal = new FakeTerminal({ workFolder: folder, environment: { SHOAL_HOME: path.join(folder, 'home') } });
  });
  afterEach(async () => {
    await host?.leave();
    fs.rmSync(folder, { recursive: true, force: true });
  });

  const run = async (...words: string[]): Promise<{ readonly exit: number; readonly stdout: string; readonly stderr: string }> => {
    const exit = await runCli(words, { terminal, world, engines: enginesOf(world, () => engine, (started) => (host = started)) });
    return { exit, stdout: terminal.stdout, stderr: terminal.stderr };
  };
  const content = Buffer.from(Array.from({ length: 3 * READ_BYTES_MAX + 5 }, (_, n) => (n * 7) % 256));
  const giving = (): FakeEngine => new FakeEngine({ read: ({ fromByte, bytes }) => ({ sizeBytes: content.length, raw: content.subarray(fromByte, fromByte + bytes) }) });

  it('whole, with no word among its bytes', async () => {
    engine = giving();
    const { exit, stdout, stderr } = await run('cat', 'team', 'dump.sql');
    assert.deepEqual([exit, stdout, stderr], [0, '', '']);
    assert.ok(terminal.binary.equals(content));
  });

  it('from its beginning, of a folder', async () => {
    engine = giving();
    await run('cat', 'team', 'dump.sql', 'a/b.txt', '--head', '1k');
    assert.ok(terminal.binary.equals(content.subarray(0, 1024)));
    assert.ok(engine.asked.filter(({ verb }) => verb === 'read').every(({ body }) => (body as { path: string }).path === 'a/b.txt'));
  });

  it('as far as somebody reads it', async () => {
    engine = giving();
    terminal.isDeaf = true;
    assert.deepEqual(await run('cat', 'team', 'dump.sql'), { exit: 0, stdout: '', stderr: '' });
  });

  it('or says why it cannot', async () => {
    engine = new FakeEngine({ read: fails('nobodyServes', { name: 'dump.sql' }) });
    const { exit, stderr } = await run('cat', 'team', 'dump.sql');
    assert.deepEqual([exit, stderr], [5, 'shoal: nobody who is online gives dump.sql now; try again when somebody comes who has it\n']);
  });
});
