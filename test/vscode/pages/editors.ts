// What is in an editor, and dragging a row of a view into the editor area.
import type { CodeWindow } from './codeWindow.ts';
import { exactly } from './windowBase.ts';

/** The lines that the active editor shows; of two side by side, those of both. */
export async function editorText(window: CodeWindow): Promise<string> {
  const lines = await window.page
    .locator('.part.editor .editor-instance .monaco-editor .view-lines')
    .evaluateAll((all) =>
      all.map((one) => {
        const rows = [
          ...(one as unknown as { children: Iterable<{ textContent: string; style: { top: string } }> }).children,
        ];
        return rows
          .sort((a, b) => parseInt(a.style.top) - parseInt(b.style.top))
          .map(({ textContent }) => textContent)
          .join('\n');
      }),
    );
  return lines.join('\n----\n').replaceAll('\u00A0', ' ');
}

/** Waits for an active tab of this name. */
export const openTab = (window: CodeWindow, label: string): Promise<unknown> =>
  window.until(`the tab “${label}”`, async () => {
    const tabs = await window.editorTabs();
    if (!tabs.some((tab) => tab.label === label && tab.isActive)) {
      throw new Error(`the tabs are: ${tabs.map((tab) => tab.label).join(' | ') || 'none'}`);
    }
    return true;
  });

/** Types into the active editor; resolves to what VS Code says to it. */
export async function messageWhenTyping(window: CodeWindow): Promise<string> {
  await window.page.locator('.part.editor .editor-instance .monaco-editor .view-lines').first().click();
  await window.page.keyboard.type('x');
  const message = window.page.locator('.monaco-editor-overlaymessage').first();
  await message.waitFor();
  return (await message.innerText()).replace(/\s+/g, ' ').trim();
}

/** Drags a row of a view into the middle of the editor area, as a hand does. */
export async function dragIntoEditor(window: CodeWindow, view: string, label: string): Promise<void> {
  const { page } = window;
  const row = page
    .locator('.pane:visible')
    .filter({ has: page.locator('> .pane-header h3.title', { hasText: exactly(view) }) })
    .locator('.monaco-list-row', { hasText: label })
    .first();
  await row.hover({ position: { x: 60, y: 10 } }); // at its beginning: a long name would be scrolled
  await page.mouse.down();
  const area = await page.locator('.part.editor > .content').boundingBox();
  if (!area) throw await window.failure('there is no editor area');
  await page.mouse.move(area.x + area.width / 2, area.y + area.height / 2, { steps: 12 });
  await page.locator('#monaco-workbench-editor-drop-overlay').waitFor();
  await page.mouse.move(area.x + area.width / 2 + 5, area.y + area.height / 2 + 5, { steps: 4 });
  await page.mouse.up();
}
