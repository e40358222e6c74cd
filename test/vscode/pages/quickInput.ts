// VS Code's quick input: the command palette, quick picks, input boxes, and on a server also the
// dialogs that ask for a file.
import type { Locator } from 'playwright-core';
import { readRows, revealRow } from './lists.ts';
import type { ListRow } from './lists.ts';
import { fits } from './windowBase.ts';
import type { WindowBase } from './windowBase.ts';

export interface QuickInput {
  /** Without the step; empty if it has none. */
  readonly title: string;
  /** `2/3` of a title such as `New group (2/3)`. */
  readonly step: string | undefined;
  readonly placeholder: string;
  readonly value: string;
  /**
   * The prompt, or what a validation says instead; without VS Code's own hint on Enter and Escape.
   */
  readonly message: string;
  readonly severity: 'error' | 'warning' | 'info' | undefined;
  readonly isPassword: boolean;
  /** It shows that it works on something; VS Code begins with that after 0.8 s. */
  readonly isBusy: boolean;
  /** Titles of its buttons in the title bar and beside the box: `Back`, say. */
  readonly buttons: readonly string[];
  readonly items: readonly ListRow[];
}

const HINTS = [
  /\s*\(Press 'Enter' to confirm or 'Escape' to cancel\)$/,
  /^Press 'Enter' to confirm your input or 'Escape' to cancel$/,
];

/** What is asked for now; undefined if nothing is. */
export async function quickInput(window: WindowBase): Promise<QuickInput | undefined> {
  const box = widget(window);
  if ((await box.count()) === 0) return undefined;
  const quick = { timeout: 1_000 };
  const input = field(window);
  const [rawTitle, placeholder, value, type, rawMessage, boxClass, progressClass, buttons, items] = await Promise.all([
    box
      .locator('.quick-input-title')
      .innerText(quick)
      .catch(() => ''), // no title bar
    input.getAttribute('placeholder', quick),
    input.inputValue(quick),
    input.getAttribute('type', quick),
    box.locator('.quick-input-message:visible').allTextContents(), // a hidden one has an old text
    box.locator('.quick-input-box .monaco-inputbox').getAttribute('class', quick),
    box.locator('.quick-input-progress').getAttribute('class', quick),
    box
      .locator('.quick-input-titlebar .action-label:visible, .quick-input-inline-action-bar .action-label:visible')
      .evaluateAll((all) => all.map((one) => (one as unknown as { ariaLabel: string | null }).ariaLabel ?? '')),
    list(window)
      .count()
      .then((count) => (count > 0 ? readRows(list(window)) : [])),
  ]);
  const [, title = '', step] = /^(.*?)(?:\s*\((\d+\/\d+)\))?$/.exec(rawTitle.trim()) ?? [];
  const severity = /\b(error|warning|info)\b/.exec(boxClass ?? '')?.[1] as QuickInput['severity'];
  return {
    title,
    step,
    placeholder: placeholder ?? '',
    value,
    severity,
    buttons,
    items,
    message: HINTS.reduce((text, hint) => text.replace(hint, ''), rawMessage.join('').trim()),
    isPassword: type === 'password',
    isBusy: /\bactive\b/.test(progressClass ?? ''),
  };
}

/** Waits until something is asked for under a title. */
export async function quickInputTitled(window: WindowBase, title: string | RegExp): Promise<QuickInput> {
  return window.until(`a quick input with the title ${String(title)}`, async () => {
    const now = await quickInput(window);
    if (now && fits(now.title, title)) return now;
    throw new Error(now ? `there is one with the title “${now.title}”` : 'there is none');
  });
}

/**
 * Opens the command palette and runs what has exactly this title (with its category: `Shoal: Join
 * Group…`).
 */
