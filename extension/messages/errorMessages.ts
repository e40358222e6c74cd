// What went wrong, in the words of a window: errors.ts speaks of options and verbs of the command
// line, here there are buttons. Pure.
import type { ErrorCode, ShoalError } from '../../protocol/base/errors.ts';
import { inMessage, t } from '../common/l10n.ts';

/** Something a person can do about it: the words of a button, and the command behind it. */
export interface ErrorAction {
  readonly label: string;
  readonly command: string;
}

export interface ErrorDescription {
  readonly sentence: string;
  readonly actions: readonly ErrorAction[];
}

type Field = (name: string) => string;

/**
 * Where the window knows better words than the row of the code. Those that are missing are said as
 * the row says them.
 */
const SENTENCES: Partial<Record<ErrorCode, (field: Field) => string>> = {
  notSignedIn: () => t('You are not signed in.'),
  signedInAlready: (field) => t('You are signed in as {0}. Sign out first.', field('user')),
  trackerUnknown: () => t('No tracker is set. Sign in to name one.'),
  badTrackerUrl: (field) =>
    t('{0} is not a tracker URL. It looks like shoal://…@host:7070 or host:7070.', field('url')),
  trackerUnreachable: (field) =>
    t('No tracker can be reached ({0}). Check that it runs and try again.', field('address')),
  tooManyDevices: (field) =>
    t('This account is signed in on {0} devices already. Sign out on one of them.', field('max')),
  fileExists: (field) =>
    t('{0} is in {1} already, shared by {2} with other content.', field('name'), field('group'), field('user')),
  destinationExists: (field) => t('{0} exists already; nothing was overwritten.', field('path')),
  wrongRealm: (field) =>
    t(
      'The tracker at {0} is not the one that was expected. It may have been set up anew, or somebody ' +
        'else answers in its place. Nothing was sent. Ask whoever runs it for its URL.',
      field('address'),
    ),
  engineNewer: (field) =>
    t(
      'A newer Shoal ({0}) is running, and this window still has {1}. Reload the window.',
      field('theirs'),
      field('ours'),
    ),
  engineUnreachable: (field) => t("Shoal's engine does not answer: {0}.", field('why')),
  listenFailed: (field) =>
    t('Cannot listen on {0} ({1}). Choose another place in the setting shoal.listen.', field('address'), field('why')),
  linkClosed: () => t('The engine was stopped meanwhile. Try again.'),
  passwordMissing: () => t('No password was given.'),
  maybeSecret: (field) => t('{0} may hold secrets.', field('names')),
  otherTracker: (field) => t('This link belongs to another tracker ({0}). Sign in there first.', field('address')),
  noLocalPair: () => t('There is no tracker pair on this computer.'),
};

const SIGN_IN = (): ErrorAction => ({ label: t('Sign In'), command: 'shoal.signIn' });
const SHOW_LOG = (): ErrorAction => ({ label: t('Show Log'), command: 'shoal.showLog' });
const RELOAD = (): ErrorAction => ({ label: t('Reload Window'), command: 'workbench.action.reloadWindow' });

const ACTIONS: Partial<Record<ErrorCode, () => readonly ErrorAction[]>> = {
  notSignedIn: () => [SIGN_IN()],
  trackerUnknown: () => [SIGN_IN()],
  engineNewer: () => [RELOAD()],
  engineUnreachable: () => [{ label: t('Try Again'), command: 'shoal.startEngine' }, SHOW_LOG()],
  internal: () => [SHOW_LOG()],
  homeUnusable: () => [SHOW_LOG()],
};

export function describeError(error: ShoalError): ErrorDescription {
  const { code, fields, message } = error;
  const own = SENTENCES[code]?.((name) => inMessage(String(fields[name] ?? '')));
  return { sentence: own ?? asSentence(inMessage(message)), actions: ACTIONS[code]?.() ?? [] };
}

/** The same in a row, among other words: without a full stop. */
export function errorPhrase(error: ShoalError): string {
  const { code, message } = error;
  return SENTENCES[code] ? describeError(error).sentence.replace(/\.$/, '') : message;
}

const asSentence = (text: string): string =>
  `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`;
