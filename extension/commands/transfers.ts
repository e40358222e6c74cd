// Commands of transfers: pause and resume them, change their order and speed, end them, and look
// into their swarms.
import * as vscode from 'vscode';
import { formatRate, tryParseRate } from '../../protocol/frontend/format.ts';
import type { Priority, QueueMove, Transfer } from '../../protocol/messages/engineLink.ts';
import { isComplete, isUnfinished } from '../../protocol/frontend/transferState.ts';
import { plural, inMessage, t } from '../common/l10n.ts';
import type { Command, CommandArgument, CommandSelection, CommandContext } from './context.ts';
import { subjectsOf, forEach } from './context.ts';

/**
 * The downloads that a menu gave: of several that are selected, those that it makes sense for. One
 * that is asked for, when it gave none.
 */
async function pickDownloads(
  { pickers, store }: CommandContext,
  argument: CommandArgument,
  selection: CommandSelection,
  title: string,
  question: string,
  fits: (transfer: Transfer) => boolean,
): Promise<readonly Transfer[]> {
  const chosen = subjectsOf(argument, selection).flatMap(({ transfer }) =>
    transfer === undefined ? [] : (store.state.transfers.get(transfer) ?? []),
  );
  if (chosen.length > 0) return chosen.length > 1 ? chosen.filter(fits) : chosen;
  const picked = await pickers.transfer(title, question, fits);
  return picked ? [picked] : [];
}

const isPausable = (one: Transfer): boolean =>
  isUnfinished(one) && one.state !== 'paused' && one.state !== 'failed' && one.state !== 'choosing';
const isResumable = (one: Transfer): boolean => isUnfinished(one) && (one.state === 'paused' || one.state === 'failed');

export const pauseDownload: Command = async (context, argument, selection) => {
  await forEach(
    await pickDownloads(context, argument, selection, t('Pause Download'), t('Pause which download?'), isPausable),
    ({ id }) => context.store.call('pause', { transfer: id }),
  );
};

export const resumeDownload: Command = async (context, argument, selection) => {
  await forEach(
    await pickDownloads(context, argument, selection, t('Resume Download'), t('Resume which download?'), isResumable),
    ({ id }) => context.store.call('resume', { transfer: id }),
  );
};

/** A failed one once more: what has arrived is kept. */
export const retryDownload: Command = async (context, argument, selection) => {
  const isFailed = (one: Transfer): boolean => isUnfinished(one) && one.state === 'failed';
  await forEach(
    await pickDownloads(context, argument, selection, t('Retry Download'), t('Try which download again?'), isFailed),
    ({ id }) => context.store.call('resume', { transfer: id }),
  );
};

export const cancelDownload: Command = async (context, argument, selection) => {
  await forget(
    context,
    await pickDownloads(context, argument, selection, t('Cancel Download'), t('Cancel which download?'), isUnfinished),
    t('Cancel Download'),
  );
};

/** Takes finished, failed or lost transfers out of the list; finished files stay. */
export const clearTransfer: Command = async (context, argument, selection) => {
  const fits = (one: Transfer): boolean => !isUnfinished(one) || one.state === 'failed';
  await forget(
    context,
    await pickDownloads(context, argument, selection, t('Remove from List'), t('Remove which one?'), fits),
    t('Remove from List'),
  );
};

/**
 * Forgets transfers; the pieces of a download that is not whole go with it, so that is asked for.
 */
async function forget({ store }: CommandContext, transfers: readonly Transfer[], answer: string): Promise<void> {
  const lost = transfers.filter((one) => isUnfinished(one) && one.heldPieces > 0);
  if (lost.length > 0) {
    const detail = t('What has arrived is deleted. Pause it to keep that.');
    const question = plural(
      lost.length,
      'Cancel the download of {1}?',
      'Cancel {0} downloads?',
      inMessage(lost[0]?.name ?? ''),
    );
    if ((await vscode.window.showWarningMessage(question, { modal: true, detail }, answer)) !== answer) return;
  }
  await forEach(transfers, ({ id }) => store.call('cancelTransfer', { transfer: id }));
}

/**
 * Empties the section Completed. What has come and gone again, or was paused when it was whole,
 * goes too.
 */
export const clearCompleted: Command = async ({ store }) => {
  const done = [...store.state.transfers.values()].filter(isComplete);
  if (done.length === 0) return;
  const clear = t('Clear');
  const detail = t('The files stay where they are, but this machine no longer serves them to the group.');
  if (
    (await vscode.window.showWarningMessage(
      plural(
        done.length,
        'Remove {0} completed download from the list?',
        'Remove {0} completed downloads from the list?',
      ),
      { modal: true, detail },
      clear,
    )) !== clear
  ) {
    return;
  }
  await forEach(done, ({ id }) => store.call('cancelTransfer', { transfer: id }));
};

/** Marks downloads as those that this window opens when they are done, or takes the mark away. */
const markOpenWhenDone =
  (title: () => string, question: () => string, opens: boolean): Command =>
  async (context, argument, selection) => {
    const fits = (one: Transfer): boolean => isUnfinished(one) && context.openWhenDone.ids.has(one.id) !== opens;
    const chosen = await pickDownloads(context, argument, selection, title(), question(), fits);
    await context.openWhenDone.mark(
      chosen.filter(fits).map(({ id }) => id),
      opens,
    );
  };
