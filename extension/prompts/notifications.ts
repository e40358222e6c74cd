// What a person is told without having asked: somebody wants in, a request was answered, a download
// failed. Of several windows one tells it.
import * as vscode from 'vscode';
import { describeError } from '../messages/errorMessages.ts';
import type { ErrorAction } from '../messages/errorMessages.ts';
import { Throttler } from '../../protocol/async/throttler.ts';
import { nodeClock } from '../../protocol/node/nodeWorld.ts';
import { waitingRequests } from '../state/state.ts';
import type { Store } from '../engineClient/store.ts';
import { plural, inMessage, t } from '../common/l10n.ts';
import type { EngineEvent } from '../../protocol/messages/engineLink.ts';
import type { Conflict } from '../../protocol/messages/trackerLink.ts';
import { asShoalError, isErrorCode, ShoalError } from '../../protocol/base/errors.ts';
import { fromWire } from '../../protocol/wire/wireErrors.ts';

/** How long a window that is not in front leaves a notice to the one that is, in ms. */
const BACKGROUND_DELAY_MS = 400;
/** How long what comes together is collected into one notice, in ms. */
const COLLECT_MS = 500;

export class Notifications implements vscode.Disposable {
  readonly #store: Store;
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #requests = new EventBatch((events) => this.#showRequests(events));
  readonly #failures = new EventBatch((events) => this.#showFailures(events));

  constructor(store: Store) {
    this.#store = store;
    store.onEvent((event) => this.#onEvent(event));
  }

  dispose(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#requests.dispose();
    this.#failures.dispose();
  }

  #onEvent(event: EngineEvent): void {
    // The window in front takes it at once, the others only what nobody took.
    // the engine is gone: so is its news
    this.#after(
      vscode.window.state.focused ? 0 : BACKGROUND_DELAY_MS,
      () => void this.#notify(event).catch(() => undefined),
    );
  }

  async #notify(event: EngineEvent): Promise<void> {
    const { what, group, id } = event;
    if (what === 'downloaded' || what === 'other') return; // the window that asked for it says so
    const { mine } = await this.#store.call('claim', { key: `event ${id}` });
    if (!mine) return;
    switch (what) {
      case 'requestReceived':
        return this.#requests.add(event);
      case 'accepted':
        return show(t('You are a member of {0} now.', inMessage(group)), [
          { label: t('Show Files'), command: 'shoal.files.focus' },
        ]);
      case 'rejected':
        return show(t('Your request to join {0} was rejected.', inMessage(group)));
      case 'removed':
        return show(
          t(
            'You were removed from {0}. What you shared and downloaded there has stopped; files on this machine stay.',
            inMessage(group),
          ),
        );
      case 'signedOut':
        return show(t('This device was signed out of Shoal.'), [{ label: t('Sign In'), command: 'shoal.signIn' }]);
      case 'renamed':
      case 'conflict':
        return event.conflict && this.#conflict(event.conflict);
      case 'failed':
        return this.#failures.add(event);
    }
  }

  #showRequests([first, ...others]: readonly EngineEvent[]): void {
    if (first && others.length === 0) {
      void this.#askAbout(first).catch(
        (error: unknown) => void vscode.window.showErrorMessage(describeError(asShoalError(error)).sentence),
      );
    } else if (first) {
      show(
        plural(
          others.length,
          '{1} and {0} other ask to join your groups.',
          '{1} and {0} others ask to join your groups.',
          inMessage(first.user),
        ),
        [{ label: t('Review'), command: 'shoal.reviewRequests' }],
      );
    }
  }

  async #askAbout({ group, user }: EngineEvent): Promise<void> {
    const accept = t('Accept');
    const reject = t('Reject');
    const answer = await vscode.window.showInformationMessage(
      t('{0} asks to join {1}.', inMessage(user), inMessage(group)),
      accept,
      reject,
    );
    if (answer !== accept && answer !== reject) return;
    // Somebody may have answered meanwhile, here or on another device.
    if (!waitingRequests(this.#store.state).some((one) => one.group.name === group && one.user === user)) {
      return show(t('The request of {0} was answered already.', inMessage(user)));
    }
    await this.#store.call(answer === accept ? 'acceptRequest' : 'rejectRequest', { group, user });
  }

  /** Two things were done at once, at two trackers that could not reach each other. */
  #conflict({ what, result, group, wanted, name, isMine }: Conflict): void {
    const [wantedName, actualName] = [inMessage(wanted), inMessage(name)];
    if (result === 'renamed' && what === 'createAccount') {
      return show(t('Two people took the name {0} at the same moment. You are {1} now.', wantedName, actualName), [
        { label: t('Choose Another Name'), command: 'shoal.renameAccount' },
      ]);
    }
    if (result === 'renamed' && isMine) {
      return show(t('Two groups took the name {0} at the same moment. Yours is {1} now.', wantedName, actualName), [
        { label: t('Rename Group'), command: 'shoal.renameGroup' },
      ]);
    }
    if (result === 'renamed') {
      return show(
        t('Two groups took the name {0} at the same moment. The one you are in is {1} now.', wantedName, actualName),
      );
    }
    const why = isErrorCode(result)
      ? describeError(new ShoalError(result, { group, name: wanted, user: t('that person') })).sentence
      : '';
    show(
      t(
        '{0} had no effect in the end, because something else was done at the same moment. {1}',
        operationText(what, inMessage(group), wantedName),
        why,
      ),
      [{ label: t('Show Groups'), command: 'shoal.groups.focus' }],
    );
  }

  #showFailures([first, ...others]: readonly EngineEvent[]): void {
    if (!first) return;
    const { group, name } = first;
    const transfer = [...this.#store.state.transfers.values()].find(
      (one) => one.kind === 'download' && one.groupName === group && one.name === name && one.state === 'failed',
    );
    const why = transfer?.error ? describeError(fromWire(transfer.error)).sentence : '';
    const sentence =
      others.length === 0
        ? t('The download of {0} failed. {1}', inMessage(name), why)
        : plural(
            others.length,
            'The download of {1} and {0} other failed. {2}',
            'The download of {1} and {0} others failed. {2}',
            inMessage(name),
            why,
          );
    void vscode.window
      .showErrorMessage(sentence, t('Show Downloads'))
      .then((answer) => answer && vscode.commands.executeCommand('shoal.downloads.focus'));
  }

  #after(delayMs: number, run: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      run();
    }, delayMs);
    this.#timers.add(timer);
  }
}

