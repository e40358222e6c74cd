// Views in the side bar (or wherever they stand): trees, their rows with what can be done to each,
// title bars, welcome texts; and the explorer.
import { appendFileSync } from 'node:fs';
import type { Locator } from 'playwright-core';
import { readRows, revealRow } from './lists.ts';
import type { ListRow } from './lists.ts';
import { choose, entriesOf, whileOpen } from './menus.ts';
import { exactly, isTitled, WAIT_MS } from './windowBase.ts';
import type { WindowBase } from './windowBase.ts';

export interface Welcome {
  /** Paragraphs, without what stands on buttons. */
  readonly text: string;
  readonly buttons: readonly string[];
  readonly links: readonly string[];
}

export interface ViewHeader {
  readonly title: string;
  readonly description: string;
  /** `TreeView.message` */
  readonly message: string;
  readonly isExpanded: boolean;
}

/** Shows the view container of this title by its icon in the activity bar; `Explorer` is one. */
export async function openView(window: WindowBase, container: string): Promise<void> {
  await window.until(`the view container “${container}” to be open`, async () => {
    const tab = await containerTab(window, container);
    if ((await tab.getAttribute('aria-expanded')) === 'true') return true;
    await tab.click({ timeout: 3_000 }); // not the icon: a badge may lie on it
    return window.poll(async () => (await tab.getAttribute('aria-expanded')) === 'true', 3_000);
  });
}

/** The badge on the icon of a view container; undefined without one. */
export async function badge(window: WindowBase, container: string): Promise<number | undefined> {
  const tab = await window.until(`the icon of “${container}”`, () => containerTab(window, container));
  const content = tab.locator('.badge:not(.progress-badge):not([aria-hidden="true"]) .badge-content');
  const text = (await content.allTextContents()).join('').trim();
  return text === '' ? undefined : Number(text);
}

async function containerTab(window: WindowBase, container: string): Promise<Locator> {
  const labels = await window.page
    .locator('.part.activitybar .composite-bar li.action-item[role="tab"] > a.action-label')
    .evaluateAll((all) => all.map((one) => (one as unknown as { ariaLabel: string | null }).ariaLabel ?? ''));
  // With a badge its tooltip stands behind: `Shoal - 3 downloads`.
  const index = labels.findIndex((label) => isTitled(label, container) || label.startsWith(`${container} - `));
  if (index < 0) throw new Error(`the activity bar has: ${labels.join(' | ')}`);
  return window.page.locator('.part.activitybar .composite-bar li.action-item[role="tab"]').nth(index);
}

/** All views of the containers that are shown. */
export async function viewHeaders(window: WindowBase): Promise<ViewHeader[]> {
  const panes = await window.page.locator('.pane:visible').all();
  return Promise.all(
    panes.map(async (pane) => ({
      title: (await pane.locator('> .pane-header h3.title').allTextContents()).join(''),
      description: (await pane.locator('> .pane-header .description').allTextContents()).join(''),
      message: (await pane.locator('.tree-explorer-viewlet-tree-view > .message:not(.hide)').allTextContents())
        .join('')
        .trim(),
      isExpanded: (await pane.locator('> .pane-header').getAttribute('aria-expanded')) === 'true',
    })),
  );
}

/**
 * The rows of a view as a person could see them by scrolling: children of collapsed rows are none.
 */
export async function rows(window: WindowBase, view: string): Promise<ListRow[]> {
  const pane = await openPane(window, view);
  if ((await pane.locator('> .pane-body.welcome').count()) > 0) return [];
  return readRows(treeOf(pane));
}

/** Expands a row, and waits until it shows children, if it has any. */
export async function expand(window: WindowBase, view: string, label: string, shall = true): Promise<void> {
  await window.until(`“${label}” in ${view} to be ${shall ? 'expanded' : 'collapsed'}`, async () => {
    const row = await rowLike(window, view, label);
    const is = await row.getAttribute('aria-expanded', { timeout: 1_000 });
    if (is === null) throw new Error(`“${label}” has no children`);
    if (is === String(shall)) return true;
    await row.locator('.monaco-tl-twistie').click({ timeout: 2_000 });
    return false;
  });
}

/** Clicks a row, as to open it. */
export async function clickRow(window: WindowBase, view: string, label: string, clicks: 1 | 2 = 1): Promise<void> {
  await window.until(`the row “${label}” of ${view}`, async () => {
    const row = await rowLike(window, view, label);
    await row.locator('.label-name').first().click({ timeout: 3_000, clickCount: clicks });
    return true;
  });
}

