// Questions to the person, one after the other in one input box: with Back, with "2/3", and nothing
// lost on the way back. VS Code's own showInputBox forgets everything at Esc.
import * as vscode from 'vscode';
import { asShoalError } from '../../protocol/base/errors.ts';
import { describeError } from '../messages/errorMessages.ts';
import { withoutIcons, t } from '../common/l10n.ts';

export const BACK = Symbol('back');
/** What was answered; undefined when the person changed their mind. */
export type Answer<T> = T | typeof BACK | undefined;

export interface StepPosition {
  readonly title: string;
  /** Counted from 1. */
  readonly step: number;
  readonly steps: number;
}

export interface TextOptions {
  readonly prompt: string;
  readonly placeholder?: string;
  readonly value?: string;
  readonly isPassword?: boolean;
  readonly mayBeEmpty?: boolean;
  /** What is wrong with it while it is typed. */
  readonly check?: (value: string) => string | undefined;
  /** Tries it when Enter is pressed; what is wrong with it keeps the question open. */
  readonly submit?: (value: string) => Promise<string | undefined>;
}

export function askText(
  place: StepPosition,
  { prompt, placeholder, value, isPassword, mayBeEmpty = false, check, submit }: TextOptions,
): Promise<Answer<string>> {
  const box = vscode.window.createInputBox();
  Object.assign(box, frame(place), { prompt, placeholder, value: value ?? '', password: isPassword === true });
  return show(box, (finish) => [
    box.onDidChangeValue((text) => (box.validationMessage = text === '' && !mayBeEmpty ? undefined : check?.(text))),
    box.onDidAccept(
      () =>
        void (async () => {
          const text = box.value;
          const wrong = text === '' && !mayBeEmpty ? t('This cannot be empty.') : check?.(text);
          if (wrong !== undefined) return void (box.validationMessage = wrong);
          if (submit && !box.busy) {
            box.busy = true;
            box.enabled = false;
            const refused = await submit(text).catch(sentenceOf); // the box must not stay shut
            box.busy = false;
            box.enabled = true;
            if (refused !== undefined) return void (box.validationMessage = refused);
          } else if (submit) {
            return;
          }
          finish(text);
        })(),
    ),
  ]);
}

export interface Choice<T> extends vscode.QuickPickItem {
  readonly value?: T;
}

export interface ChoiceOptions<T> {
  readonly placeholder: string;
  readonly items: readonly Choice<T>[];
  readonly active?: T;
  /** Makes a choice of what is typed, put first. */
  readonly typed?: (text: string) => Choice<T> | undefined;
  /** Fills in the items later; the box is busy until then. */
  readonly load?: () => Promise<readonly Choice<T>[]>;
  /** What to say when there is nothing to choose. */
  readonly empty?: string;
}

export function askChoice<T>(
  place: StepPosition,
  { placeholder, items, active, typed, load, empty }: ChoiceOptions<T>,
): Promise<Answer<T>> {
  const box = vscode.window.createQuickPick<Choice<T>>();
  let all = items;
  Object.assign(box, frame(place), {
    placeholder,
    matchOnDescription: true,
    matchOnDetail: true,
    keepScrollPosition: true,
  });
  const refresh = (): void => {
    const typedItem = box.value.trim() === '' ? undefined : typed?.(box.value.trim());
    const none: readonly Choice<T>[] =
      all.length === 0 && !typedItem && !box.busy && empty !== undefined ? [{ label: empty, alwaysShow: true }] : [];
    box.items = [...(typedItem ? [{ ...typedItem, alwaysShow: true }] : []), ...all, ...none];
  };
  refresh();
  const first = all.find(({ value }) => value !== undefined && value === active);
  if (first) box.activeItems = [first];
  return show(box, (finish) => {
    if (load) {
      box.busy = true;
      void load().then(
        (loaded) => {
          all = loaded;
          box.busy = false;
          refresh();
        },
        (error: unknown) => {
          box.busy = false;
          box.items = [{ label: withoutIcons(sentenceOf(error)), alwaysShow: true }];
        },
      );
    }
    return [
      box.onDidChangeValue(() => typed && refresh()),
      box.onDidAccept(() => {
        // Enter may come before what was typed is in the list.
        const value = (box.selectedItems[0] ?? typed?.(box.value.trim()))?.value;
        if (value !== undefined && value !== '') finish(value);
      }),
    ];
  });
}

