// Commands of the account: who signs in where.
import * as vscode from 'vscode';
import { asShoalError, isShoalError } from '../../protocol/base/errors.ts';
import { NAME_CHARS_MAX, PASSWORD_CHARS_MIN } from '../../protocol/base/limits.ts';
import { isName } from '../../protocol/base/names.ts';
import { addressText } from '../../protocol/base/address.ts';
import { parseRealmUrl } from '../../protocol/messages/realm.ts';
import { describeError } from '../messages/errorMessages.ts';
import { setting } from '../common/settings.ts';
import { uploadsText } from '../messages/uploadsText.ts';
import { runSteps, askChoice, askText } from '../prompts/quickInput.ts';
import type { Answer, Choice, StepPosition, Step } from '../prompts/quickInput.ts';
import { inMessage, withoutIcons, t } from '../common/l10n.ts';
import type { Command, CommandContext } from './context.ts';

/** In the list of trackers: none of them, but a pair of one's own. */
const NEW_PAIR = '\0new pair';

export const signIn: Command = async (context) => void (await signInAt(context));

/**
 * Asks for tracker, name and password, with this tracker offered first. Whether somebody is signed
 * in then.
 */
export async function signInAt(context: CommandContext, offered = ''): Promise<boolean> {
  const { store, savedState } = context;
  await signOutFirst(context);
  let user = savedState.lastUser;
  const title = t('Sign In to Shoal');
  const wantsPair = { is: false };
  const done = await runSteps(title, [
    trackerStep(context, wantsPair, offered),
    async (place) => {
      const answer = await askText(place, { prompt: t('User name'), value: user, check: checkName });
      if (typeof answer === 'string') user = answer;
      return answer;
    },
    (place) =>
      askText(place, {
        prompt: t('Password of {0}', inMessage(user)),
        isPassword: true,
        submit: (password) => signInAs(context, user, password),
      }),
  ]);
  if (wantsPair.is) void vscode.commands.executeCommand('shoal.startLocalPair');
  else if (done) await welcome(context, store.state.overview?.account?.user ?? user);
  return done && !wantsPair.is;
}

export const createAccount: Command = async (context) => void (await createAccountAt(context));

/** The same for somebody who has no account yet. */
export async function createAccountAt(context: CommandContext, offered = ''): Promise<boolean> {
  const { store } = context;
  await signOutFirst(context);
  let user = '';
  let password = '';
  const wantsPair = { is: false };
  const done = await runSteps(t('Create a Shoal Account'), [
    trackerStep(context, wantsPair, offered),
    async (place) => {
      const answer = await askText(place, {
        prompt: t('Choose a user name: letters, digits, dots, underscores, hyphens'),
        value: user,
        check: checkName,
      });
      if (typeof answer === 'string') user = answer;
      return answer;
    },
    async (place) => {
      const answer = await askText(place, {
        prompt: t('Choose a password of at least {0} characters. It cannot be recovered.', PASSWORD_CHARS_MIN),
        isPassword: true,
        check: checkPassword,
      });
      if (typeof answer === 'string') password = answer;
      return answer;
    },
    (place) =>
      askText(place, {
        prompt: t('The same password again'),
        isPassword: true,
        submit: async (again) => {
          if (again !== password) return t('The two passwords differ.');
          try {
            await store.call('createUser', { user, password });
          } catch (error) {
            return describeError(asShoalError(error)).sentence;
          }
          return signInAs(context, user, password);
        },
      }),
  ]);
  if (wantsPair.is) void vscode.commands.executeCommand('shoal.startLocalPair');
  else if (done) await welcome(context, user);
  return done && !wantsPair.is;
}

export const signOut: Command = async ({ store }) => {
  const { overview } = store.state;
  if (!overview?.account) return void (await store.call('signOut', {})); // says that nobody is signed in
  const served = uploadsText(overview.served);
  if (served !== undefined) {
    const out = t('Sign Out');
    const detail = t('Sharing stops at once. The next sign-in brings your shares and downloads back.');
    if ((await vscode.window.showWarningMessage(served, { modal: true, detail }, out)) !== out) return;
  }
  await store.call('signOut', {});
};

export const changePassword: Command = async ({ store }) => {
  let oldPassword = '';
  let newPassword = '';
  const keep =
    (put: (text: string) => void) =>
    (answer: Answer<string>): Answer<string> => {
      if (typeof answer === 'string') put(answer);
      return answer;
    };
  const done = await runSteps(t('Change Password'), [
    (place) =>
      askText(place, { prompt: t('The password until now'), isPassword: true }).then(
        keep((text) => (oldPassword = text)),
      ),
    (place) =>
      askText(place, {
        prompt: t('A new password of at least {0} characters', PASSWORD_CHARS_MIN),
        isPassword: true,
        check: checkPassword,
      }).then(keep((text) => (newPassword = text))),
    (place) =>
      askText(place, {
        prompt: t('The new password again'),
        isPassword: true,
        submit: async (again) => {
          if (again !== newPassword) return t('The two passwords differ.');
          return refusalOf(store.call('changePassword', { oldPassword, newPassword }));
        },
      }),
  ]);
  if (done) void vscode.window.showInformationMessage(t('The password is changed.'));
};