/** Ticks or unticks the checkbox of a row. */
export async function checkRow(window: WindowBase, view: string, label: string, shall = true): Promise<void> {
  await window.until(`the checkbox of “${label}” in ${view}`, async () => {
    const checkbox = (await rowLike(window, view, label)).locator('.custom-view-tree-node-item-checkbox');
    if ((await checkbox.getAttribute('aria-checked', { timeout: 1_000 })) === String(shall)) return true;
    await checkbox.click({ timeout: 2_000 });
    return false;
  });
}

/** Chooses an entry of a row's context menu. */
export async function rowMenu(window: WindowBase, view: string, label: string, ...path: string[]): Promise<void> {
  await choose(window, () => openRowMenu(window, view, label), path);
}

export async function rowMenuEntries(window: WindowBase, view: string, label: string): Promise<string[]> {
  return entriesOf(window, () => openRowMenu(window, view, label));
}

async function openRowMenu(window: WindowBase, view: string, label: string): Promise<void> {
  const row = await window.poll(() => rowLike(window, view, label), 5_000);
  await unlessCovered(window, row.locator('.label-name').first().click({ button: 'right', timeout: 3_000 }));
}

/**
 * The tooltip of another row may lie above a row: then the mouse goes away from it, for the next
 * try.
 */
async function unlessCovered(window: WindowBase, act: Promise<void>): Promise<void> {
  await act.catch(async (error: unknown) => {
    await window.page.mouse.move(700, 420);
    throw error;
  });
}

/**
 * Drags something, from wherever it is, over the icon of a container, which shows that container,
 * and drops it on a row of a view there.
 */
export async function dragToRow(
  window: WindowBase,
  from: Locator,
  container: string,
  view: string,
  label: string,
): Promise<void> {
  const { mouse } = window.page;
  const over = (what: Locator): Promise<void> => moveOver(window, what);
  await window.until(`a drag to “${label}” in ${view}`, async () => {
    try {
      await over(from);
      await mouse.down();
      const tab = await containerTab(window, container);
      await over(tab);
      await window.poll(async () => {
        await over(tab); // it is the resting mouse, still moving a little, that opens it
        return (await tab.getAttribute('aria-expanded')) === 'true';
      }, 5_000);
      const row = await rowLike(window, view, label);
      await over(row);
      await over(row);
    } finally {
      await mouse.up();
    }
    return true;
  });
}

/** Drags a row onto another one of the same view. */
export async function dragRow(window: WindowBase, view: string, from: string, to: string): Promise<void> {
  const { mouse } = window.page;
  await window.until(`a drag of “${from}” to “${to}” in ${view}`, async () => {
    const [source, target] = [await rowLike(window, view, from), await rowLike(window, view, to)];
    try {
      await moveOver(window, source);
      await mouse.down();
      await moveOver(window, target);
      // VS Code has taken note of where the mouse is when that row is marked.
      await window.poll(async () => {
        await moveOver(window, target);
        return /\bdrop-target\b/.test((await target.getAttribute('class', { timeout: 1_000 })) ?? '');
      }, 5_000);
    } finally {
      await mouse.up();
    }
    return true;
  });
}

async function moveOver({ page }: WindowBase, what: Locator): Promise<void> {
  const box = await what.boundingBox({ timeout: 3_000 });
  if (!box) throw new Error('it cannot be seen');
  await page.mouse.move(box.x + Math.min(40, box.width / 2), box.y + box.height / 2, { steps: 4 });
}

/** Presses an icon that stands in a row. */
export async function rowAction(window: WindowBase, view: string, label: string, title: string): Promise<void> {
  await window.until(`the action “${title}” on “${label}” in ${view}`, async () => {
    const row = await rowLike(window, view, label);
    await unlessCovered(window, row.hover({ timeout: 3_000 }));
    const index = (await labelsIn(row.locator('.actions'))).findIndex((one) => isTitled(one, title));
    if (index < 0) {
      throw new Error(`it has the actions: ${(await labelsIn(row.locator('.actions'))).join(' | ') || 'none'}`);
    }
    await row.locator('.actions .action-label').nth(index).click({ timeout: 3_000 });
    return true;
  });
}

/** The titles of the icons in a row. */
export async function rowActions(window: WindowBase, view: string, label: string): Promise<string[]> {
  return window.until(`the row “${label}” of ${view}`, async () =>
    labelsIn((await rowLike(window, view, label)).locator('.actions')),
  );
}

