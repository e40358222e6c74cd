// The page of the swarm inspector alone in a browser, as it is built: what it makes of messages
// that are wrong, of names that would like to be markup, of the largest file there is, and of a
// browser whose language nobody knows.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Page } from 'playwright-core';
import { pageText, viewModelOf } from '../../extension/inspector/viewModel.ts';
import type { Shown } from '../../extension/webview/messages.ts';
import { SKELETON } from '../../extension/webview/skeleton.ts';
import { PIECES_MAX } from '../../protocol/base/limits.ts';
import { CELLS_MAX } from '../../protocol/messages/swarmView.ts';
import { anOverview, aPeer, aSwarm, aTransfer } from '../support/fakes/fakeEngine.ts';
import { closeBrowser, launchBrowser } from './driver/browser.ts';
import { WindowBase } from './pages/windowBase.ts';

const DIST = path.join(import.meta.dirname, '../../dist/webview');
/** No file may be called so; what a tracker of another make names, one cannot know. */
const MARKUP = '<img src=x onerror="window.broken = 1"><b>bold</b>';

/** Colours of a theme, which VS Code would give. */
const THEME = `:root { --vscode-foreground: #ccc; --vscode-editor-background: #1f1f1f; --vscode-font-size: 13px; --vscode-font-family: sans-serif; --vscode-charts-green: #89d185; --vscode-charts-yellow: #cca700;
  --vscode-charts-blue: #3794ff; --vscode-charts-red: #f14c4c; --vscode-charts-purple: #b180d7; --vscode-focusBorder: #0078d4; --vscode-descriptionForeground: #9d9d9d } body { background: #1f1f1f }`;

