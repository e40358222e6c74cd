// The driver itself, on an extension made for it: two people's windows on two servers, each thing
// it can see or do once, and suites that run inside an extension host.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { closeBrowser, newPerson } from './driver/browser.ts';
import { CodeServer } from './driver/codeServer.ts';
import { CodeWindow } from './pages/codeWindow.ts';
import { packDummy } from './driver/dummyExtension.ts';
import { bundleSuite, runSuiteInExtensionHost } from './driver/suiteLauncher.ts';

const RESULTS = fileURLToPath(new URL('../../test-results/', import.meta.url));

describe('the driver of VS Code', function () {
  this.timeout(300_000); // the first run installs VS Code
  const folder = mkdtempSync(path.join(os.tmpdir(), 'shoal-driver-'));
  const servers: CodeServer[] = [];
  let vsix: string;
  let alice: CodeWindow;
  let bob: CodeWindow;

  before(async () => {
    vsix = await packDummy(folder);
    alice = await windowOf('alice');
    bob = await windowOf('bob');
  });
  after(async () => {
    await closeBrowser();
    await Promise.all(servers.map((server) => server.stop()));
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });

  async function windowOf(name: string): Promise<CodeWindow> {
    const server = await CodeServer.start({
      folder: path.join(folder, name),
      name,
      extensions: [vsix],
      environment: { SHOAL_HOME: `home of ${name}` },
    });
    servers.push(server);
    return CodeWindow.open(await newPerson(), server, { workspace: workspaceOf(name) });
  }

  function workspaceOf(name: string): string {
    const workspace = path.join(folder, `files of ${name}`);
    mkdirSync(workspace, { recursive: true });
    for (const file of [`${name}.txt`, 'b.txt', 'c.txt']) writeFileSync(path.join(workspace, file), file);
    return workspace;
  }

  /** Waits until the extension has noted something in its log. */
  const notes = (window: CodeWindow, line: string): Promise<unknown> =>
    window.until(`the log to have “${line}”`, () => window.server.extensionLog('Dummy Log').includes(line));

  it('shows rows, expands them, and reads what stands with them', async () => {
    await alice.openView('Dummy Box');
    await alice.row('Fruit', 'Banana');
    await alice.expand('Fruit', 'Apple');
    await alice.row('Fruit', 'Seed');
    const rows = (await alice.rows('Fruit')).map(({ label, description, icon, level, expanded }) => [
      label,
      description,
      icon,
      level,
      expanded,
    ]);
    assert.deepEqual(rows, [
      ['Apple', '5 letters', 'star', 1, true],
      ['Seed', '4 letters', 'star', 2, undefined],
      ['Banana', '6 letters', 'star', 1, undefined],
    ]);
    await alice.screenshot('driver-rows');
    await alice.collapse('Fruit', 'Apple');
    assert.equal((await alice.rows('Fruit')).length, 2);
    assert.equal(await alice.rowTooltip('Fruit', 'Banana'), 'Banana is a fruit');
    assert.equal(await alice.until('the badge', () => alice.badge('Dummy Box')), 7);
    assert.equal(await alice.badge('Explorer'), undefined);
  });

  it('acts on rows', async () => {
    await alice.openView('Dummy Box');
    assert.deepEqual(await alice.rowMenuEntries('Fruit', 'Banana'), ['More of This', 'Row Command']);
    await alice.rowMenu('Fruit', 'Banana', 'Row Command');
    await notes(alice, 'row Banana');
    assert.deepEqual(await alice.rowActions('Fruit', 'Apple'), ['Row Command']);
    await alice.rowAction('Fruit', 'Apple', 'Row Command');
    await notes(alice, 'row Apple');
    await alice.rowMenu('Fruit', 'Banana', 'More of This', 'Open a Dialog');
    await alice.clickDialog('Cancel');
    await notes(alice, 'chose undefined');
  });

  it('reads a long list whole, and acts on rows out of sight', async () => {
    await alice.openView('Solo Box');
    await alice.row('Lonely', 'Number 149');
    const rows = await alice.rows('Lonely');
    assert.deepEqual(
      rows.map(({ label }) => label),
      Array.from({ length: 150 }, (_, i) => `Number ${i}`),
    );
    assert.deepEqual([rows[77]?.says, rows[77]?.checked], ['tip of Number 77', false]);
    await alice.checkRow('Lonely', 'Number 120');
    await notes(alice, 'checked Number 120 1');
    assert.deepEqual(await alice.viewHeaders(), [
      { title: 'Lonely', description: 'a hundred and fifty', message: 'Mind the numbers.', isExpanded: true },
    ]);
    await alice.screenshot('driver-long-list');
  });

  it('uses title bars, also that of a container with one view', async () => {
    for (const [container, view] of [
      ['Dummy Box', 'Fruit'],
      ['Solo Box', 'Lonely'],
    ] as const) {
      await alice.openView(container);
      const { icons, menu } = await alice.viewActions(view);
      assert.deepEqual([icons, menu.includes('Pick Something')], [['Show a Notification'], true]);
      await alice.viewAction(view, 'Pick Something');
      await alice.quickInputTitled('Colours');
      await alice.dismissQuickInput();
      await alice.viewAction(view, 'Show a Notification');
      await alice.clickNotification(/happened/, 'Details');
    }
    await notes(alice, 'pressed Details');
  });

  it('reads and presses a welcome text', async () => {
    await alice.openView('Dummy Box');
    const welcome = await alice.until('the welcome text', () => alice.welcome('Nothing'));
    assert.deepEqual(welcome, {
      text: 'There is nothing here.\nSee the help.',
      buttons: ['Ask Me'],
      links: ['the help'],
    });
    assert.equal(await alice.welcome('Fruit'), undefined);
    await alice.clickWelcome('Nothing', 'Ask Me');
    await alice.quickInputTitled('Your Name');
    await alice.dismissQuickInput();
  });

  it('answers input boxes', async () => {
    await alice.runCommand('Dummy: Ask for a Name');
    const { placeholder, message, isPassword, severity } = await alice.quickInputTitled('Your Name');
    assert.deepEqual(
      [placeholder, message, isPassword, severity],
      ['a name', 'As others shall see it', false, undefined],
    );
    await alice.typeInQuickInput('bad');
    const complaint = await alice.until('the complaint', async () => {
      const now = await alice.quickInput();
      return now?.severity && now;
    });
    assert.deepEqual([complaint.message, complaint.severity], ['not that one', 'error']);
    await alice.screenshot('driver-validation');
    await alice.answer('Your Name', 'Ann');
    assert.equal((await alice.quickInputTitled('A Secret')).isPassword, true);
    await alice.answer('A Secret', 'hush');
    await notes(alice, 'asked Ann hush');

    await alice.runCommand('Dummy: Ask in Steps');
    const steps = await alice.until('steps, and that it works', async () => {
      const now = await alice.quickInput();
      return now?.isBusy && now;
    });
    assert.deepEqual(
      [steps.title, steps.step, steps.buttons.map((label) => label.split(' (')[0])],
      ['In Steps', '2/3', ['Back']],
    );
    await alice.quickInputButton(steps.buttons[0] ?? '');
    await notes(alice, 'went back');
    assert.equal(await alice.until('nothing to be asked', async () => (await alice.quickInput()) === undefined), true);
  });

  it('picks from lists', async () => {
    await alice.runCommand('Dummy: Pick Something');
    const { items, placeholder } = await alice.quickInputTitled('Colours');
    assert.deepEqual(
      [placeholder, items.length, items[0]?.label, items[0]?.description, items[0]?.icon, items[1]?.detail],
      ['pick one', 152, 'Red', 'a colour', 'star', 'more of it'],
    );
    await alice.pick('Number 140');
    const directions = await alice.quickInputTitled('Directions');
    assert.deepEqual(
      directions.items.map(({ checked }) => checked),
      [false, true, false],
    );
    await alice.checkItems('North', /^S/);
    await alice.screenshot('driver-picks');
    await alice.acceptQuickInput();
    await notes(alice, 'picked Number 140 and North South');
  });

  it('answers a dialog that asks for a file', async () => {
    await alice.runCommand('Dummy: Ask for a File');
    await alice.quickInputTitled('Which File');
    await alice.typeInQuickInput(path.join(workspaceOf('alice'), 'c.txt'));
    await alice.screenshot('driver-file-dialog');
    await alice.acceptQuickInput();
    await notes(alice, 'opened c.txt');
  });

  it('reads notifications and presses their buttons', async () => {
    await bob.clearNotifications();
    assert.deepEqual(await bob.notifications(), []);
    await bob.runCommand('Dummy: Show a Notification');
    const note = await bob.notification('Something happened.');
    assert.deepEqual(note, {
      message: 'Something happened.',
      buttons: ['Undo', 'Details'],
      source: 'Dummy',
      severity: 'warning',
      hasProgress: false,
    });
    await bob.runCommand('Dummy: Show Progress');
    const working = await bob.notification(/Working/);
    assert.deepEqual([working.message, working.buttons, working.hasProgress], ['Working: on it', ['Cancel'], true]);
    assert.equal((await bob.notifications()).length, 2);
    await bob.clickNotification(/Working/, 'Cancel');
    await notes(bob, 'cancelled');
    await bob.clickNotification('Something happened.', 'Undo');
    await notes(bob, 'pressed Undo');
    await bob.until('no notification', async () => (await bob.notifications()).length === 0);
  });

  it('answers modal dialogs', async () => {
    assert.equal(await bob.dialog(), undefined);
    await bob.runCommand('Dummy: Open a Dialog');
    const dialog = await bob.until('the dialog', () => bob.dialog());
    assert.deepEqual(
      [dialog.message, dialog.detail, dialog.buttons.toSorted()],
      ['Really?', 'It cannot be undone.', ['Cancel', 'Delete']],
    );
    await bob.screenshot('driver-dialog');
    await bob.clickDialog('Delete');
    await notes(bob, 'chose Delete');
    assert.equal(await bob.dialog(), undefined);
  });

  it('reads and presses the status bar', async () => {
    const item = await bob.until('the status bar item', () => bob.statusBarItem(/Dummy/));
    assert.deepEqual([item.text, item.icons, item.kind], ['Dummy ready', ['rocket'], 'warning']);
    assert.match(item.says, /a tip/);
    await bob.clickStatusBarItem('Dummy ready');
    await bob.clickNotification(/happened/, 'Details');
    await notes(bob, 'pressed Details');
  });

  it('uses the explorer and sees the editors', async () => {
    assert.deepEqual(
      (await bob.explorerRows()).map(({ label }) => label),
      ['b.txt', 'bob.txt', 'c.txt'],
    );
    await bob.explorerMenu('bob.txt', 'Dummy File');
    await notes(bob, 'files bob.txt');
    await bob.explorerMenu(['b.txt', 'c.txt'], 'Dummy File');
    await notes(bob, 'files b.txt c.txt');
    await bob.explorerMenu('b.txt', 'Dummy File'); // of the two that are selected now
    await bob.until('the file alone', () => bob.server.extensionLog('Dummy Log').endsWith('files b.txt\n'));
    assert.ok((await bob.explorerMenuEntries('b.txt')).includes('Copy Path'));
    assert.deepEqual(await bob.editorTabs(), []);
    await bob.explorerMenu('bob.txt', 'Open to the Side');
    const tabs = await bob.until('a tab', async () => {
      const all = await bob.editorTabs();
      return all.length > 0 && all;
    });
    assert.deepEqual(tabs, [{ label: 'bob.txt', isActive: true, isDirty: false }]);
    await bob.screenshot('driver-explorer');
  });

  it('keeps people apart, and finds their logs', async () => {
    assert.match(alice.server.extensionLog('Dummy Log'), /activated from .*\/alice\/extensions\//);
    assert.match(bob.server.extensionLog('Dummy Log'), /activated from .*\/bob\/extensions\//);
    assert.equal(bob.server.extensionLog('Dummy Plain'), 'a plain line\n');
    assert.equal(bob.server.extensionLog('Dummy'), '');
    assert.match(bob.server.logs(), /ExtensionService#_doActivateExtension shoal-test\.dummy/);
    assert.doesNotMatch(bob.server.extensionLog('Dummy Log'), /asked Ann/);
  });

  it('reloads, and takes up new settings', async () => {
    await bob.openView('Explorer');
    bob.server.writeSettings({ 'workbench.colorTheme': 'Default High Contrast' });
    await bob.reload();
    await bob.until('the theme', () =>
      bob.page
        .locator('.monaco-workbench.hc-black')
        .count()
        .then((count) => count > 0),
    );
    await bob.openView('Dummy Box');
    await bob.row('Fruit', 'Apple');
    await bob.screenshot('driver-high-contrast');
  });

  it('says what it saw when it fails, with a picture', async () => {
    await assert.rejects(
      bob.until(
        'the moon',
        () => {
          throw new Error('clouds');
        },
        200,
      ),
      /bob's window: waited 0\.2 s for the moon\nthe last try: clouds\n.*failure-.*\.png/,
    );
  });

  it('shows notifications as people see them if asked to', async () => {
    const server = await CodeServer.start({
      folder: path.join(folder, 'carol'),
      name: 'carol',
      extensions: [vsix],
      forTests: false,
    });
    servers.push(server);
    const carol = await CodeWindow.open(await newPerson(), server, { workspace: workspaceOf('carol') });
    await carol.runCommand('Dummy: Show a Notification');
    await carol.page.locator('.notifications-toasts .notification-list-item').waitFor();
    await carol.screenshot('driver-toast');
    assert.equal((await carol.notification(/happened/)).source, 'Dummy');
  });

  it('leaves nothing behind when a server stops', async () => {
    const server = await CodeServer.start({ folder: path.join(folder, 'dave'), name: 'dave' });
    const { processId } = server;
    assert.equal(process.kill(-processId, 0), true);
    await server.stop();
    assert.throws(() => process.kill(-processId, 0), { code: 'ESRCH' });
  });

  for (const [what, sum, exitCode] of [
    ['passes', 2, 0],
    ['fails', 3, 1],
  ] as const) {
    it(`runs a suite that ${what} inside the extension host`, async () => {
      const source = path.join(folder, `${what}.test.ts`);
      writeFileSync(
        source,
        `
        import assert from 'node:assert/strict';
        import * as vscode from 'vscode';
        describe('in the extension host', () => {
          it('adds', () => assert.equal(1 + 1, ${sum}));
          it('has the extension, as installed', async () => {
            const dummy = vscode.extensions.getExtension('shoal-test.dummy');
            await dummy!.activate();
            assert.match(dummy!.extensionPath, /extensions/);
            assert.equal(vscode.workspace.workspaceFolders?.[0]?.name, 'files of erin');
            assert.equal(process.env.SHOAL_HOME, 'a home');
          });
        });`,
      );
      const suite = await bundleSuite([source], path.join(RESULTS, `driver-${process.pid}`, `${what}.cjs`));
      try {
        const outcome = await runSuiteInExtensionHost({
          suite,
          vsix,
          workspace: workspaceOf('erin'),
          environment: { SHOAL_HOME: 'a home' },
          boundMs: 60_000,
        });
        assert.equal(outcome.exitCode, exitCode, outcome.output);
        assert.match(
          outcome.output,
          exitCode === 0 ? /2 passing/ : /1 passing[^]*1 failing[^]*Expected values to be strictly equal/,
        );
      } finally {
        rmSync(path.dirname(suite), { recursive: true, force: true });
      }
    });
  }
});
