// What `status` prints.
import assert from 'node:assert/strict';
import { ShoalError } from '../../../../protocol/base/errors.ts';
import { toWire } from '../../../../protocol/wire/wireErrors.ts';
import { statusLines } from '../../../../extension/engine/cli/statusText.ts';
import { aGroup, anOverview, aTransfer } from '../../../support/fakes/fakeEngine.ts';

const MIB = 1024 ** 2;

describe('status', () => {
  it('shows trackers, account, groups, rates and transfers', () =>
    assert.deepEqual(
      statusLines(
        '/h',
        anOverview({
          groups: [aGroup(), aGroup({ name: 'other', role: 'member', owner: 'carol', members: 1 })],
          upLimitBytesPerS: MIB,
          outbox: 1,
          trackers: [
            { address: { host: 'a.example', port: 7070 }, link: 'up', inUse: true, error: undefined, pair: 'whole' },
            {
              address: { host: 'b.example', port: 7070 },
              link: 'refused',
              inUse: false,
              error: toWire(new ShoalError('pinMismatch', { address: 'b.example:7070' })),
              pair: 'unknown',
            },
          ],
        }),
        [aTransfer({ state: 'failed', error: toWire(new ShoalError('destinationExists', { path: '/x' })) })],
      ),
      [
        'home       /h',
        'engine     shoal 0.1.0, process 4711',
        'realm      shoal://pin@a.example:7070,b.example:7070',
        'trackers   a.example:7070  up, in use, has the other one',
        '           b.example:7070  refused: the key of b.example:7070 is not the one expected; it may be another machine, or somebody between you. Nothing was sent',
        'account    alice',
        'listening  192.168.1.5:40123',
        'groups     team  owner, 3 members, 1 request waiting',
        '           other  member, 1 member, owner carol',
        'rates      down 0 B/s, up 0 B/s (limit 1.00 MiB/s)',
        'outbox     1 change that only one tracker has yet',
        '',
        'ID  STATE   GROUP  NAME          SIZE  DONE  DOWN  UP  TURN  PEERS  PATH',
        ' 1  failed  team   dump.sql  1.00 MiB  50 %     -   -     -      1  /work/downloads/dump.sql',
        '1: /x exists already; nothing was overwritten. Name another place or use --rename',
      ],
    ));
});
