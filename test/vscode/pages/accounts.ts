// The Accounts menu at the bottom of the activity bar.
import * as menus from './menus.ts';
import type { WindowBase } from './windowBase.ts';

/** Its entries; `nora (Shoal)` is one account. */
export function accounts(window: WindowBase): Promise<string[]> {
  // All at once: the menu is made anew when an account comes or goes, also while it is open.
  return menus.whileOpen(
    window,
    () => open(window),
    () =>
      window.page
        .locator('.monaco-menu-container .action-label')
        .evaluateAll((all) =>
          all
            .map((one) => (one as unknown as { textContent: string }).textContent.trim())
            .filter((text) => text !== ''),
        ),
  );
}

/**
 * Chooses an entry; more than one name goes through submenus: an account, then what to do with it.
 */
export const chooseAccount = (window: WindowBase, ...entry: string[]): Promise<void> =>
  menus.choose(window, () => open(window), entry);

/** Takes a picture while it is open. */
export async function accountsPicture(window: WindowBase, picture: string): Promise<void> {
  await menus.whileOpen(
    window,
    () => open(window),
    () => window.screenshot(picture),
  );
}

async function open(window: WindowBase): Promise<void> {
  await window.page
    .locator('.part.activitybar .action-label[aria-label^="Accounts"]')
    .click({ timeout: 5_000, force: true });
}
