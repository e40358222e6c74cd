// Every way in which something comes to be shared, and what is asked before: a drop on a group,
// source control, secrets, what git ignores; the marks in the explorer; and the folder that a
// group's downloads go to. Hana shares; Ivan, in high contrast, downloads.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { binary } from '../support/binary.ts';
import type { RealPair } from '../support/processes/realProcesses.ts';
import { choose } from './pages/menus.ts';
import type { Dialog } from './pages/notices.ts';
import { meetInGroup, People, says, whole } from './people.ts';
import type { Person } from './people.ts';

describe('two people who share from everywhere', function () {
  this.timeout(180_000);
  const people = new People();
  let pair: RealPair;
  let hana: Person;
  let ivan: Person;

  before(async () => {
    pair = await people.startPair();
    hana = await people.settle('hana', {
      settings: { 'shoal.tracker': pair.url, 'git.enabled': true, 'git.openRepositoryInParentFolders': 'never' },
    });
    execFileSync('git', ['init', '--quiet', hana.workspace]);
    hana.write('.gitignore', '*.log\n/data/\n');
    [, ivan] = await Promise.all([
      hana.openWindow(),
      people.come('ivan', { 'shoal.tracker': pair.url, 'workbench.colorTheme': 'Default High Contrast' }),
    ]);
    await meetInGroup(hana, ivan, 'lab');
  });
  after(() => people.close());

  const explorerShows = (name: string, badge?: string): Promise<unknown> =>
    hana.window.until(`${name} in the explorer${badge === undefined ? '' : ` with ${badge}`}`, async () => {
      await hana.window.openView('Explorer');
      const row = hana.window.page.locator('.explorer-folders-view .monaco-list-row').filter({ hasText: name }).first();
      if ((await row.count()) === 0) return false;
      // VS Code draws the badge as the content behind the label, which is no text of the page.
      return (
        badge === undefined ||
        (await row.evaluate(
          (element, wanted) =>
            [...element.querySelectorAll('*')].some((one) =>
              (globalThis as unknown as { getComputedStyle(of: unknown, which: string): { content: string } })
                .getComputedStyle(one, '::after')
                .content.includes(wanted),
            ),
          badge,
        ))
      );
    });
  const asked = (): Promise<Dialog> => hana.window.until('the question', () => hana.window.dialog());
  const sharedNames = async (): Promise<readonly string[]> =>
    (await hana.window.rows('Files')).map(({ label }) => label);

  it('are asked before what may be secret leaves, with the reason, and may leave it', async () => {
    const { window } = hana;
    hana.write('.env', 'PASSWORD=1\n');
    await explorerShows('.env');
    await window.explorerMenu('.env', 'Share File in Group…');
    await window.quickInputTitled('Share File in Group');
    await window.pick('lab');
    const { message, detail, buttons } = await asked();
    assert.deepEqual([message, buttons.includes('Share Anyway')], ['This may hold secrets. Share it in lab?', true]);
    assert.match(detail, /^\.env: settings of this kind often hold passwords and tokens/);
    await window.screenshot('54-secret');
    await window.clickDialog('Cancel');
    await window.openView('Shoal');
    assert.ok(!(await sharedNames()).includes('.env'));
  });

  it('are asked about what git ignores, and can say that once and for all', async () => {
    const { window } = hana;
    hana.write('debug.log', 'a line\n');
    await explorerShows('debug.log');
    await window.explorerMenu('debug.log', 'Share File in Group…');
    await window.quickInputTitled('Share File in Group');
    await window.pick('lab');
    assert.equal((await asked()).message, 'Git ignores debug.log. Share it in lab?');
    await window.clickDialog('Share, and Do Not Ask About Ignored Files');
    await window.openView('Shoal');
    await says(window, 'Files', 'debug.log', /shared by you/);
  });

  it('see what is shared in the explorer, and that it changed', async () => {
    await explorerShows('debug.log', '↑');
    await hana.window.screenshot('55-decorations');
    appendFileSync(path.join(hana.workspace, 'debug.log'), 'one more line\n');
    await ivan.window.rowAction('Files', 'debug.log', 'Download File…'); // whoever asks for it finds out
    await explorerShows('debug.log', '!');
  });

  it('share a change from source control', async () => {
    const { window } = hana;
    hana.write('model.bin', binary('model.bin', 50_000));
    await window.openView('Source Control');
    const row = window.page.locator('.scm-view .monaco-list-row').filter({ hasText: 'model.bin' }).first();
    await choose(window, async () => row.click({ button: 'right', timeout: 3_000 }), ['Share File in Group…']);
    await window.quickInputTitled('Share File in Group');
    await window.pick('lab');
    await window.openView('Shoal');
    await says(window, 'Files', 'model.bin', /shared by you/);
  });

  it('drop files of the explorer on a group', async () => {
    const { window } = hana;
    hana.write('drop me.bin', binary('drop me.bin', 60_000));
    await explorerShows('drop me.bin');
    await window.dragToRow(
      window.page.locator('.explorer-folders-view .monaco-list-row').filter({ hasText: 'drop me.bin' }).first(),
      'Shoal',
      'Groups',
      'lab',
    );
    await says(ivan.window, 'Files', 'drop me.bin', /hana/);
    await window.screenshot('56-dropped');
  });

  it('download to a folder of their own, which the group keeps', async () => {
    const { window } = ivan;
    const folder = path.join(ivan.server.home, 'big disk');
    mkdirSync(folder, { recursive: true });
    await window.rowMenu('Files', 'model.bin', 'Download To…');
    await window.quickInputTitled('Download To');
    await window.typeInQuickInput(`${folder}${path.sep}`);
    // Enter would mean the folder of before while this one is still being listed.
    await window.until(
      'the empty folder in the dialog',
      async () => (await window.quickInput())?.items.map(({ label }) => label).join() === '..',
    );
    await window.quickInputButton('Download Here');
    await window.clickNotification(`Downloading to ${folder}.`, 'Always for lab');
    await whole(window, 'model.bin');
    assert.ok(existsSync(path.join(folder, 'model.bin')));
    await window.rowAction('Files', 'drop me.bin', 'Download File…');
    await window.notification(`Downloads of lab go to ${folder}.`);
    await whole(window, 'drop me.bin');
    assert.ok(existsSync(path.join(folder, 'drop me.bin')));
    await window.screenshot('57-contrast-downloads');
    await window.clickNotification(`Downloads of lab go to ${folder}.`, 'Use the Usual Folder');
  });

  it('have nothing to complain about in their logs', () => {
    for (const person of [hana, ivan]) assert.deepEqual(person.troubles(), [], person.name);
  });
});
