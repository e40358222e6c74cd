// Where a password comes from: a person, a pipe, the environment, or the command line.
// Covers: extension/engine/cli/password.ts, extension/engine/cli/commands/account.ts
import assert from 'node:assert/strict';
import { CommandLine } from '../../../support/fakes/commandLine.ts';

describe('the command line', () => {
  let shoal: CommandLine;
  beforeEach(() => {
    shoal = new CommandLine();
  });
  afterEach(() => shoal.end());

  describe('takes a password', () => {
    const signIn = { verb: 'signIn', body: { user: 'alice', password: 'correct horse', hold: true } };
    it('from the environment', async () => {
      shoal.terminal.environment['SHOAL_PASSWORD'] = 'correct horse';
      const { stdout, stderr } = await shoal.run('login', 'alice');
      assert.deepEqual(shoal.engine.asked, [signIn]);
      assert.match(
        stdout,
        /^Signed in as alice\. The engine keeps running in the background until `shoal logout` or `shoal stop`\.\n$/,
      );
      assert.equal(stderr, '');
    });
    it('from a pipe', async () => {
      shoal.terminal.input.push('correct horse');
      await shoal.run('login', 'alice');
      assert.deepEqual(shoal.engine.asked, [signIn]);
    });
    it('from a person, who is asked twice for a new one', async () => {
      shoal.terminal.canAsk = true;
      shoal.terminal.input.push('correct horse', 'correct horse');
      const { stderr } = await shoal.run('create_user', 'alice');
      assert.deepEqual(shoal.engine.asked, [
        { verb: 'createUser', body: { user: 'alice', password: 'correct horse' } },
      ]);
      assert.equal(stderr, 'new password for alice: the same again: ');
    });
    it('from the command line, with a warning', async () => {
      const { stderr } = await shoal.run('login', 'alice', 'correct horse');
      assert.deepEqual(shoal.engine.asked, [signIn]);
      assert.match(stderr, /can be seen by others/);
    });
    it('twice to change it', async () => {
      shoal.terminal.input.push('correct horse', 'battery staple');
      await shoal.run('change_password');
      assert.deepEqual(shoal.engine.asked, [
        { verb: 'changePassword', body: { oldPassword: 'correct horse', newPassword: 'battery staple' } },
      ]);
    });
    it('and says when there is none, or two that differ', async () => {
      const none = await shoal.run('login', 'alice');
      assert.equal(none.exit, 2);
      assert.match(none.stderr, /^shoal: no password given/);
      shoal.terminal.canAsk = true;
      shoal.terminal.input.push('correct horse', 'correct house');
      assert.match((await shoal.run('create_user', 'alice')).stderr, /the two passwords differ/);
      assert.deepEqual(shoal.engine.asked, []);
    });
  });
});