/** Somebody else is signed in: they are logged out first, if that is wanted. */
async function signOutFirst({ store }: CommandContext): Promise<void> {
  const user = store.state.overview?.account?.user;
  if (user === undefined) return;
  const out = t('Sign Out');
  const detail = [
    uploadsText(store.state.overview?.served ?? []) ?? '',
    t('Sharing as {0} stops until the next sign-in.', inMessage(user)),
  ]
    .join(' ')
    .trim();
  if (
    (await vscode.window.showInformationMessage(
      t('You are signed in as {0}.', inMessage(user)),
      { modal: true, detail },
      out,
    )) !== out
  ) {
    throw new vscode.CancellationError();
  }
  await store.call('signOut', {});
}

/** Which tracker: one that was used, one that is typed or pasted, or a pair of one's own. */
function trackerStep(context: CommandContext, wantsPair: { is: boolean }, offered = ''): Step {
  const { store, savedState, localTrackers } = context;
  let typed = '';
  return async (place: StepPosition): Promise<Answer<unknown>> => {
    const inUse = store.state.overview?.trackerUrl ?? '';
    const local = await localTrackers.known();
    const urls = [
      ...new Set([offered, inUse, setting('tracker'), typed, ...savedState.trackers, ...local.map(({ url }) => url)]),
    ].filter((url) => url !== '');
    const items: Choice<string>[] = urls.map((url) => ({
      label: withoutIcons(addressesOf(url)),
      description: local.some((pair) => pair.url === url)
        ? t('the pair on this computer')
        : url === inUse
          ? t('used last')
          : '',
      detail: withoutIcons(url),
      value: url,
    }));
    items.push({
      label: `$(add) ${t('Start a tracker pair on this computer…')}`,
      detail: t('For trying it out, or for a team in one network'),
      value: NEW_PAIR,
    });
    const answer = await askChoice(place, {
      placeholder:
        urls.length > 0
          ? t('Choose a tracker, or paste the URL you were given')
          : t('Paste the URL you were given: shoal://…'),
      items,
      active: offered === '' ? inUse : offered,
      typed: (text) => ({ label: `$(link) ${withoutIcons(text)}`, description: t('use this tracker'), value: text }),
    });
    if (typeof answer !== 'string') return answer;
    if (answer === NEW_PAIR) {
      wantsPair.is = true;
      return undefined;
    }
    typed = answer;
    // asked again: it was said why
    return (await useTracker(context, answer)) ? answer : trackerStep(context, wantsPair, offered)(place);
  };
}

/** Whether the tracker can be used. What went wrong is said. */
async function useTracker({ store, savedState }: CommandContext, url: string): Promise<boolean> {
  try {
    const progress = {
      location: vscode.ProgressLocation.Notification,
      title: t('Connecting to {0}', inMessage(addressesOf(url))),
    };
    const { url: full, firstUse } = await vscode.window.withProgress(progress, () =>
      store.call('setTracker', { url, confirm: true }),
    );
    if (firstUse) {
      if (!(await confirmTrust(full))) return false;
      await store.call('setTracker', { url: full, confirm: false });
    }
    await savedState.rememberTracker(full);
    return true;
  } catch (error) {
    if (isShoalError(error, 'engineUnreachable')) throw error;
    void vscode.window.showErrorMessage(describeError(asShoalError(error)).sentence);
    return false;
  }
}

/** A bare address says nothing about who answers there; a person may know. */
async function confirmTrust(url: string): Promise<boolean> {
  const go = t('Trust This Tracker');
  const detail = t(
    "It identifies itself as:\n{0}\n\nCompare this with what the tracker's operator sees. From now on exactly this identity is expected.",
    inMessage(url),
  );
  return (
    (await vscode.window.showWarningMessage(t('First contact with this tracker'), { modal: true, detail }, go)) === go
  );
}

const signInAs = async (
  { store, savedState }: CommandContext,
  user: string,
  password: string,
): Promise<string | undefined> => {
  const refused = await refusalOf(store.call('signIn', { user, password, hold: false }));
  if (refused === undefined) await savedState.rememberUser(user);
  return refused;
};

/** Why something was refused, in words; undefined when it was not. */
async function refusalOf(call: Promise<unknown>): Promise<string | undefined> {
  try {
    await call;
    return undefined;
  } catch (error) {
    return describeError(asShoalError(error)).sentence;
  }
}

async function welcome({ savedState }: CommandContext, user: string): Promise<void> {
  await vscode.commands.executeCommand('shoal.groups.focus');
  if (await savedState.markShown('signed in', 'everywhere')) return;
  void vscode.window.showInformationMessage(
    t('Signed in to Shoal as {0}. Create a group or join one; then right-click a file to share it.', inMessage(user)),
  );
}

const checkName = (text: string): string | undefined =>
  isName(text) ? undefined : t('1 to {0} letters, digits, dots, underscores or hyphens.', NAME_CHARS_MAX);
const checkPassword = (text: string): string | undefined =>
  [...text].length >= PASSWORD_CHARS_MIN ? undefined : t('At least {0} characters.', PASSWORD_CHARS_MIN);

/** The addresses in a tracker's URL, which are what a person knows it by. */
export function addressesOf(url: string): string {
  try {
    return parseRealmUrl(url).addresses.map(addressText).join(', ');
  } catch {
    return url;
  }
}