/** The tooltip that comes up when the mouse rests on a row, as plain text. */
export async function rowTooltip(window: WindowBase, view: string, label: string): Promise<string> {
  const hover = window.page.locator('.workbench-hover .hover-contents:visible');
  return window.until(`the tooltip of “${label}” in ${view}`, async () => {
    await window.page.mouse.move(700, 420); // one of something else goes first
    await hover.first().waitFor({ state: 'detached', timeout: 2_000 });
    const row = await rowLike(window, view, label);
    await row.locator('.label-name').first().hover({ timeout: 2_000 });
    const text = await hover.first().innerText({ timeout: 4_000 });
    await window.page.mouse.move(700, 420);
    return text.replaceAll('\u00a0', ' ').trim();
  });
}

/** Presses an icon of a view's title bar, or chooses what stands behind its three dots. */
export async function viewAction(window: WindowBase, view: string, title: string): Promise<void> {
  await window.until(`the action “${title}” of the view ${view}`, async () => {
    const bar = await titleBar(window, view);
    const index = (await labelsIn(bar)).findIndex((one) => isTitled(one, title));
    if (index >= 0) {
      await bar.locator('.action-label').nth(index).click({ timeout: 3_000 });
      return true;
    }
    const entries = await entriesOf(window, () => openMore(window, view));
    if (!entries.includes(title)) throw new Error(`it has: ${[...(await labelsIn(bar)), ...entries].join(' | ')}`);
    await choose(window, () => openMore(window, view), [title]);
    return true;
  });
}

/** The titles in a view's title bar: its icons, and what stands behind the three dots. */
export async function viewActions(window: WindowBase, view: string): Promise<{ icons: string[]; menu: string[] }> {
  const bar = await titleBar(window, view);
  const icons = await labelsIn(bar);
  const hasMore = (await bar.locator('.codicon-toolbar-more').count()) > 0;
  return {
    icons: icons.filter((label) => !/^(Views and )?More Actions\.\.\.$/.test(label)),
    menu: hasMore ? await entriesOf(window, () => openMore(window, view)) : [],
  };
}

async function openMore(window: WindowBase, view: string): Promise<void> {
  await (await titleBar(window, view)).locator('.codicon-toolbar-more').click({ timeout: 3_000 });
}

/** A container with one view has only its own title bar, which is then the view's. */
async function titleBar(window: WindowBase, view: string): Promise<Locator> {
  const pane = await openPane(window, view);
  const isMerged = (await pane.locator('> .pane-header.hidden').count()) > 0;
  if (isMerged) {
    return window.page
      .locator('.part:has(.pane)')
      .filter({ has: paneOf(window, view) })
      .locator('> .composite.title .title-actions');
  }
  await pane.locator('> .pane-header').hover({ timeout: 3_000 }); // its icons are shown only then
  return pane.locator('> .pane-header .actions');
}

/** What a view shows instead of rows; undefined if it shows rows. */
export async function welcome(window: WindowBase, view: string): Promise<Welcome | undefined> {
  const pane = await openPane(window, view);
  const content = pane.locator('> .pane-body.welcome .welcome-view-content');
  if ((await content.count()) === 0) return undefined;
  const texts = (await content.locator('p').allInnerTexts()).map((text) => text.trim());
  const buttons = await content.locator('.monaco-button').allInnerTexts();
  return {
    text: texts.join('\n'),
    buttons: buttons.map((text) => text.trim()),
    links: await content.locator('.monaco-link').allInnerTexts(),
  };
}

/** Presses a button or a link of a view's welcome text. */
export async function clickWelcome(window: WindowBase, view: string, label: string): Promise<void> {
  const pane = await openPane(window, view);
  await window.click(
    `“${label}” in the welcome text of ${view}`,
    pane
      .locator('.welcome-view-content .monaco-button, .welcome-view-content .monaco-link')
      .filter({ hasText: exactly(label) })
      .first(),
  );
}

/**
 * Chooses an entry of the explorer's context menu, on one file or on several that are selected
 * before.
 */
export async function explorerMenu(
  window: WindowBase,
  files: readonly string[],
  path: readonly string[],
): Promise<void> {
  await choose(window, () => openExplorerMenu(window, files), path);
}

export async function explorerMenuEntries(window: WindowBase, files: readonly string[]): Promise<string[]> {
  return entriesOf(window, () => openExplorerMenu(window, files));
}

/** Takes a picture while the menu of files is open. */
export async function explorerMenuPicture(window: WindowBase, files: readonly string[], name: string): Promise<void> {
  await whileOpen(
    window,
    () => openExplorerMenu(window, files),
    () => window.screenshot(name),
  );
}

/** Files and folders that the explorer shows, children of expanded folders included. */
export async function explorerRows(window: WindowBase): Promise<ListRow[]> {
  await openView(window, 'Explorer');
  return readRows(explorer(window));
}