export interface SearchOptions<T> {
  readonly placeholder: string;
  /** What is shown for what was typed, the best first. VS Code leaves nothing out of it. */
  readonly find: (typed: string) => readonly Choice<T>[];
  /** Makes it ready to be searched, when it is not yet. */
  readonly load?: () => Promise<void>;
  /** What to say when nothing was found. */
  readonly empty: string;
  /** What the answer is when a button of a row is pressed. */
  readonly pressed?: (value: T, button: vscode.QuickInputButton) => T;
}

/** One out of very many: they are searched here, and only the best are handed to VS Code. */
export async function askFound<T>(
  title: string,
  { placeholder, find, load, empty, pressed }: SearchOptions<T>,
): Promise<T | undefined> {
  const box = vscode.window.createQuickPick<Choice<T>>();
  Object.assign(box, frame({ title, step: 1, steps: 1 }), { placeholder, matchOnDescription: true });
  const refresh = (): void => {
    const found = find(box.value);
    box.items =
      found.length > 0 || box.busy
        ? found.map((one) => ({ ...one, alwaysShow: true }))
        : [{ label: empty, alwaysShow: true }];
  };
  const answer = await show<T>(box, (finish) => {
    box.busy = load !== undefined;
    refresh();
    const loaded = (error?: unknown): void => {
      box.busy = false;
      refresh();
      if (error) box.items = [{ label: withoutIcons(sentenceOf(error)), alwaysShow: true }];
    };
    load?.().then(() => loaded(), loaded);
    return [
      box.onDidChangeValue(refresh),
      box.onDidTriggerItemButton(
        ({ item, button }) => item.value !== undefined && pressed && finish(pressed(item.value, button)),
      ),
      box.onDidAccept(() => {
        const value = box.selectedItems[0]?.value;
        if (value !== undefined) finish(value);
      }),
    ];
  });
  return answer === BACK ? undefined : answer;
}

export interface SeveralOptions<T> {
  readonly placeholder: string;
  readonly items: readonly Choice<T>[];
  /** What is said of all that is chosen, beside the title. */
  readonly sum: (chosen: readonly T[]) => string;
}

/** Any number of several; none is an answer, too. */
export async function askSeveral<T>(
  title: string,
  { placeholder, items, sum }: SeveralOptions<T>,
): Promise<readonly T[] | undefined> {
  const box = vscode.window.createQuickPick<Choice<T>>();
  Object.assign(box, frame({ title, step: 1, steps: 1 }), {
    placeholder,
    canSelectMany: true,
    matchOnDescription: true,
    keepScrollPosition: true,
    items,
  });
  const chosen = (): readonly T[] => box.selectedItems.flatMap(({ value }) => (value === undefined ? [] : [value]));
  const answer = await show<readonly T[]>(box, (finish) => [
    box.onDidChangeSelection(() => {
      const all = sum(chosen());
      box.title = all === '' ? title : `${title} · ${all}`;
    }),
    box.onDidAccept(() => finish(chosen())),
  ]);
  return answer === BACK ? undefined : answer;
}

/** What went wrong, where it would have been chosen from a list or typed. */
const sentenceOf = (error: unknown): string => describeError(asShoalError(error)).sentence;

const frame = ({
  title,
  step,
  steps,
}: StepPosition): Partial<vscode.QuickInput> & { buttons: vscode.QuickInputButton[] } => ({
  title,
  ...(steps > 1 && { step, totalSteps: steps }),
  ignoreFocusOut: true,
  buttons: step > 1 ? [vscode.QuickInputButtons.Back] : [],
});

type Box = Pick<vscode.InputBox, 'show' | 'dispose' | 'onDidHide' | 'onDidTriggerButton'>;

function show<T>(
  box: Box,
  listen: (finish: (answer: Answer<T>) => void) => readonly vscode.Disposable[],
): Promise<Answer<T>> {
  return new Promise((resolve) => {
    const finish = (answer: Answer<T>): void => {
      resolve(answer);
      for (const one of all) one.dispose();
      box.dispose();
    };
    const all: readonly vscode.Disposable[] = [
      ...listen(finish),
      box.onDidTriggerButton((button) => button === vscode.QuickInputButtons.Back && finish(BACK)),
      box.onDidHide(() => finish(undefined)),
    ];
    box.show();
  });
}

/** One question; it keeps what was answered where the next ones find it. */
export type Step = (place: StepPosition) => Promise<Answer<unknown>>;

/** Asks all; Back goes to the one before. Whether all were answered. */
export async function runSteps(title: string, steps: readonly Step[]): Promise<boolean> {
  for (let n = 0; n < steps.length;) {
    const answer = await steps[n]?.({ title, step: n + 1, steps: steps.length });
    if (answer === undefined) return false;
    n += answer === BACK ? -1 : 1;
  }
  return true;
}
