// The swarm inspector as people use it: opened from the row of a download that is under way, read,
// walked over with the keyboard, in three themes, and over a reload; and what it says when the only
// one who has the file leaves. Heidi shares; Ivan downloads and looks.
import assert from 'node:assert/strict';
import type { ConsoleMessage, Frame } from 'playwright-core';
import { binary } from '../support/binary.ts';
import type { RealPair } from '../support/processes/realProcesses.ts';
import { meetInGroup, People, says } from './people.ts';
import type { Person } from './people.ts';

const MIB = 1024 ** 2;
/** A name that is allowed and would like to be markup, an icon, a link or a place for a value. */
const HOSTILE = '$(trash) [a](command -x) &lt;b&gt; &amp; {0} {1} `x` ’.bin';
const PIECES = 48;
const LIMIT_KIB_PER_S = 512;

describe('the swarm inspector', function () {
  this.timeout(180_000);
  const people = new People();
  const errors: string[] = [];
  let pair: RealPair;
  let heidi: Person;
  let ivan: Person;

  const ivansSettings = (theme: string, limit = LIMIT_KIB_PER_S): Record<string, unknown> => ({
    'shoal.tracker': pair.url,
    'shoal.downloadLimit': limit,
    'workbench.colorTheme': theme,
  });

  before(async () => {
    pair = await people.startPair();
    [heidi, ivan] = await Promise.all([
      people.come('heidi', { 'shoal.tracker': pair.url }),
      people.come('ivan', ivansSettings('Default Dark Modern')),
    ]);
    await meetInGroup(heidi, ivan, 'lab');
    // What the page itself complains of, and what is refused to it.
    ivan.window.page.on('console', (message: ConsoleMessage) => {
      if (
        message.type() === 'error' &&
        /webview|Content Security Policy/i.test(`${message.location().url} ${message.text()}`)
      ) {
        errors.push(message.text());
      }
    });
  });
  after(() => people.close());

  /** The page inside its frames. */
  const page = (): Promise<Frame> =>
    ivan.window.until('the page of the inspector', async () => {
      for (const frame of ivan.window.page.frames()) {
        if (
          !frame.isDetached() &&
          (await frame
            .locator('#all:not([hidden]) #title')
            .count()
            .catch(() => 0)) > 0
        ) {
          return frame;
        }
      }
      return undefined;
    });
  const text = async (selector: string): Promise<string> =>
    (await (await page()).locator(selector).textContent())?.trim() ?? '';
  const saysThere = (selector: string, words: RegExp): Promise<unknown> =>
    ivan.window.until(`${selector} to say ${String(words)}`, async () => {
      const said = await text(selector);
      if (!words.test(said)) throw new Error(`it says ${said}`);
      return true;
    });
  const counts = async (): Promise<Readonly<Record<string, number>>> => {
    const items = await (await page()).locator('#legend li').all();
    return Object.fromEntries(
      await Promise.all(
        items.map(
          async (item) =>
            [(await item.getAttribute('data-kind')) ?? '', Number(await item.locator('.count').textContent())] as const,
        ),
      ),
    );
  };
  const themed = async (theme: string, kind: string, picture: string): Promise<void> => {
    ivan.server.writeSettings(ivansSettings(theme));
    await ivan.window.until(
      `the theme ${theme}`,
      async () => (await (await page()).locator(`body.${kind}`).count()) > 0,
    );
    await ivan.window.screenshot(picture);
  };

  it('opens from the row of a download and shows pieces, peers and what holds it up', async () => {
    heidi.write(HOSTILE, binary(HOSTILE, (PIECES * MIB) / 2));
    await heidi.window.openView('Explorer');
    await heidi.window.until('the file in the explorer', async () =>
      (await heidi.window.explorerRows()).some(({ label }) => label === HOSTILE),
    );
    await heidi.share(HOSTILE, 'lab');
    await ivan.window.row('Files', HOSTILE);
    await ivan.window.rowAction('Files', HOSTILE, 'Download File…');
    await says(ivan.window, 'Downloads', HOSTILE, /^([1-9]|[1-8]\d) %.* · 1 peer/);
    await ivan.window.rowAction('Downloads', HOSTILE, 'Inspect Swarm');
    await saysThere('#title', /./);
    assert.equal(await text('#title'), HOSTILE);
    assert.ok(
      (await ivan.window.editorTabs()).some(({ label }) => label === HOSTILE),
      'the tab has the name of the file',
    );
    await saysThere('#about', /^Group lab · 24\.0 MiB · 48 pieces of 512 KiB$/);
    await saysThere('#reasons', /Your limit for all downloads holds: 512 KiB\/s\./);
    const all = await counts();
    assert.equal(
      Object.values(all).reduce((sum, count) => sum + count, 0),
      PIECES,
      JSON.stringify(all),
    );
    assert.ok((all['held'] ?? 0) > 0 && (all['missing'] ?? 0) > 0, JSON.stringify(all));
    await saysThere('#peers tbody', /^heidiall/);
    await saysThere('#peers tbody tr td:nth-child(3)', /^\d+ KiB\/s$/);
    await saysThere('#plot-keys', /^Down \d+ KiB\/s, at most \d+ KiB\/sUp 0 B\/s, at most 0 B\/s$/);
    assert.ok((await (await page()).locator('#plot canvas').count()) > 0);
  });

  it('is one panel however often it is asked for', async () => {
    await ivan.window.rowMenu('Downloads', HOSTILE, 'Inspect Swarm');
    await page();
    assert.equal((await ivan.window.editorTabs()).filter(({ label }) => label === HOSTILE).length, 1);
  });

  it('lets nothing in but its own script and style sheet', async () => {
    const policy =
      (await (await page()).locator('meta[http-equiv="Content-Security-Policy"]').getAttribute('content')) ?? '';
    assert.match(
      policy,
      /^default-src 'none'; style-src \S+( \S+)*; script-src 'nonce-[\w+/=]+'; base-uri 'none'; form-action 'none'$/,
    );
    assert.doesNotMatch(policy, /unsafe|\*(?!\.)|data:/);
    assert.equal(
      await (await page()).locator('main :is(script, img, a, b, iframe)').count(),
      0,
      'no markup came with a name',
    );
  });

  it('is walked over with the keyboard, and says each piece', async () => {
    const frame = await page();
    const focused = (): Promise<string> =>
      frame.evaluate('document.activeElement.id || document.activeElement.textContent');
    await frame.locator('#actions button').first().focus();
    const walked = [await focused()];
    for (let n = 0; n < 4; n++) {
      await ivan.window.page.keyboard.press('Tab');
      walked.push(await focused());
    }
    assert.deepEqual(walked, ['Pause', 'Limit Speed…', 'map', 'Name', 'Has']);
    const map = frame.locator('#map');
    await map.focus();
    for (const [key, piece] of [
      ['Home', 1],
      ['ArrowRight', 2],
      ['ArrowRight', 3],
      ['ArrowLeft', 2],
      ['End', PIECES],
    ] as const) {
      await map.press(key);
      assert.match(
        (await map.getAttribute('aria-valuetext')) ?? '',
        new RegExp(`^Piece ${piece}: (held|asked for|being verified|missing); 1 peer has it$`),
      );
    }
    assert.equal(await map.getAttribute('aria-valuenow'), String(PIECES));
    await frame.locator('#peers thead button').first().press('Enter');
    assert.equal(await frame.locator('#peers thead th').first().getAttribute('aria-sort'), 'ascending');
    await map.focus();
    await ivan.window.screenshot('60-inspector-dark');
  });

  it('looks like part of VS Code in light and in high contrast', async () => {
    await themed('Default Light Modern', 'vscode-light', '61-inspector-light');
    await themed('Default High Contrast', 'vscode-high-contrast', '62-inspector-high-contrast');
    await themed('Default High Contrast Light', 'vscode-high-contrast-light', '63-inspector-high-contrast-light');
    await themed('Default Dark Modern', 'vscode-dark', '64-inspector-dark-again');
  });

  it('pauses and resumes by its buttons', async () => {
    const press = async (label: string): Promise<void> =>
      (await page()).locator('#actions button', { hasText: label }).click();
    await press('Pause');
    await saysThere('#reasons', /^It is paused\.$/);
    await press('Resume');
    await saysThere('#reasons', /Your limit/);
  });

  it('goes when another tab lies before it, and is as it was when that one is left', async () => {
    ivan.write('notes.txt', 'something else');
    await ivan.window.openFile('notes.txt');
    await ivan.window.until('the page to go', async () =>
      (
        await Promise.all(
          ivan.window.page.frames().map((frame) =>
            frame
              .locator('#title')
              .count()
              .catch(() => 0),
          ),
        )
      ).every((count) => count === 0),
    );
    await ivan.window.openView('Shoal');
    await ivan.window.rowAction('Downloads', HOSTILE, 'Inspect Swarm');
    await saysThere('#peers tbody', /^heidiall/);
    assert.equal(await (await page()).locator('#peers thead th').first().getAttribute('aria-sort'), 'ascending');
  });

  it('is there again after a reload', async () => {
    await ivan.window.reload();
    // VS Code may not have written down yet which of the two tabs was in front.
    await ivan.window.click(
      'the tab of the inspector',
      ivan.window.page.locator('.part.editor .tabs-container > .tab').filter({ hasText: '$(trash)' }).first(),
    );
    await saysThere('#title', /./);
    assert.equal(await text('#title'), HOSTILE);
    await saysThere('#peers tbody', /^heidiall/);
    await ivan.window.openView('Shoal');
    await ivan.window.screenshot('66-inspector-reloaded');
  });

  it('says what is missing and who last had it when the only seeder leaves', async () => {
    await heidi.window.runCommand('Shoal: Sign Out');
    await heidi.window.clickDialog('Sign Out');
    await ivan.window.openView('Shoal');
    await says(
      ivan.window,
      'Downloads',
      HOSTILE,
      /^\d+ % · waiting: pieces [\d, …-]+ of 48 are missing everywhere; heidi had them \d+ s ago/,
    );
    await saysThere('#reasons', /^Nobody who is online has pieces [\d, …-]+ of 48; heidi had them \d+ s ago\.$/);
    await saysThere('#peers tbody', /^heidiall.*left \d+ s ago$/);
    assert.ok(((await counts())['nowhere'] ?? 0) > 0);
    const tooltip = await ivan.window.rowTooltip('Downloads', HOSTILE);
    assert.match(tooltip, /heidi had them/);
    assert.ok(tooltip.includes(HOSTILE.replaceAll('`', '')) || tooltip.includes(HOSTILE), tooltip);
    await ivan.window.screenshot('65-inspector-nobody');
  });

  it('has complained of nothing', () => {
    assert.deepEqual(errors, []);
    for (const person of [heidi, ivan]) assert.deepEqual(person.troubles(), [], person.name);
  });
});