/**
 * Waits until the explorer shows the folders of a window's workspace file. A window of VS Code's
 * server that reads the file before its link to the server is up has no folders, and looks again
 * only when the file changes: so it is written once more, with a space behind.
 */
export async function workspaceRead(window: WindowBase, workspaceFile: string): Promise<void> {
  await window.until('the folders of the workspace', async () => {
    await openView(window, 'Explorer');
    if ((await window.page.locator('.explorer-folders-view .monaco-list-row').count()) > 0) return true;
    if (
      (await window.page
        .locator('.welcome-view-content:visible')
        .filter({ hasText: 'You have not yet added a folder' })
        .count()) === 0
    ) {
      return false;
    }
    appendFileSync(workspaceFile, ' ');
    return window.poll(
      async () => (await window.page.locator('.explorer-folders-view .monaco-list-row').count()) > 0,
      2_000,
    );
  });
}

/** Opens a file from the explorer, to stay. */
export async function openFile(window: WindowBase, name: string): Promise<void> {
  await openView(window, 'Explorer');
  await window.until(`${name} in the explorer`, async () => {
    const row = await revealRow(explorer(window), ({ label }) => label === name);
    await row?.locator('.label-name').dblclick({ timeout: 3_000 });
    return row !== undefined;
  });
  await tab(window, name).waitFor({ timeout: WAIT_MS });
}

/** Chooses an entry of the menu of an editor's tab. */
export async function tabMenu(window: WindowBase, name: string, path: readonly string[]): Promise<void> {
  await choose(window, () => tab(window, name).click({ button: 'right', timeout: 3_000 }), path);
}

function tab(window: WindowBase, name: string): Locator {
  return window.page.locator(`.part.editor .tabs-container > .tab[data-resource-name="${name}"]`).first();
}

async function openExplorerMenu(window: WindowBase, files: readonly string[]): Promise<void> {
  await openView(window, 'Explorer');
  const find = (name: string): Promise<Locator> =>
    window.poll(async () => {
      const row = await revealRow(explorer(window), ({ label }) => label === name);
      if (!row) {
        throw new Error(
          `the explorer has: ${(await readRows(explorer(window))).map(({ label }) => label).join(' | ') || 'nothing'}`,
        );
      }
      return row;
    }, 5_000);
  // With Ctrl one after the other: a plain click would open the file. What else was selected is
  // taken out first: it would be meant, too.
  const wrong = (await readRows(explorer(window))).filter(({ label, selected }) =>
    files.includes(label) ? !selected && files.length > 1 : selected,
  );
  for (const { label } of wrong) {
    await (await find(label)).locator('.label-name').click({ modifiers: ['ControlOrMeta'], timeout: 3_000 });
  }
  await (await find(files.at(-1) ?? '')).locator('.label-name').click({ button: 'right', timeout: 3_000 });
}

function explorer(window: WindowBase): Locator {
  return window.page.locator('.explorer-folders-view .monaco-list').first();
}

async function rowLike(window: WindowBase, view: string, label: string): Promise<Locator> {
  const tree = treeOf(await openPane(window, view));
  const row = await revealRow(tree, (one) => one.label === label);
  if (!row) {
    throw new Error(`${view} has the rows: ${(await readRows(tree)).map((one) => one.label).join(' | ') || 'none'}`);
  }
  return row;
}

/** The view, expanded. Its container has to be open: `openView`. */
async function openPane(window: WindowBase, view: string): Promise<Locator> {
  const pane = paneOf(window, view);
  await pane
    .first()
    .waitFor({ timeout: 10_000 })
    .catch(async () => {
      const seen = (await viewHeaders(window)).map(({ title }) => title);
      throw await window.failure(`there is no view “${view}”; shown are: ${seen.join(' | ') || 'none'}`);
    });
  const header = pane.locator('> .pane-header');
  if ((await header.getAttribute('aria-expanded')) === 'false') {
    await header.click({ timeout: 3_000 });
    await pane.locator('> .pane-header[aria-expanded="true"]').waitFor({ timeout: 3_000 });
  }
  return pane;
}

function paneOf(window: WindowBase, view: string): Locator {
  return window.page
    .locator('.pane')
    .filter({ has: window.page.locator('> .pane-header h3.title').filter({ hasText: exactly(view) }) });
}

function treeOf(pane: Locator): Locator {
  return pane.locator('.customview-tree > .monaco-list, .monaco-list').first();
}

async function labelsIn(bar: Locator): Promise<string[]> {
  return bar
    .locator('.action-label')
    .evaluateAll((all) => all.map((one) => (one as unknown as { ariaLabel: string | null }).ariaLabel ?? ''));
}
