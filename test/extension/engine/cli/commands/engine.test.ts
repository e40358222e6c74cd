// Commands of the engine itself.
import assert from 'node:assert/strict';
import { CommandLine } from '../../../../support/fakes/commandLine.ts';

describe('the commands of the engine', () => {
  let shoal: CommandLine;
  beforeEach(() => {
    shoal = new CommandLine();
  });
  afterEach(() => shoal.end());

  it('does not start an engine to show that none runs', async () => {
    assert.match((await shoal.run('status')).stdout, /engine {5}does not run/);
    assert.equal(shoal.host, undefined);
  });

  it('stops the engine', async () => {
    await shoal.start();
    assert.match((await shoal.run('stop')).stdout, /^Stopped the engine\./);
    assert.equal(shoal.engine.closed, true);
  });
});