/**
 * Several events of a kind that come together are one notice: a full disk ends many downloads at
 * once.
 */
class EventBatch {
  readonly #events: EngineEvent[] = [];
  readonly #throttler: Throttler;

  constructor(show: (events: readonly EngineEvent[]) => void) {
    this.#throttler = new Throttler(nodeClock, { restMs: 0, delayMs: COLLECT_MS }, () => show(this.#events.splice(0)));
  }

  add(event: EngineEvent): void {
    this.#events.push(event);
    this.#throttler.request();
  }

  dispose(): void {
    this.#throttler.cancel();
  }
}

function show(sentence: string, actions: readonly ErrorAction[] = []): void {
  void vscode.window.showInformationMessage(sentence, ...actions.map(({ label }) => label)).then((answer) => {
    const action = actions.find(({ label }) => label === answer);
    if (action) void vscode.commands.executeCommand(action.command);
  });
}

/** What somebody did, as the beginning of a sentence. */
function operationText(what: string, group: string, name: string): string {
  switch (what) {
    case 'createGroup':
      return t('Creating the group {0}', name);
    case 'requestJoin':
      return t('Asking to join {0}', group);
    case 'cancelRequest':
      return t('Taking back your request to join {0}', group);
    case 'acceptRequest':
      return t('Accepting a request to join {0}', group);
    case 'rejectRequest':
      return t('Rejecting a request to join {0}', group);
    case 'leaveGroup':
      return t('Leaving {0}', group);
    case 'removeMember':
      return t('Removing a member of {0}', group);
    case 'transferGroup':
      return t('Giving {0} to another member', group);
    case 'deleteGroup':
      return t('Deleting {0}', group);
    case 'renameGroup':
      return t('Renaming {0} to {1}', group, name);
    case 'shareFile':
      return t('Sharing {1} in {0}', group, name);
    case 'stopShare':
      return t('No longer sharing {1} in {0}', group, name);
    case 'removeFile':
      return t('Removing {1} from {0}', group, name);
    default:
      return t('Something you did');
  }
}
