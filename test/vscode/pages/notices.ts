// What VS Code puts before a person unasked: notifications, dialogs, and the status bar.
import type { Locator } from 'playwright-core';
import { readRows, revealRow } from './lists.ts';
import { exactly, fits } from './windowBase.ts';
import type { WindowBase } from './windowBase.ts';

export interface Notification {
  readonly message: string;
  readonly buttons: readonly string[];
  /** The extension that shows it. */
  readonly source: string;
  readonly severity: 'info' | 'warning' | 'error' | undefined;
  readonly hasProgress: boolean;
}

export interface Dialog {
  readonly message: string;
  readonly detail: string;
  readonly buttons: readonly string[];
}

export interface StatusItem {
  /** Without icons. */
  readonly text: string;
  /** What a screen reader says: names of icons, the text, the tooltip. */
  readonly says: string;
  readonly icons: readonly string[];
  /** `warning` or `error` where it is coloured. */
  readonly kind: 'warning' | 'error' | undefined;
}

/**
 * All notifications, newest first. They are read in the notification centre, which is closed again.
 */
export async function notifications(window: WindowBase): Promise<Notification[]> {
  return inCentre(window, readCentre);
}

/** Waits for a notification, and presses a button of it. */
export async function clickNotification(window: WindowBase, message: RegExp | string, button: string): Promise<void> {
  await window.until(`a notification ${String(message)} with the button “${button}”`, () =>
    inCentre(window, async (list) => {
      const all = await readCentre(list);
      const index = all.findIndex((one) => fits(one.message, message) && one.buttons.includes(button));
      const row = index >= 0 && (await revealRow(list, (one) => one.index === index));
      if (!row) {
        throw new Error(
          `the notifications are: ${all.map((one) => `${one.message} [${one.buttons.join('] [')}]`).join(' | ') || 'none'}`,
        );
      }
      await row
        .locator('.notification-list-item-buttons-container .monaco-button')
        .filter({ hasText: exactly(button) })
        .click({ timeout: 3_000 });
      return true;
    }),
  );
}

/** Throws all notifications away. */
export async function clearNotifications(window: WindowBase): Promise<void> {
  await window.until('the notifications to be cleared', async () => {
    await inCentre(window, async () => {
      const button = centre(window).locator('.codicon-notifications-clear-all:not(.disabled)');
      if ((await button.count()) > 0) await button.click({ timeout: 2_000 });
    });
    return (await notifications(window)).length === 0;
  });
}

async function inCentre<T>(window: WindowBase, use: (list: Locator) => Promise<T>): Promise<T> {
  await window.until('the notification centre', async () => {
    if ((await centre(window).count()) === 0) {
      await window.page.locator('[id="status.notifications"] a').click({ timeout: 3_000 });
    }
    return centre(window)
      .waitFor({ timeout: 2_000 })
      .then(() => true);
  });
  try {
    return await use(centre(window).locator('.notifications-list-container .monaco-list'));
  } finally {
    // Pressing the last button of the last notification closes it, too.
    if ((await centre(window).count()) > 0) {
      await centre(window)
        .locator('.codicon-notifications-hide')
        .click({ timeout: 2_000 })
        .catch(() => {});
    }
    await centre(window)
      .waitFor({ state: 'detached', timeout: 5_000 })
      .catch(() => {});
  }
}

async function readCentre(list: Locator): Promise<Notification[]> {
  if ((await list.count()) === 0) return [];
  const found: Notification[] = [];
  for (const { index } of await readRows(list)) {
    const row = await revealRow(list, (one) => one.index === index);
    if (!row) continue;
    const [message, buttons, source, icon, progress] = await Promise.all([
      row.locator('.notification-list-item-message').innerText({ timeout: 2_000 }),
      row
        .locator('.notification-list-item-buttons-container .monaco-button:not(.monaco-dropdown-button)')
        .allInnerTexts(),
      row.locator('.notification-list-item-source').textContent({ timeout: 2_000 }),
      row.locator('.notification-list-item-icon').getAttribute('class', { timeout: 2_000 }),
      row.locator('.monaco-progress-container.active').count(),
    ]);
    const severity = /codicon-(info|warning|error)\b/.exec(icon ?? '')?.[1] as Notification['severity'];
    found.push({
      message: message.trim(),
      buttons: buttons.map((text) => text.trim()),
      source: (source ?? '').replace(/^Source: /, ''),
      severity,
      hasProgress: progress > 0,
    });
  }
  return found;
}

