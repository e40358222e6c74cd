// Shoal without a mouse, for somebody who hears the window, and in every theme: Jill signs in,
// joins, downloads and looks after it by the keyboard alone; everything in the side bar has a name;
// and the three kinds of theme show the same. Kim, on the command line, shares.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { binary } from '../support/binary.ts';
import type { RealEngine, RealPair } from '../support/processes/realProcesses.ts';
import { PASSWORD, People, stepOf, whole } from './people.ts';
import type { Person } from './people.ts';

const KIB = 1024;

describe('a person with a keyboard and a screen reader', function () {
  this.timeout(180_000);
  const people = new People();
  let pair: RealPair;
  let jill: Person;
  let kim: RealEngine;
  const settings = (more: Record<string, unknown> = {}): Record<string, unknown> => ({
    'shoal.tracker': pair.url,
    ...more,
  });

  before(async () => {
    pair = await people.startPair();
    [kim, jill] = await Promise.all([people.processes.startEngine('kim', pair.url), people.come('jill', settings())]);
    await kim.signUp();
    await kim.does('create_group', 'kim');
  });
  after(() => people.close());

  const press = async (...keys: readonly string[]): Promise<void> => {
    for (const key of keys) await jill.window.page.keyboard.press(key);
  };
  const type = (text: string): Promise<void> => jill.window.page.keyboard.type(text);
  /** What a screen reader says of what has the focus. */
  const heard = (): Promise<string> =>
    jill.window.page.evaluate(() => {
      const { document } = globalThis as unknown as { document: PageDocument };
      const focused = document.activeElement;
      const active = focused?.getAttribute('aria-activedescendant');
      return (active ? document.getElementById(active) : focused)?.getAttribute('aria-label') ?? '';
    });
  const command = async (title: string): Promise<void> => {
    const { window } = jill;
    await window.until(`the command “${title}” by the keyboard`, async () => {
      await press('F1');
      await window.page.locator('.quick-input-widget:visible').waitFor({ timeout: 3_000 });
      await type(title);
      const isFirst = async (): Promise<boolean> =>
        (
          await window.page
            .locator('.quick-input-list .monaco-list-row.focused')
            .first()
            .getAttribute('aria-label', { timeout: 1_000 })
        )?.startsWith(title) === true;
      if (await window.poll(isFirst, 2_000).catch(() => false)) {
        await press('Enter');
        return true;
      }
      await press('Escape');
      return false;
    });
  };
  /** Goes down a view until what is heard begins with these words. */
  const goTo = async (view: string, words: string): Promise<string> => {
    await command(`Shoal: Focus on ${view} View`);
    const all: string[] = [];
    await jill.window.until(`“${words}” in ${view}`, async () => {
      await press('Home');
      all.splice(0);
      for (let n = 0; n < 12; n++) {
        all.push(await heard());
        if (all.at(-1)?.startsWith(words)) return true;
        await press('ArrowDown');
      }
      throw new Error(`heard were: ${all.join(' | ')}`);
    });
    return all.at(-1) ?? '';
  };

  it('creates an account', async () => {
    const { window } = jill;
    await command('Shoal: Create Account…');
    await stepOf(window, '1/4');
    await press('Enter');
    for (const [step, text] of [
      ['2/4', 'jill'],
      ['3/4', PASSWORD],
      ['4/4', PASSWORD],
    ] as const) {
      await stepOf(window, step);
      await type(text);
      await press('Enter');
    }
    await window.until('the account', () => window.statusBarItem('Shoal: jill'));
  });

  it('joins a group', async () => {
    const { window } = jill;
    await command('Shoal: Join Group…');
    await window.quickInputTitled('Join Group');
    await window.until('the group in the list', async () =>
      (await window.quickInput())?.items.some(({ label }) => label === 'kim'),
    );
    await type('kim');
    await press('Enter');
    await kim.until(() => kim.overview?.groups.some(({ requests }) => requests.length > 0));
    assert.match(await goTo('Groups', 'Group kim'), /^Group kim, waiting for kim/);
    await kim.connection.call('acceptRequest', { group: 'kim', user: 'jill' });
    await window.until('the membership to be heard', async () =>
      /^Group kim, member/.test(await goTo('Groups', 'Group kim')),
    );
  });

  it('finds a file by ear, and downloads it from its menu', async () => {
    const { window } = jill;
    const folder = people.processes.makeFolder('kim');
    for (const [name, bytes] of [
      ['notes.txt', 2 * KIB],
      ['data/large.bin', 900 * KIB],
    ] as const) {
      const file = path.join(folder, path.basename(name));
      writeFileSync(file, binary(name, bytes));
      await kim.connection.call('share', { group: 'kim', path: file, name, replace: false });
      await kim.whole(name);
    }
    assert.match(await goTo('Files', 'notes.txt'), /^notes\.txt, (new, )?2\.00 KiB, 1 seeder, .*shared by kim/);
    await press('Shift+F10');
    const menu = window.page.locator('.monaco-menu:visible');
    await menu.first().waitFor();
    for (
      let n = 0;
      n < 12 &&
      !/Download File/.test(
        await menu
          .locator('.action-item.focused')
          .first()
          .innerText({ timeout: 300 })
          .catch(() => ''),
      );
      n++
    ) {
      await press('ArrowDown');
    }
    await press('Enter');
    await whole(window, 'notes.txt');
    assert.match(await goTo('Downloads', 'notes.txt'), /^notes\.txt, 2\.00 KiB/);
  });

  it('hears a name for everything in the side bar, the status bar and the questions', async () => {
    const { window } = jill;
    const nameless = (snapshot: string): readonly string[] =>
      snapshot
        .split('\n')
        .filter((line) =>
          /^\s*- (button|treeitem|checkbox|link|tab|textbox|menuitem|tree)\b(?! ")(?!.*: \S)/.test(line),
        );
    assert.deepEqual(
      nameless('- button "Add"\n  - button\n- treeitem: text'),
      ['  - button'],
      'the pattern finds what has no name',
    );
    for (const view of ['Groups', 'Files', 'Downloads']) {
      await command(`Shoal: Focus on ${view} View`);
      await press('Home', 'ArrowRight', 'ArrowDown'); // the icons of a row come up with the focus
      const snapshot = await window.page.locator('.part.sidebar').ariaSnapshot();
      assert.match(snapshot, /treeitem "/);
      assert.deepEqual(nameless(snapshot), [], view);
    }
    const rows = await window.page
      .locator('.part.sidebar .monaco-list-row')
      .evaluateAll((all) => all.map((row) => (row as unknown as { ariaLabel: string | null }).ariaLabel ?? ''));
    assert.ok(rows.length >= 6 && rows.every((label) => label !== ''), rows.join(' | '));
    assert.deepEqual(nameless(await window.page.locator('.part.statusbar [id^="shoal"]').first().ariaSnapshot()), []);
    await command('Shoal: Download File…');
    await window.quickInputTitled('Download File');
    assert.deepEqual(nameless(await window.page.locator('.quick-input-widget').ariaSnapshot()), []);
    await press('Escape');
  });

  for (const [theme, kind] of [
    ['Default Light Modern', 'vs'],
    ['Default Dark Modern', 'vs-dark'],
    ['Default High Contrast', 'hc-black'],
    ['Default High Contrast Light', 'hc-light'],
  ] as const) {
    it(`sees the same in ${theme}`, async () => {
      const { window } = jill;
      jill.server.writeSettings(settings({ 'workbench.colorTheme': theme }));
      await window.until(`the theme ${theme}`, async () =>
        new RegExp(`(^| )${kind}( |$)`).test(
          (await window.page.locator('.monaco-workbench').first().getAttribute('class')) ?? '',
        ),
      );
      await window.row('Files', 'notes.txt');
      // Faint text is the commonest fault of a theme: every word of a row stands out from what is
      // behind it as WCAG 1.4.3 wants it.
      const labels = await window.page.locator('.part.sidebar .monaco-list-row').evaluateAll(contrasts);
      assert.ok(labels.length >= 10 && labels.some(({ ratio }) => ratio > 7), `${labels.length} labels`);
      assert.deepEqual(
        labels.filter(({ ratio }) => ratio < 4.5),
        [],
        theme,
      );
      await window.screenshot(`58-${kind}`);
    });
  }

  it('has nothing to complain about in the logs', () => assert.deepEqual(jill.troubles(), []));
});

interface PageElement {
  readonly textContent: string | null;
  readonly parentElement: PageElement | null;
  getAttribute(name: string): string | null;
  querySelectorAll(selector: string): Iterable<PageElement>;
}
interface PageDocument {
  readonly activeElement: PageElement | null;
  getElementById(id: string): PageElement | null;
}

/**
 * In the page: how much each label of these rows stands out, as WCAG 2 counts it: 21 is black on
 * white.
 */
function contrasts(rows: readonly unknown[]): readonly { readonly text: string; readonly ratio: number }[] {
  const { getComputedStyle } = globalThis as unknown as {
    readonly getComputedStyle: (of: PageElement) => { color: string; backgroundColor: string; opacity: string };
  };
  type Colour = readonly [number, number, number, number];
  const parse = (css: string): Colour => {
    const [r = 0, g = 0, b = 0, a = 1] = (/\(([^)]*)\)/.exec(css)?.[1] ?? '').split(/[ ,/]+/).map(Number);
    return [r, g, b, a];
  };
  const over = ([r, g, b, a]: Colour, [R, G, B]: Colour): Colour => [
    r * a + R * (1 - a),
    g * a + G * (1 - a),
    b * a + B * (1 - a),
    1,
  ];
  const behind = (element: PageElement | null): Colour =>
    element
      ? over(parse(getComputedStyle(element).backgroundColor), behind(element.parentElement))
      : [255, 255, 255, 1];
  const seenThrough = (element: PageElement | null): number =>
    element ? Number(getComputedStyle(element).opacity) * seenThrough(element.parentElement) : 1;
  const light = ([r, g, b]: Colour): number =>
    [r, g, b]
      .map((v) => v / 255)
      .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
      .reduce((sum, v, i) => sum + v * ([0.2126, 0.7152, 0.0722][i] ?? 0), 0);
  return (rows as readonly PageElement[]).flatMap((row) =>
    [...row.querySelectorAll('.label-name, .label-description')].map((label) => {
      const ground = behind(label);
      const [r, g, b, a] = parse(getComputedStyle(label).color);
      const [ink, paper] = [light(over([r, g, b, a * seenThrough(label)], ground)), light(ground)];
      return { text: label.textContent ?? '', ratio: (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05) };
    }),
  );
}
