// A person without a tracker: starts a pair on this computer from VS Code, uses it alone at first,
// stops it and starts it again. In light colours, and through the ways that the two people of
// flows.test.ts do not take: the "+" of a view, the menu of an editor's tab, the status bar.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { TRACKER_BUNDLE } from '../support/processes/realProcesses.ts';
import { PASSWORD, People, says, stepOf } from './people.ts';
import type { Person } from './people.ts';

describe('a person without a tracker', function () {
  this.timeout(180_000);
  const people = new People();
  let carol: Person;
  const pairFolder = (): string => path.join(carol.home.folder, 'trackers', 'computer');

  before(async () => (carol = await people.come('carol', { 'workbench.colorTheme': 'Default Light Modern' })));
  after(async () => {
    await people.processes.run(TRACKER_BUNDLE, ['stop_pair', pairFolder()]);
    await people.close();
  });

  const pairStatus = async (): Promise<{ url: string; running: readonly boolean[] }> => {
    const { stdout } = await people.processes.run(TRACKER_BUNDLE, ['pair_status', pairFolder(), '--json']);
    const { url, trackers } = JSON.parse(stdout) as { url: string; trackers: readonly { running: boolean }[] };
    return { url, running: trackers.map(({ running }) => running) };
  };

  it('is offered a tracker pair of her own, and an account at it', async () => {
    const { window } = carol;
    await window.openView('Shoal');
    await window.until('the welcome text', () => window.welcome('Groups'));
    await window.screenshot('20-light-welcome');
    await window.clickWelcome('Groups', 'Start a pair on this computer');
    await window.quickInputTitled('Start Local Tracker Pair');
    await window.screenshot('21-local-pair');
    await window.pick(/This computer$/);
    await window.clickNotification(
      /^The tracker pair runs on this computer\. Other people on it sign in with its URL\.$/,
      'Create Account',
    );
    await stepOf(window, '1/4');
    const { items } = await window.quickInputWithItems('Create a Shoal Account');
    const { url, running } = await pairStatus();
    assert.deepEqual(running, [true, true]);
    assert.equal(items[0]?.label, /@(.*)$/.exec(url)?.[1]?.replace(',', ', '));
    assert.match(items[0]?.description ?? '', /the pair on this computer/);
    await window.screenshot('22-choose-tracker');
    await carol.answerAccount();
  });

  it('shares with the “+” of Files, through a dialog', async () => {
    const { window } = carol;
    await window.clickWelcome('Groups', 'Create Group');
    await window.answer('Create Group', 'solo');
    await window.row('Groups', 'solo');
    assert.match(
      (await window.until('the welcome text of Files', () => window.welcome('Files'))).text,
      /^Nothing is shared in your groups yet/,
    );
    const file = carol.write('notes/a file.txt', 'one');
    await window.viewAction('Files', 'Share File in Group…');
    await window.quickInputTitled('Share Files');
    // VS Code's own dialog follows what is typed folder by folder, and forgets the rest when Enter
    // comes before it has listed the last one.
    await window.until('the question for the group', async () => {
      const { title = '', value = '', items = [] } = (await window.quickInput()) ?? {};
      if (title !== 'Share Files') return title === 'Share File in Group';
      if (value !== file) await window.typeInQuickInput(file);
      else if (items.some(({ label }) => label === 'a file.txt')) {
        await window.screenshot('23-file-dialog');
        await window.acceptQuickInput();
      }
      return false;
    });
    await window.pick('solo');
    await says(window, 'Files', 'a file.txt', /^shared by you · 3 B · 1 seeder$/);
    await window.screenshot('24-light-shared');
  });

  it('shares what an editor shows, from the menu of its tab', async () => {
    const { window } = carol;
    carol.write('readme.md', '# Read me\n');
    await window.openView('Explorer');
    await window.openFile('readme.md');
    await window.tabMenu('readme.md', 'Share File in Group…');
    await window.quickInputTitled('Share File in Group');
    await window.pick('solo');
    await window.openView('Shoal');
    await window.row('Files', 'readme.md');
  });

  it('is offered to share a folder as a folder', async () => {
    const { window } = carol;
    await window.openView('Explorer');
    const entries = await window.explorerMenuEntries('notes');
    assert.deepEqual(
      entries.filter((entry) => /^Share/.test(entry)),
      ['Share Folder in Group…'],
    );
    await window.openView('Shoal');
  });

  it('gives others the URL', async () => {
    const { window } = carol;
    await window.runCommand('Shoal: Copy Tracker URL');
    await window.until('the status bar to say so', () => window.statusBarItem('Tracker URL copied'));
    await window.openView('Explorer');
    await window.openFile('readme.md');
    await window.page.locator('.part.editor .monaco-editor').first().click();
    await window.page.keyboard.press('Control+End');
    await window.page.keyboard.press('Control+V');
    const { url } = await pairStatus();
    await window.until('the URL in the editor', async () =>
      (await window.page.locator('.part.editor .view-lines').first().innerText())
        .replaceAll('\u00a0', ' ')
        .includes(url.slice(0, 40)),
    );
    await window.runCommand('File: Revert File');
    await window.openView('Shoal');
  });

  it('stops the pair on purpose alone, and works on without it', async () => {
    const { window } = carol;
    await window.runCommand('Shoal: Stop Local Tracker Pair');
    const dialog = await window.until('the question', () => window.dialog());
    assert.deepEqual(
      [dialog.message, [...dialog.buttons].sort()],
      ['You are using this tracker pair. Stop it?', ['Cancel', 'Stop']],
    );
    await window.screenshot('25-stop-pair');
    await window.clickDialog('Stop');
    await window.notification('The tracker pair is stopped. Its accounts and groups are kept.');
    assert.deepEqual((await pairStatus()).running, [false, false]);
    await window.until(
      'the status bar to say so',
      async () => (await window.statusBarItem(/offline/))?.kind === 'warning',
    );
    await window.row('Files', 'a file.txt'); // what was known stays in sight
    await window.runCommand('Shoal: Stop Local Tracker Pair');
    await window.clickDialog('Stop');
    await window.notification('The tracker pair was not running.');
  });

  it('starts it again by starting the engine, with everything as it was', async () => {
    const { window } = carol;
    const { url } = await pairStatus();
    await window.runCommand('Shoal: Start Engine or Try Again');
    await window.until('the trackers to be back', () => window.statusBarItem('Shoal: carol'));
    assert.deepEqual(await pairStatus(), { url, running: [true, true] });
    await says(window, 'Files', 'a file.txt', /shared by you/);
  });

  it('finds none of its ports forwarded to her computer, as VS Code does with a web server’s', async () => {
    const { window } = carol;
    const web = createServer().listen(0, '127.0.0.1');
    await once(web, 'listening');
    const { port } = web.address() as AddressInfo;
    try {
      await window.runCommand('Ports: Focus on Ports View');
      // It is scanned every few seconds: whatever was there before this server has been seen when
      // it is.
      const text = await window.until(
        'a web server’s port to be forwarded',
        async () => {
          const shown = await window.page.locator('.part.panel').innerText();
          return shown.includes(String(port)) && shown;
        },
        60_000,
      );
      await window.screenshot('26-ports');
      const { url } = await pairStatus();
      for (const own of [...url.matchAll(/:(\d+)/g)].map(([, number]) => number ?? '')) {
        assert.ok(!text.includes(own), text);
      }
      // What other suites run at the same time on this machine is none of hers.
      assert.deepEqual(
        text
          .split('\n')
          .filter((line) => line.includes(people.processes.folder) && /(?:engine|tracker)\.js/.test(line)),
        [],
      );
    } finally {
      web.close();
    }
    await window.runCommand('View: Toggle Panel Visibility');
  });

  it('is told what is wrong when a file goes that she shares', async () => {
    const { window } = carol;
    rmSync(path.join(carol.workspace, 'notes/a file.txt'));
    await window.runCommand('Shoal: Verify File');
    await window.pick('a file.txt');
    await window.notification(/^There is no file .*a file\.txt\.?$/);
  });

  it('has the password changed only by who knows it', async () => {
    const { window } = carol;
    await window.runCommand('Shoal: Change Password…');
    for (const [step, text] of [
      ['1/3', 'not it at all'],
      ['2/3', 'battery staple horse'],
      ['3/3', 'battery staple horse'],
    ] as const) {
      await stepOf(window, step);
      await window.typeInQuickInput(text);
      await window.acceptQuickInput();
    }
    await window.until('the refusal', async () => /password is wrong/.test((await window.quickInput())?.message ?? ''));
    await window.quickInputButton('Back');
    await stepOf(window, '2/3');
    await window.quickInputButton('Back');
    await stepOf(window, '1/3');
    for (const [step, text] of [
      ['1/3', PASSWORD],
      ['2/3', 'battery staple horse'],
      ['3/3', 'battery staple horse'],
    ] as const) {
      await stepOf(window, step);
      await window.typeInQuickInput(text);
      await window.acceptQuickInput();
    }
    await window.notification('The password is changed.');
  });

  it('has nothing to complain about in her log', () => assert.deepEqual(carol.troubles(), []));
});
