// Menus: context menus, and those behind the three dots of a toolbar.
import type { Locator } from 'playwright-core';
import { exactly } from './windowBase.ts';
import type { WindowBase } from './windowBase.ts';

const OPEN_MS_MAX = 3_000;
/**
 * A menu ignores clicks for about 100 ms after it opens: one that had no effect by then is made
 * again.
 */
const EFFECT_MS = 600;

/**
 * The titles in a menu that `open` opens, in order, without separators; disabled ones have `
 * (disabled)` behind. The menu is closed again.
 */
export function entriesOf(window: WindowBase, open: () => Promise<void>): Promise<string[]> {
  return whileOpen(window, open, () => titles(window));
}

/** Does something while a menu is open that `open` opens; it is closed again. */
export async function whileOpen<T>(window: WindowBase, open: () => Promise<void>, work: () => Promise<T>): Promise<T> {
  const { result } = await window.until('a menu to open', async () => {
    await openMenu(window, open);
    const done = { result: await work() };
    await close(window);
    return done;
  });
  return result;
}

/**
 * Opens a menu and chooses an entry of it; `path` names the entries on the way where there are
 * submenus.
 */
export async function choose(window: WindowBase, open: () => Promise<void>, path: readonly string[]): Promise<void> {
  const wanted = path.join(' > ');
  await window.until(`the menu entry “${wanted}”`, async () => {
    await openMenu(window, open);
    for (const [depth, title] of path.entries()) {
      const entry = entryOf(window, depth, title);
      const isThere = await entry.waitFor({ timeout: depth === 0 ? 300 : OPEN_MS_MAX }).then(
        () => true,
        () => false,
      );
      if (!isThere) {
        const seen = await titles(window);
        await close(window); // what an entry depends on may come true later, and an open menu does not change
        throw new Error(`no “${title}” among: ${seen.join(' | ')}`);
      }
      if (depth < path.length - 1) await entry.hover();
      else return press(window, entry);
    }
    return false;
  });
}

/** Whether it was pressed: a menu may also go by itself, when a hover comes up for instance. */
async function press(window: WindowBase, entry: Locator): Promise<boolean> {
  for (let tries = 0; tries < 20; tries++) {
    const wasClicked = await entry.click({ timeout: 1_000 }).then(
      () => true,
      () => false,
    );
    if (await hasClosed(window, EFFECT_MS)) return wasClicked;
  }
  return false;
}

async function openMenu(window: WindowBase, open: () => Promise<void>): Promise<void> {
  await close(window);
  await open();
  await menu(window).first().waitFor({ timeout: OPEN_MS_MAX });
}

async function close(window: WindowBase): Promise<void> {
  for (let tries = 0; tries < 10 && (await menu(window).count()) > 0; tries++) {
    await window.page.keyboard.press('Escape');
    await hasClosed(window, EFFECT_MS);
  }
}

async function hasClosed(window: WindowBase, boundMs: number): Promise<boolean> {
  return menu(window)
    .first()
    .waitFor({ state: 'detached', timeout: boundMs })
    .then(
      () => true,
      () => false,
    );
}

function menu(window: WindowBase): Locator {
  return window.page.locator('.monaco-menu-container .monaco-menu');
}

function entryOf(window: WindowBase, depth: number, title: string): Locator {
  const level = depth === 0 ? menu(window) : window.page.locator('.monaco-submenu');
  return level
    .locator('.action-item:not(.disabled) .action-label:not(.separator)')
    .filter({ hasText: exactly(title) })
    .first();
}

async function titles(window: WindowBase): Promise<string[]> {
  const items = await menu(window).first().locator('.action-item').all();
  const found = await Promise.all(
    items.map(async (item) => {
      const title = ((await item.locator('.action-label').first().textContent()) ?? '').trim();
      const isDisabled = /\bdisabled\b/.test((await item.getAttribute('class')) ?? '') && title !== '';
      return isDisabled ? `${title} (disabled)` : title;
    }),
  );
  return found.filter((title) => title !== '');
}
