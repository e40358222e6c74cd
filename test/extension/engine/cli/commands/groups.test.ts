// Commands of groups, where they have more to them than one call.
// Covers: extension/engine/cli/commands/groups.ts, extension/engine/cli/commands/command.ts
import assert from 'node:assert/strict';
import { CommandLine } from '../../../../support/fakes/commandLine.ts';
import { aGroup, FakeEngine } from '../../../../support/fakes/fakeEngine.ts';

describe('the commands of groups', () => {
  let shoal: CommandLine;
  beforeEach(() => {
    shoal = new CommandLine();
  });
  afterEach(() => shoal.end());

  it('lists requests for the owner of a group only', async () => {
    shoal.engine.state = {
      ...shoal.engine.state,
      groups: [aGroup({ name: 'Team' }), aGroup({ name: 'other', role: 'member' })],
    };
    assert.match((await shoal.run('list_requests', 'team')).stdout, /^USER {2}ASKED\nbob {3}2026-01-01 00:00 UTC\n$/);
    assert.equal((await shoal.run('list_requests', 'other')).exit, 3);
  });

  it('says when only one of two trackers holds a change', async () => {
    shoal.engine = new FakeEngine({ createGroup: () => ({ durability: 'one' }) });
    assert.match((await shoal.run('create_group', 'team')).stderr, /^Only one tracker holds this so far/);
  });
});
