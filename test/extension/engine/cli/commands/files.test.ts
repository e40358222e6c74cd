// `shoal cat`: a shared file on standard output, byte for byte.
import assert from 'node:assert/strict';
import { READ_BYTES_MAX } from '../../../../../protocol/base/limits.ts';
import { CommandLine } from '../../../../support/fakes/commandLine.ts';
import { FakeEngine, fails } from '../../../../support/fakes/fakeEngine.ts';

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