export async function runCommand(window: WindowBase, title: string): Promise<void> {
  const input = field(window);
  const isPalette = async (): Promise<boolean> =>
    (await widget(window).count()) > 0 && (await input.inputValue({ timeout: 1_000 })).startsWith('>');
  await window.until(`the command “${title}”`, async () => {
    if (!(await isPalette())) {
      await window.page.keyboard.press('F1');
      await widget(window).waitFor({ timeout: 3_000 });
    }
    const text = `>${title}`;
    if ((await input.inputValue({ timeout: 1_000 })) !== text) await input.fill(text, { timeout: 3_000 });
    // The list still has what it had before for a moment, and gets a second part ("similar
    // commands") later: this waits for the one row alone.
    const row = await window
      .poll(() => revealRow(list(window), ({ label }) => label === title), 2_000)
      .catch(async () => {
        const seen = (await readRows(list(window))).map(({ label }) => label).join(' | ');
        // the palette knows the commands that were there when it came up: an extension may have
        // come since
        await dismiss(window);
        throw new Error(`the palette has: ${seen}`);
      });
    await row.click({ timeout: 3_000 });
    return window.poll(async () => !(await isPalette()), 3_000);
  });
}

/** Chooses an item of what is asked for now. */
export async function pick(window: WindowBase, wanted: string | RegExp): Promise<void> {
  await (await itemLike(window, wanted)).click({ timeout: 5_000 });
}

/**
 * In a pick of several: makes exactly the items checked that fit one of these. It still needs
 * `acceptQuickInput`.
 */
export async function check(window: WindowBase, wanted: readonly (string | RegExp)[]): Promise<void> {
  for (const one of wanted) await itemLike(window, one);
  for (const row of await readRows(list(window))) {
    const shall = wanted.some((one) => fits(row.label, one));
    if (row.checked === shall) continue;
    await (await itemLike(window, row.label)).click({ timeout: 5_000 });
    await window.until(
      `“${row.label}” to be ${shall ? '' : 'un'}checked`,
      async () => (await readRows(list(window))).find(({ label }) => label === row.label)?.checked === shall,
    );
  }
}

/** Puts a text into the box in place of what is there, as pasting does. */
export async function type(window: WindowBase, text: string): Promise<void> {
  await window.until('a box to type in', async () => {
    await field(window).fill(text, { timeout: 3_000 });
    // a box that comes up just now may empty itself once more
    return (await field(window).inputValue({ timeout: 1_000 })) === text;
  });
}

export async function accept(window: WindowBase): Promise<void> {
  await field(window).press('Enter', { timeout: 5_000 });
}

/** Presses a button in the title bar or beside the box. */
export async function pressButton(window: WindowBase, title: string): Promise<void> {
  // Behind the title there may be its shortcut.
  await window.click(
    `the button “${title}”`,
    widget(window)
      .locator(
        `.action-label[aria-label="${title}"], .action-label[aria-label^="${title} ("], .quick-input-action .monaco-button:text-is("${title}")`,
      )
      .first(),
  );
}

/** Leaves what is asked for, as somebody who changed their mind. */
export async function dismiss(window: WindowBase): Promise<void> {
  await window.until('the quick input to go', async () => {
    if ((await widget(window).count()) === 0) return true;
    await field(window).press('Escape', { timeout: 1_000 });
    return widget(window)
      .waitFor({ state: 'detached', timeout: 1_000 })
      .then(() => true);
  });
}

async function itemLike(window: WindowBase, wanted: string | RegExp): Promise<Locator> {
  return window.until(`the item ${String(wanted)}`, async () => {
    const row = await revealRow(list(window), ({ label }) => fits(label, wanted));
    if (!row) {
      throw new Error(
        `the items are: ${(await readRows(list(window))).map(({ label }) => label).join(' | ') || 'none'}`,
      );
    }
    return row;
  });
}

function widget(window: WindowBase): Locator {
  return window.page.locator('.quick-input-widget:visible');
}
function field(window: WindowBase): Locator {
  return widget(window).locator('.quick-input-box input');
}
function list(window: WindowBase): Locator {
  return widget(window).locator('.quick-input-list .monaco-list:visible');
}