describe('the page of the swarm inspector', function () {
  this.timeout(60_000);
  after(() => closeBrowser());

  const open = async (
    language = 'en-US',
  ): Promise<{
    readonly page: Page;
    readonly base: WindowBase;
    readonly send: (message: unknown) => Promise<void>;
  }> => {
    const context = await (await launchBrowser()).newContext({ viewport: { width: 900, height: 1000 } });
    const page = await context.newPage();
    await page.addInitScript(
      `Object.defineProperty(navigator, 'language', { value: '${language}', configurable: true })`,
    );
    await page.goto('about:blank');
    const base = new WindowBase(page, 'inspector');
    const [script, style] = ['inspector.js', 'inspector.css'].map((name) =>
      readFileSync(path.join(DIST, name), 'utf8'),
    );
    await page.setContent(
      `<html><head><style>${THEME}</style><style>${style ?? ''}</style></head><body class="vscode-dark">${SKELETON}</body></html>`,
    );
    await page.evaluate(
      'window.sent = []; window.acquireVsCodeApi = () => ({ postMessage(message) { sent.push(message); }, getState() {}, setState() {} })',
    );
    await page.addScriptTag({ content: script ?? '' });
    // Bytes are bytes in VS Code's messages; here they travel as numbers.
    const send = (message: unknown): Promise<void> =>
      page.evaluate(
        (json: string) => {
          const revive = (key: string, value: unknown): unknown =>
            typeof value === 'object' && value !== null && 'bytes' in value
              ? Uint8Array.from(value.bytes as number[])
              : value;
          (globalThis as unknown as { postMessage(message: unknown, to: string): void }).postMessage(
            JSON.parse(json, revive),
            '*',
          );
        },
        JSON.stringify(message, (_, value: unknown) => (value instanceof Uint8Array ? { bytes: [...value] } : value)),
      );
    await send({ is: 'words', transfer: 1, words: pageText('en') });
    return { page, base, send };
  };
  const shown = (name: string, swarm = aSwarm({ peers: [aPeer({ user: MARKUP })] })): Shown =>
    viewModelOf({
      transfer: aTransfer({ name, pieces: swarm.pieces }),
      overview: anOverview(),
      swarm,
      history: { peakDown: 0, peakUp: 0 },
      nowMs: 0,
    });
  const complaints = (base: WindowBase): readonly string[] => base.consoleLines.filter((line) => /^error/.test(line));

  it('shows names as they are, whatever they are made of', async () => {
    const { page, base, send } = await open();
    await send({ is: 'show', shown: shown(MARKUP) });
    await base.until('the name', async () => (await page.locator('#title').textContent()) === MARKUP);
    assert.equal(await page.locator('#peers tbody th').textContent(), MARKUP);
    assert.equal(await page.locator('main :is(img, b)').count(), 0);
    assert.equal(await page.evaluate('window.broken'), undefined);
    assert.deepEqual(complaints(base), []);
  });

  it('shows nothing of a message that is wrong, and goes on', async () => {
    const { page, base, send } = await open();
    const right = shown('right');
    for (const message of [
      null,
      5,
      { is: 'show' },
      { is: 'show', shown: { ...shown('wrong'), peers: [{}] } },
      { is: 'show', shown: { ...shown('wrong'), map: { ...right.map, pieces: 11 } } },
      { is: 'rates', rates: 1 },
    ]) {
      await send(message);
    }
    await send({ is: 'show', shown: right });
    await base.until('what is right', async () => (await page.locator('#title').textContent()) === 'right');
    assert.deepEqual(complaints(base), []);
  });

  it('draws the largest file, and says what a cell of it stands for', async () => {
    const { page, base, send } = await open();
    const cellPieces = PIECES_MAX / CELLS_MAX;
    const column = (of: (cell: number) => number): Uint8Array =>
      Uint8Array.from({ length: CELLS_MAX }, (_, cell) => of(cell));
    await send({
      is: 'show',
      shown: shown(
        'large.bin',
        aSwarm({
          pieces: PIECES_MAX,
          cellPieces,
          heldPieces: 100,
          peers: [],
          cells: {
            held: column((cell) => (cell % 3 === 0 ? cellPieces : 0)),
            requested: column((cell) => (cell % 3 === 1 ? 2 : 0)),
            verifying: column(() => 0),
            unwanted: column(() => 0),
            nowhere: column((cell) => (cell % 5 === 0 && cell % 3 === 2 ? 7 : 0)),
            peers: column((cell) => cell % 5),
          },
        }),
      ),
    });
    const map = page.locator('#map');
    await base.until('the map', () => map.isVisible());
    await map.focus();
    await map.press('ArrowRight');
    assert.equal(
      await map.getAttribute('aria-valuetext'),
      'Pieces 129 to 256: 2 asked for, 126 missing; peers that have the rarest of them: 1',
    );
    await map.press('End');
    assert.match((await map.getAttribute('aria-valuetext')) ?? '', /^Pieces 1048449 to 1048576: /);
    const size = await map.boundingBox();
    assert.ok(size && size.width > 600 && size.height < 400, JSON.stringify(size));
    await base.screenshot('67-inspector-large');
    assert.deepEqual(complaints(base), []);
  });

  it('draws its plot where the browser has a language that is none', async () => {
    const { page, base, send } = await open('en-US@posix');
    await send({ is: 'show', shown: shown('right') });
    await base.until('the plot', async () => (await page.locator('#plot canvas').count()) > 0);
    assert.deepEqual(complaints(base), []);
  });

  it('has a name for everything that can be reached', async () => {
    const { page, base, send } = await open();
    await send({ is: 'show', shown: shown('right') });
    await base.until('the page', async () => (await page.locator('#title').textContent()) === 'right');
    const tree = await page.locator('main').ariaSnapshot();
    for (const part of [
      /heading "right" \[level=1\]/,
      /button "Pause"/,
      /slider "Pieces"/,
      /img "Down 0 B\/s/,
      /table "Peers"/,
      /columnheader "Name"/,
      /rowheader "<img/,
    ]) {
      assert.match(tree, part);
    }
  });
});
