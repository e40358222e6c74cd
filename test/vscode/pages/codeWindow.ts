// One window of VS Code, as a person uses it: what is seen comes back as data, what is done goes
// through the mouse and the keyboard. Everything waits for what it needs, 20 s at most, and fails
// with a picture of the window.
//
//   const server = await CodeServer.start({ folder, name: 'alice', extensions: [vsix] });
//   const alice = await CodeWindow.open(await newPerson(), server, { workspace });
//   await alice.runCommand('Shoal: Create Group…');
//   …
//   await alice.close(); await server.stop(); await closeBrowser();
import assert from 'node:assert/strict';
import type { BrowserContext, Locator, Page } from 'playwright-core';
import type { CodeServer, Payload } from '../driver/codeServer.ts';
import type { ListRow } from './lists.ts';
import * as notices from './notices.ts';
import type { Dialog, Notification, StatusItem } from './notices.ts';
import * as quick from './quickInput.ts';
import type { QuickInput } from './quickInput.ts';
import * as views from './views.ts';
import type { ViewHeader, Welcome } from './views.ts';
import { fits, WindowBase } from './windowBase.ts';

export interface WindowOptions {
  /** A folder or a `.code-workspace` file; without one nothing is open. */
  readonly workspace?: string;
  readonly payload?: Payload;
  /** Runs before the page loads: to expose functions to it, say. */
  readonly prepare?: (page: Page) => Promise<void>;
}

export interface EditorTab {
  readonly label: string;
  readonly isActive: boolean;
  readonly isDirty: boolean;
}

const LOAD_MS_MAX = 60_000;

export class CodeWindow extends WindowBase {
  readonly #server: CodeServer | undefined;

  private constructor(page: Page, name: string, server?: CodeServer) {
    super(page, name);
    this.#server = server;
  }

  /** The server that it was opened on. */
  get server(): CodeServer {
    assert.ok(this.#server, `${this.name}'s window was opened at an address`);
    return this.#server;
  }

  /**
   * Opens a window; resolves when the workbench is there. The extension host comes some seconds
   * later: wait for what you need of it.
   */
  static async open(context: BrowserContext, server: CodeServer, options: WindowOptions = {}): Promise<CodeWindow> {
    const page = await context.newPage();
    await options.prepare?.(page);
    return new CodeWindow(page, server.name, server).#load(server.windowUrl(options.workspace, options.payload));
  }

  /** The same at an address that somebody else's server has told. */
  static async openAt(context: BrowserContext, name: string, url: string): Promise<CodeWindow> {
    return new CodeWindow(await context.newPage(), name).#load(url);
  }

  async #load(url: string): Promise<this> {
    await this.page.goto(url, { timeout: LOAD_MS_MAX });
    await this.#whenReady();
    return this;
  }

  async reload(): Promise<void> {
    await this.page.reload({ timeout: LOAD_MS_MAX });
    await this.#whenReady();
  }

  /** Closes the window; its extension host ends some time later. */
  async close(): Promise<void> {
    await this.page.close();
  }

