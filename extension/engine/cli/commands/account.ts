// Verbs of accounts: who somebody is.
import { printable } from '../../../../protocol/base/errors.ts';
import { findPassword } from '../password.ts';
import type { CommandFamily } from './command.ts';
import { printDone } from './command.ts';

const PASSWORD_HELP =
  'The password is asked for. It can also be piped in (one line) or stand in SHOAL_PASSWORD; on the command line others can see it.';

export const accountCommands: CommandFamily = {
  title: 'Accounts:',
  commands: [
    {
      usage: 'create_user <user> [password]',
      summary: 'make an account on the tracker',
      details: `The password needs 8 characters or more. ${PASSWORD_HELP}`,
      json: '{"user", "durability"}',
      examples: ['create_user alice --tracker tracker.example.org:7070'],
      async run(session, { args: [user = '', argument] }) {
        await session.engine(); // a tracker that is wrong is said before somebody types a password
        const password = await findPassword(session.terminal, {
          argument,
          variable: 'SHOAL_PASSWORD',
          question: `new password for ${printable(user)}`,
          isNew: true,
        });
        const done = await session.call('createUser', { user, password });
        await printDone(
          session,
          `Created the account ${printable(user)}. Sign in with: shoal login ${printable(user)}`,
          { user },
          done,
        );
      },
    },
    {
      usage: 'login <user> [password]',
      summary: 'sign in on this machine and start to share',
      details:
        `${PASSWORD_HELP}\n\nYou stay signed in until \`shoal logout\`: the engine keeps running in the ` +
        'background, shares your files and finishes your downloads. After a restart of the machine the ' +
        'next command, or `shoal serve`, starts it again.',
      json: '{"user", "account"}',
      examples: ['login alice', 'echo "$PASSWORD" | shoal login alice'],
      async run(session, { args: [user = '', argument] }) {
        await session.engine();
        const password = await findPassword(session.terminal, {
          argument,
          variable: 'SHOAL_PASSWORD',
          question: `password of ${printable(user)}`,
        });
        const signedIn = await session.call('signIn', { user, password, hold: true });
        session.print(
          `Signed in as ${printable(signedIn.user)}. The engine keeps running in the background until \`shoal logout\` or \`shoal stop\`.`,
          { user: signedIn.user, account: signedIn.account },
        );
      },
    },
    {
      usage: 'logout',
      summary: 'sign out; nothing is shared until the next login',
      details: 'What you shared and what was not finished is remembered and comes back with the next login.',
      json: '{"signedOut": true}',
      async run(session) {
        await session.call('signOut', {});
        session.print(
          'Signed out. Nothing is shared any more; your shares and downloads come back with the next login.',
          { signedOut: true },
        );
      },
    },
    {
      usage: 'rename_account <name>',
      summary: 'choose another name, where yours was taken by somebody else at the same moment',
      details: 'Otherwise an account keeps its name: others know it by it.',
      json: '{"user", "durability"}',
      async run(session, { args: [to = ''] }) {
        await printDone(
          session,
          `You are ${printable(to)} now.`,
          { user: to },
          await session.call('renameAccount', { to }),
        );
      },
    },
    {
      usage: 'change_password',
      summary: 'change the password; other devices are signed out',
      details:
        'Both passwords are asked for. They can also be piped in (two lines, the old one first) or stand ' +
        'in SHOAL_PASSWORD and SHOAL_NEW_PASSWORD.',
      json: '{"changed": true, "durability"}',
      async run(session) {
        await session.engine();
        const oldPassword = await findPassword(session.terminal, {
          variable: 'SHOAL_PASSWORD',
          question: 'old password',
        });
        const newPassword = await findPassword(session.terminal, {
          variable: 'SHOAL_NEW_PASSWORD',
          question: 'new password',
          isNew: true,
        });
        const done = await session.call('changePassword', { oldPassword, newPassword });
        await printDone(
          session,
          'Changed the password. Your other devices have to sign in again.',
          { changed: true },
          done,
        );
      },
    },
  ],
};
