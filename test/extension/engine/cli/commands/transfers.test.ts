// Commands of transfers: which ones are meant, and what the engine is asked of each.
// Covers: extension/engine/cli/commands/transfers.ts
// Covers: extension/engine/cli/commands/transferArguments.ts
import assert from 'node:assert/strict';
import { CommandLine } from '../../../../support/fakes/commandLine.ts';
import { aTransfer } from '../../../../support/fakes/fakeEngine.ts';

describe('the commands of transfers', () => {
  let shoal: CommandLine;
  beforeEach(() => {
    shoal = new CommandLine();
  });
  afterEach(() => shoal.end());

  it('finds a transfer by group and name in any case, or by its number', async () => {
    shoal.engine.list.set(4, aTransfer({ id: 4, name: 'Dump.SQL' }));
    await shoal.run('pause', 'TEAM', 'dump.sql');
    await shoal.run('resume', '4');
    await shoal.run('cancel', '4');
    assert.deepEqual(shoal.engine.asked, [
      { verb: 'pause', body: { transfer: 4 } },
      { verb: 'resume', body: { transfer: 4 } },
      { verb: 'cancelTransfer', body: { transfer: 4 } },
    ]);
    assert.equal((await shoal.run('pause', '5')).exit, 4);
    assert.equal((await shoal.run('verify', 'team', 'other')).exit, 4);
  });

  it('pauses several by their numbers, resumes all that are paused, and asks for no others', async () => {
    for (const [id, fields] of [
      { state: 'paused' as const },
      {},
      { state: 'seeding' as const },
      { kind: 'share' as const },
      { state: 'queued' as const },
    ].entries()) {
      shoal.engine.list.set(id, aTransfer({ id, name: `f${id}`, ...fields }));
    }
    assert.deepEqual(JSON.parse((await shoal.run('pause', '1', '4', '--json')).stdout), [
      { transfer: 1, state: 'paused' },
      { transfer: 4, state: 'paused' },
    ]);
    await shoal.run('resume', '--all');
    await shoal.run('pause', '--all');
    assert.deepEqual(
      shoal.engine.asked.map(({ verb, body }) => [verb, (body as { transfer: number }).transfer]),
      [
        ['pause', 1],
        ['pause', 4],
        ['resume', 0],
        ['pause', 1],
        ['pause', 4],
      ],
    );
  });

  it('takes two numbers for a group and a file where there is such a file', async () => {
    shoal.engine.list.set(4, aTransfer({ id: 4, groupName: '2', name: '5' }));
    await shoal.run('pause', '2', '5');
    assert.deepEqual(shoal.engine.asked, [{ verb: 'pause', body: { transfer: 4 } }]);
  });

  it('changes how one download goes', async () => {
    shoal.engine.list.set(4, aTransfer({ id: 4 }));
    await shoal.run('set', '4', '--priority', 'high', '--move', 'top', '--mode', 'sequential', '--down', '2M');
    assert.deepEqual(shoal.engine.asked, [
      {
        verb: 'adjust',
        body: {
          transfer: 4,
          downLimitBytesPerS: 2 * 1024 * 1024,
          upLimitBytesPerS: undefined,
          mode: 'sequential',
          priority: 'high',
          move: 'top',
          moveTo: undefined,
        },
      },
    ]);
    shoal.engine.list.set(70_000, aTransfer({ id: 70_000 }));
    await shoal.run('set', '4', '--move-to', '70000');
    assert.deepEqual(shoal.engine.asked.at(-1), {
      verb: 'adjust',
      body: {
        transfer: 4,
        downLimitBytesPerS: undefined,
        upLimitBytesPerS: undefined,
        mode: undefined,
        priority: undefined,
        move: undefined,
        moveTo: 70_000,
      },
    });
  });

  it('verifies', async () => {
    shoal.engine.list.set(1, aTransfer({ state: 'seeding' }));
    assert.match(
      (await shoal.run('verify', '1')).stdout,
      /^\/work\/downloads\/dump\.sql is exactly what was shared \(1\.00 MiB\)\.\nSHA-256 7368/,
    );
  });
});
