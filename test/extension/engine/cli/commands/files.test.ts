// Commands of files: sharing, lists, and `cat`, which writes a shared file on standard output, byte
// for byte. What stays until something is done is in follow.test.ts.
// Covers: extension/engine/cli/commands/files.ts, extension/engine/cli/commands/folderList.ts
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { READ_BYTES_MAX } from '../../../../../protocol/base/limits.ts';
import { CommandLine } from '../../../../support/fakes/commandLine.ts';
import { aFile, aTransfer, FakeEngine, fails } from '../../../../support/fakes/fakeEngine.ts';

describe('the commands of files', () => {
  let shoal: CommandLine;
  beforeEach(() => {
    shoal = new CommandLine();
  });
  afterEach(() => shoal.end());

  it('shares no secret by mistake, and one on purpose', async () => {
    fs.writeFileSync(path.join(shoal.folder, '.env'), 'PASSWORD=1');
    const refused = await shoal.run('upload_file', '.env', 'team', '--detach');
    assert.deepEqual(
      [refused.exit, refused.stderr],
      [2, 'shoal: .env may hold secrets; share it with --secrets if that is meant\n'],
    );
    assert.deepEqual(shoal.engine.asked, []);
    assert.equal((await shoal.run('upload_file', '.env', 'team', '--detach', '--secrets')).exit, 0);
    assert.deepEqual(
      shoal.engine.asked.map(({ verb }) => verb),
      ['share'],
    );
  });

  it('lists all pages', async () => {
    shoal.engine = new FakeEngine({
      listFiles: ({ after }) => ({
        files: [aFile({ name: after === '' ? 'a' : 'b' })],
        more: after === '',
        filesVersion: 1,
      }),
    });
    const { stdout } = await shoal.run('list_files', 'team');
    assert.deepEqual(
      stdout.split('\n').map((line) => line.split(' ')[0]),
      ['NAME', 'a', 'b', ''],
    );
  });

  it('lists what is in a folder that is here, all pages of it, and in no file', async () => {
    const folder = aFile({ name: 'project', content: 'folder' });
    shoal.engine = new FakeEngine({
      findFile: ({ name }) => (name === 'project' ? folder : aFile()),
      folderFiles: ({ after }) => ({
        files: [{ path: after === '' ? 'a/b' : 'c', sizeBytes: 2048 }],
        more: after === '',
      }),
    });
    shoal.engine.list.set(4, aTransfer({ id: 4, kind: 'share', root: folder.root }));
    assert.equal(
      (await shoal.run('list_files', 'team', 'project')).stdout,
      '    SIZE  PATH\n2.00 KiB  a/b\n2.00 KiB  c\n',
    );
    assert.deepEqual(
      shoal.engine.asked.map(({ verb }) => verb),
      ['findFile', 'folderFiles', 'folderFiles'],
    );
    assert.equal((await shoal.run('list_files', 'team', 'dump.sql')).exit, 2);
  });

  it('shows downloads in the classic form', async () => {
    for (const [id, fields] of [
      { name: 'a' },
      { name: 'b', state: 'seeding' as const },
      { name: 'c', kind: 'share' as const },
    ].entries()) {
      shoal.engine.list.set(id, aTransfer({ id, ...fields }));
    }
    assert.equal((await shoal.run('show_downloads')).stdout, '[D] [team] a\n[C] [team] b\n');
  });
});

describe('shoal cat prints a file', () => {
  let shoal: CommandLine;
  beforeEach(() => {
    shoal = new CommandLine();
  });
  afterEach(() => shoal.end());

  const content = Buffer.from(Array.from({ length: 3 * READ_BYTES_MAX + 5 }, (_, n) => (n * 7) % 256));
  const giving = (): FakeEngine =>
    new FakeEngine({
      read: ({ fromByte, bytes }) => ({ sizeBytes: content.length, raw: content.subarray(fromByte, fromByte + bytes) }),
    });

  it('whole, with no word among its bytes', async () => {
    shoal.engine = giving();
    const { exit, stdout, stderr } = await shoal.run('cat', 'team', 'dump.sql');
    assert.deepEqual([exit, stdout, stderr], [0, '', '']);
    assert.ok(shoal.terminal.binary.equals(content));
  });

  it('from its beginning, of a folder', async () => {
    shoal.engine = giving();
    await shoal.run('cat', 'team', 'dump.sql', 'a/b.txt', '--head', '1k');
    assert.ok(shoal.terminal.binary.equals(content.subarray(0, 1024)));
    assert.ok(
      shoal.engine.asked
        .filter(({ verb }) => verb === 'read')
        .every(({ body }) => (body as { path: string }).path === 'a/b.txt'),
    );
  });

  it('as far as somebody reads it', async () => {
    shoal.engine = giving();
    shoal.terminal.isDeaf = true;
    assert.deepEqual(await shoal.run('cat', 'team', 'dump.sql'), { exit: 0, stdout: '', stderr: '' });
  });

  it('or says why it cannot', async () => {
    shoal.engine = new FakeEngine({ read: fails('nobodyServes', { name: 'dump.sql' }) });
    const { exit, stderr } = await shoal.run('cat', 'team', 'dump.sql');
    assert.deepEqual(
      [exit, stderr],
      [5, 'shoal: nobody who is online gives dump.sql now; try again when somebody comes who has it\n'],
    );
  });
});