  async #whenReady(): Promise<void> {
    await this.until(
      'the workbench',
      async () => {
        await this.page
          .locator('.monaco-workbench .part.activitybar .action-label')
          .first()
          .waitFor({ timeout: 5_000 });
        await this.page.locator('.monaco-workbench [id="status.notifications"]').waitFor({ timeout: 5_000 });
        return true;
      },
      LOAD_MS_MAX,
    );
  }

  // Commands, and what they ask

  /** Runs a command of the palette by its whole title: `Shoal: Join Group…`. */
  runCommand(title: string): Promise<void> {
    return quick.runCommand(this, title);
  }
  /** What a quick pick or an input box asks now; undefined if nothing does. */
  quickInput(): Promise<QuickInput | undefined> {
    return quick.quickInput(this);
  }
  /** Waits until something is asked under this title (without its step). */
  quickInputTitled(title: string | RegExp): Promise<QuickInput> {
    return quick.quickInputTitled(this, title);
  }
  /**
   * The same, when it shows something to choose from: a list that is asked for comes behind its
   * title.
   */
  async quickInputWithItems(title: string | RegExp): Promise<QuickInput> {
    await quick.quickInputTitled(this, title);
    return this.until(`items under “${String(title)}”`, async () => {
      const input = await this.quickInput();
      return input && input.items.length > 0 && input;
    });
  }
  /** Chooses the item with this label. */
  pick(label: string | RegExp): Promise<void> {
    return quick.pick(this, label);
  }
  /** In a pick of several: checks exactly these; `acceptQuickInput` ends it. */
  checkItems(...labels: (string | RegExp)[]): Promise<void> {
    return quick.check(this, labels);
  }
  typeInQuickInput(text: string): Promise<void> {
    return quick.type(this, text);
  }
  acceptQuickInput(): Promise<void> {
    return quick.accept(this);
  }
  dismissQuickInput(): Promise<void> {
    return quick.dismiss(this);
  }
  quickInputButton(title: string): Promise<void> {
    return quick.pressButton(this, title);
  }
  /** Waits for an input box, types, and accepts. */
  async answer(title: string | RegExp, text: string): Promise<void> {
    await this.quickInputTitled(title);
    await this.typeInQuickInput(text);
    await this.acceptQuickInput();
  }

  // Views

  openView(container: string): Promise<void> {
    return views.openView(this, container);
  }
  badge(container: string): Promise<number | undefined> {
    return views.badge(this, container);
  }
  viewHeaders(): Promise<ViewHeader[]> {
    return views.viewHeaders(this);
  }
  rows(view: string): Promise<ListRow[]> {
    return views.rows(this, view);
  }
  /** Waits for a row with this label, and resolves to it. */
  row(view: string, label: string | RegExp): Promise<ListRow> {
    return this.until(`the row ${String(label)} in ${view}`, async () => {
      const all = await this.rows(view);
      const found = all.find((row) => fits(row.label, label));
      if (!found) throw new Error(`the rows are: ${all.map((row) => row.label).join(' | ') || 'none'}`);
      return found;
    });
  }
  expand(view: string, label: string): Promise<void> {
    return views.expand(this, view, label);
  }
  collapse(view: string, label: string): Promise<void> {
    return views.expand(this, view, label, false);
  }
  clickRow(view: string, label: string): Promise<void> {
    return views.clickRow(this, view, label);
  }
  checkRow(view: string, label: string, shall = true): Promise<void> {
    return views.checkRow(this, view, label, shall);
  }
  /** Chooses an entry of a row's context menu; more than one name goes through submenus. */
  rowMenu(view: string, label: string, ...entry: string[]): Promise<void> {
    return views.rowMenu(this, view, label, ...entry);
  }
  rowMenuEntries(view: string, label: string): Promise<string[]> {
    return views.rowMenuEntries(this, view, label);
  }
  /** Presses an icon in a row. */
  rowAction(view: string, label: string, title: string): Promise<void> {
    return views.rowAction(this, view, label, title);
  }
  rowActions(view: string, label: string): Promise<string[]> {
    return views.rowActions(this, view, label);
  }
  rowTooltip(view: string, label: string): Promise<string> {
    return views.rowTooltip(this, view, label);
  }
  /** Presses an icon of the title bar, or what stands behind its three dots. */
  viewAction(view: string, title: string): Promise<void> {
    return views.viewAction(this, view, title);
  }
  viewActions(view: string): Promise<{ icons: string[]; menu: string[] }> {
    return views.viewActions(this, view);
  }
  welcome(view: string): Promise<Welcome | undefined> {
    return views.welcome(this, view);
  }
  clickWelcome(view: string, label: string): Promise<void> {
    return views.clickWelcome(this, view, label);
  }

  // The explorer and the editors

  explorerRows(): Promise<ListRow[]> {
    return views.explorerRows(this);
  }
  /** Drags a row onto another one of the same view. */
  dragRow(view: string, from: string, to: string): Promise<void> {
    return views.dragRow(this, view, from, to);
  }
  /** Drags something over the icon of a container and drops it on a row of a view there. */
  dragToRow(from: Locator, container: string, view: string, label: string): Promise<void> {
    return views.dragToRow(this, from, container, view, label);
  }
  /** Waits for the folders of its workspace file. */
  workspaceRead(workspaceFile: string): Promise<void> {
    return views.workspaceRead(this, workspaceFile);
  }
  explorerMenu(files: string | readonly string[], ...entry: string[]): Promise<void> {
    return views.explorerMenu(this, [files].flat(), entry);
  }
  explorerMenuEntries(files: string | readonly string[]): Promise<string[]> {
    return views.explorerMenuEntries(this, [files].flat());
  }

  /** Takes a picture while the menu of files is open. */
  explorerMenuPicture(files: string | readonly string[], picture: string): Promise<void> {
    return views.explorerMenuPicture(this, [files].flat(), picture);
  }
  openFile(name: string): Promise<void> {
    return views.openFile(this, name);
  }
  /** Chooses an entry of the menu of an editor's tab. */
  tabMenu(name: string, ...entry: string[]): Promise<void> {
    return views.tabMenu(this, name, entry);
  }

  async editorTabs(): Promise<EditorTab[]> {
    const tabs = await this.page.locator('.part.editor .tabs-container > .tab').all();
    return Promise.all(
      tabs.map(async (tab) => {
        const [names, suffixes, kind] = await Promise.all([
          tab.locator('.monaco-icon-name-container').allTextContents(),
          tab.locator('.monaco-icon-suffix-container').allTextContents(),
          tab.getAttribute('class'),
        ]);
        return {
          label: `${names[0] ?? ''}${suffixes[0] ?? ''}`.trim(),
          isActive: /\bactive\b/.test(kind ?? ''),
          isDirty: /\bdirty\b/.test(kind ?? ''),
        };
      }),
    );
  }

  // What comes unasked

  notifications(): Promise<Notification[]> {
    return notices.notifications(this);
  }
  /** Waits for a notification, and resolves to it. */
  notification(message: string | RegExp): Promise<Notification> {
    return this.until(`the notification ${String(message)}`, async () => {
      const all = await this.notifications();
      const found = all.find((one) => fits(one.message, message));
      if (!found) throw new Error(`the notifications are: ${all.map((one) => one.message).join(' | ') || 'none'}`);
      return found;
    });
  }
  clickNotification(message: string | RegExp, button: string): Promise<void> {
    return notices.clickNotification(this, message, button);
  }
  clearNotifications(): Promise<void> {
    return notices.clearNotifications(this);
  }
  /** The modal dialog that is open; undefined if none is. */
  dialog(): Promise<Dialog | undefined> {
    return notices.dialog(this);
  }
  /** Waits for a dialog with this button, and presses it. */
  clickDialog(button: string): Promise<void> {
    return notices.clickDialog(this, button);
  }
  statusBarItem(text: string | RegExp): Promise<StatusItem | undefined> {
    return notices.statusBarItem(this, text);
  }
  statusBarTooltip(text: string | RegExp): Promise<string> {
    return notices.statusBarTooltip(this, text);
  }
  clickStatusBarItem(text: string | RegExp): Promise<void> {
    return notices.clickStatusBarItem(this, text);
  }
}