export const openWhenDone = markOpenWhenDone(
  () => t('Open When Done'),
  () => t('Open which download when it is done?'),
  true,
);
export const doNotOpenWhenDone = markOpenWhenDone(
  () => t('Do Not Open When Done'),
  () => t('Which download shall not be opened when it is done?'),
  false,
);

export const pauseAll: Command = async ({ store }) => {
  await forEach([...store.state.transfers.values()].filter(isPausable), ({ id }) =>
    store.call('pause', { transfer: id }),
  );
};

export const resumeAll: Command = async ({ store }) => {
  await forEach([...store.state.transfers.values()].filter(isResumable), ({ id }) =>
    store.call('resume', { transfer: id }),
  );
};

/** What is changed of a download; the rest stays. */
const UNCHANGED = {
  downLimitBytesPerS: undefined,
  upLimitBytesPerS: undefined,
  mode: undefined,
  priority: undefined,
  move: undefined,
  moveTo: undefined,
} as const;

const moveInQueue =
  (title: () => string, move: QueueMove): Command =>
  async (context, argument, selection) => {
    const chosen = await pickDownloads(context, argument, selection, title(), t('Move which download?'), isUnfinished);
    const inOrder = [...chosen].sort((a, b) => a.place - b.place);
    // The last one goes to the top first, and the first one to the bottom or up, so that they keep
    // their order.
    await forEach(move === 'top' || move === 'down' ? inOrder.reverse() : inOrder, ({ id }) =>
      context.store.call('adjust', { ...UNCHANGED, transfer: id, move }),
    );
  };
export const moveToTop = moveInQueue(() => t('Move to Top'), 'top');
export const moveUp = moveInQueue(() => t('Move Up'), 'up');
export const moveDown = moveInQueue(() => t('Move Down'), 'down');
export const moveToBottom = moveInQueue(() => t('Move to Bottom'), 'bottom');

/**
 * Puts downloads where another one stands, all together and in their order: those from above behind
 * it, those from below before it.
 */
export async function moveToPlace(
  { store }: Pick<CommandContext, 'store'>,
  ids: readonly number[],
  target: number,
): Promise<void> {
  const unfinished = (id: number): Transfer | undefined =>
    [store.state.transfers.get(id)].find((one) => one && isUnfinished(one));
  const place = unfinished(target)?.place;
  if (place === undefined) return;
  const moved = ids
    .filter((id) => id !== target)
    .flatMap((id) => unfinished(id) ?? [])
    .sort((a, b) => a.place - b.place);
  for (const some of [moved.filter((one) => one.place < place), moved.filter((one) => one.place > place).reverse()]) {
    let last = target;
    for (const { id } of some) {
      await store.call('adjust', { ...UNCHANGED, transfer: id, moveTo: last });
      last = id;
    }
  }
}

export const setPriority: Command = async (context, argument, selection) => {
  const chosen = await pickDownloads(
    context,
    argument,
    selection,
    t('Priority'),
    t('Change the priority of which download?'),
    isUnfinished,
  );
  if (chosen.length === 0) return;
  const items: readonly { readonly label: string; readonly value: Priority }[] = [
    { label: t('High'), value: 'high' },
    { label: t('Normal'), value: 'normal' },
    { label: t('Low'), value: 'low' },
  ];
  const priority = await context.pickers.choice(t('Priority'), {
    placeholder: t('Those of high priority fetch first, those of low priority last.'),
    items,
    active: chosen[0]?.priority === 'other' ? 'normal' : (chosen[0]?.priority ?? 'normal'),
    empty: '',
  });
  if (priority !== undefined) {
    await forEach(chosen, ({ id }) => context.store.call('adjust', { ...UNCHANGED, transfer: id, priority }));
  }
};

export const limitSpeed: Command = async (context, argument, selection) => {
  const chosen = await pickDownloads(
    context,
    argument,
    selection,
    t('Limit Speed'),
    t('Limit the speed of which one?'),
    () => true,
  );
  const [first] = chosen;
  if (!first) return;
  const ask = async (prompt: string, bytesPerS: number): Promise<number | undefined> => {
    const check = (text: string): string | undefined =>
      tryParseRate(text) === undefined ? t('Bytes per second, such as 500K or 2M; 0 for no limit') : undefined;
    const text = await context.pickers.text(t('Limit Speed'), {
      prompt,
      value: bytesPerS === 0 ? '0' : formatRate(bytesPerS),
      check,
    });
    return text === undefined ? undefined : tryParseRate(text);
  };
  const down = chosen.some(isUnfinished)
    ? await ask(t('Most to download per second, such as 500K or 2M; 0 for no limit'), first.downLimitBytesPerS)
    : first.downLimitBytesPerS;
  const up =
    down === undefined
      ? undefined
      : await ask(t('Most to upload per second, such as 500K or 2M; 0 for no limit'), first.upLimitBytesPerS);
  if (up === undefined) return;
  await forEach(chosen, ({ id }) =>
    context.store.call('adjust', { ...UNCHANGED, transfer: id, downLimitBytesPerS: down, upLimitBytesPerS: up }),
  );
};

/** One, however many are selected: each is a tab that draws twice a second. */
export const inspectSwarm: Command = async ({ pickers, inspectorPanels }, argument) => {
  const transfer =
    subjectsOf(argument)[0]?.transfer ??
    (await pickers.transfer(t('Inspect Swarm'), t('The swarm of which file?'), () => true))?.id;
  if (transfer !== undefined) inspectorPanels.show(transfer);
};