/** The modal dialog that is open; undefined if none is. */
export async function dialog(window: WindowBase): Promise<Dialog | undefined> {
  if ((await box(window).count()) === 0) return undefined;
  const [message, detail, buttons] = await Promise.all([
    box(window).locator('.dialog-message').allInnerTexts(),
    box(window).locator('.dialog-message-detail').allInnerTexts(),
    box(window).locator('.dialog-buttons .monaco-button').allInnerTexts(),
  ]);
  // One that says little says it where others have their details.
  const [first = '', ...rest] = [...message, ...detail].map((text) => text.trim());
  return { message: first, detail: rest.join('\n'), buttons: buttons.map((text) => text.trim()) };
}

/** Waits for a dialog, and answers it. */
export async function clickDialog(window: WindowBase, button: string): Promise<void> {
  let answered: Dialog | undefined;
  await window.until(`a dialog with the button “${button}”`, async () => {
    const now = await dialog(window);
    if (answered && JSON.stringify(now) !== JSON.stringify(answered)) return true;
    if (!now) throw new Error('there is no dialog');
    if (!now.buttons.includes(button)) throw new Error(`“${now.message}” has the buttons ${now.buttons.join(' | ')}`);
    await box(window)
      .locator('.dialog-buttons .monaco-button')
      .filter({ hasText: exactly(button) })
      .click({ timeout: 2_000 });
    answered = now;
    return box(window)
      .waitFor({ state: 'detached', timeout: 500 })
      .then(
        () => true,
        () => false,
      );
  });
}

/** The first item of the status bar whose text fits; undefined if none does. */
export async function statusBarItem(window: WindowBase, text: RegExp | string): Promise<StatusItem | undefined> {
  const items = await window.page.locator('.part.statusbar .statusbar-item').evaluateAll((all) =>
    all.map((one) => {
      const item = one as unknown as {
        textContent: string;
        className: string;
        ariaLabel: string | null;
        querySelectorAll(selector: string): Iterable<{ className: string }>;
      };
      const icons = [...item.querySelectorAll('.codicon')].map(
        ({ className }) => /codicon-([\w-]+(?:~\w+)?)/.exec(className)?.[1] ?? '',
      );
      const kind = item.className.includes('error-kind')
        ? 'error'
        : item.className.includes('warning-kind')
          ? 'warning'
          : undefined;
      return { text: item.textContent.replace(/\s+/g, ' ').trim(), says: item.ariaLabel ?? '', icons, kind } as const;
    }),
  );
  return items.find((item) => fits(item.text, text));
}

export async function clickStatusBarItem(window: WindowBase, text: RegExp | string): Promise<void> {
  const item = window.page
    .locator('.part.statusbar .statusbar-item a.statusbar-item-label')
    .filter({ hasText: typeof text === 'string' ? exactly(text) : text });
  await window.click(`${String(text)} in the status bar`, item.first());
}

/** What a tooltip says that comes up over an item of the status bar. */
export async function statusBarTooltip(window: WindowBase, text: RegExp | string): Promise<string> {
  const item = window.page
    .locator('.part.statusbar .statusbar-item a.statusbar-item-label')
    .filter({ hasText: typeof text === 'string' ? exactly(text) : text })
    .first();
  return window.until(`the tooltip of ${String(text)} in the status bar`, async () => {
    await window.page.mouse.move(0, 0);
    await item.hover({ timeout: 3_000 });
    const hover = window.page.locator('.monaco-hover:visible, .workbench-hover:visible').first();
    await hover.waitFor({ timeout: 3_000 });
    return (await hover.innerText()).replace(/\s+/g, ' ').trim(); // hard spaces, too
  });
}

function centre(window: WindowBase): Locator {
  return window.page.locator('.notifications-center.visible');
}
function box(window: WindowBase): Locator {
  return window.page.locator('.monaco-dialog-box:visible');
}
