// The account and all around it, as people meet it: the walkthrough, VS Code's Accounts menu, links
// that are sent, who is downloading from me, the command in a terminal, settings that count at
// once. Nora has two windows; Omar is sent links.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { createNodeDisk } from '../../protocol/node/nodeDisk.ts';
import { writeSmallFile } from '../../protocol/home/homeLayout.ts';
import { binary } from '../support/binary.ts';
import type { RealPair } from '../support/processes/realProcesses.ts';
import { accounts, accountsPicture, chooseAccount } from './pages/accounts.ts';
import type { CodeWindow } from './pages/codeWindow.ts';
import { hasPicture, steps } from './pages/walkthrough.ts';
import { People, says, stepOf, whole } from './people.ts';
import type { Person } from './people.ts';

const MIB = 1024 ** 2;
/** Slow enough that a download stays under way until the test has looked at it. */
const SLOW_KIB_PER_S = 128;

describe('two people and their accounts', function () {
  this.timeout(180_000);
  const people = new People();
  let pair: RealPair;
  let nora: Person;
  let second: CodeWindow;
  let omar: Person;

  const omarsSettings = (settings: Record<string, unknown> = {}): Record<string, unknown> => ({
    'workbench.colorTheme': 'Default High Contrast',
    ...settings,
  });
  const norasSettings = (settings: Record<string, unknown> = {}): Record<string, unknown> => ({
    'shoal.tracker': pair.url,
    'workbench.colorTheme': 'Default Light Modern',
    ...settings,
  });

  before(async () => {
    pair = await people.startPair();
    [nora, omar] = await Promise.all([people.come('nora', norasSettings()), people.come('omar', omarsSettings())]);
    second = await nora.openWindow(people.processes.makeFolder('people', 'nora', 'other'));
  });
  after(() => people.close());

  /** As the system hands a link to VS Code, which asks first whether this extension may have it. */
  const openUrl = async (window: CodeWindow, url: string): Promise<void> => {
    await window.runCommand('Developer: Open URL');
    await window.quickInputTitled('');
    await window.typeInQuickInput(url);
    await window.acceptQuickInput();
    await window.until('VS Code to ask', async () =>
      /extension to open this URI/.test((await window.dialog())?.message ?? ''),
    );
    await window.clickDialog('Open');
  };
  const dialogLike = (window: CodeWindow, message: RegExp) =>
    window.until(`the dialog ${String(message)}`, async () => {
      const dialog = await window.dialog();
      if (!dialog || !message.test(dialog.message)) {
        throw new Error(dialog ? `it says ${dialog.message}` : 'there is none');
      }
      return dialog;
    });
  const copied = (window: CodeWindow): Promise<string> =>
    window.page.evaluate(() =>
      (
        globalThis as unknown as { navigator: { clipboard: { readText(): Promise<string> } } }
      ).navigator.clipboard.readText(),
    );

  it('are shown the way by five steps, of which one is done when somebody has signed in', async () => {
    await nora.window.openView('Shoal');
    await nora.window.clickWelcome('Groups', 'get started');
    assert.deepEqual(
      (
        await nora.window.until('five steps', async () => {
          const all = await steps(nora.window);
          return all.length === 5 && all;
        })
      ).map(({ title, isDone }) => [title, isDone]),
      [
        ['Sign in', false],
        ['Create or join a group', false],
        ['Share a file', false],
        ['Download a file', false],
        ['Choose whether to go on sharing', false],
      ],
    );
    // so wide that there is room for the picture
    await nora.window.runCommand('View: Toggle Primary Side Bar Visibility');
    await nora.window.until('the picture of the step', () => hasPicture(nora.window));
    await nora.window.screenshot('90-walkthrough-light');
    await nora.window.runCommand('View: Toggle Primary Side Bar Visibility');
    await nora.createAccount();
    await nora.window.until(
      'the first step to be done',
      async () =>
        (await steps(nora.window))
          .filter(({ isDone }) => isDone)
          .map(({ title }) => title)
          .join() === 'Sign in',
    );
  });

  it('stand in the Accounts menu of both windows of one person', async () => {
    for (const window of [nora.window, second]) {
      await window.until('the account in the menu', async () => (await accounts(window)).includes('nora (Shoal)'));
    }
    await accountsPicture(nora.window, '91-accounts');
    assert.ok(!(await accounts(omar.window)).some((entry) => /Shoal/.test(entry)), 'nobody is asked to sign in there');
  });

  it('get an invitation link when they create a group, which leads somebody new through an account into it', async () => {
    await nora.window.openView('Shoal');
    await nora.window.runCommand('Shoal: Create Group…');
    await nora.window.answer('Create Group', 'choir');
    await nora.window.notification(/^Created the group choir\. Its invitation link is on the clipboard/);
    const link = await copied(nora.window);
    assert.match(link, /^[a-z-]+:\/\/shoal\.shoal\/join\?tracker=shoal~3a~2f~2f\S+&group=choir$/);
    await openUrl(omar.window, link);
    const { detail, buttons } = await dialogLike(omar.window, /^This link leads into the group choir\.$/);
    assert.match(detail, /^Tracker: 127\.0\.0\.1:\d+, 127\.0\.0\.1:\d+\n+You are not signed in\./);
    assert.ok(buttons.includes('Sign In'), String(buttons));
    await omar.window.screenshot('92-link-signed-out');
    await omar.window.clickDialog('Create Account');
    await stepOf(omar.window, '1/4');
    const [offered] = (await omar.window.quickInput())?.items ?? [];
    assert.equal(offered?.label, pair.url.replace(/^.*@/, '').split(',').join(', '), "the link's tracker is offered");
    await omar.answerAccount();
    const question = await dialogLike(omar.window, /^Ask to join the group choir\?$/);
    assert.match(question.detail, /^Owner: nora · 1 member · \d online\nTracker: /);
    await omar.window.screenshot('93-link-join');
    await omar.window.clickDialog('Ask to Join');
    await nora.window.rowAction('Groups', 'omar', 'Accept Request');
    await omar.window.openView('Shoal');
    await says(omar.window, 'Groups', 'choir', /^member/);
    await openUrl(omar.window, link);
    await omar.window.notification('You are a member of choir already.');
  });

  it('are refused a link that is damaged, of no group, or of another tracker', async () => {
    const link = `vscode://shoal.shoal/join?tracker=${pair.url}&group=choir`;
    await openUrl(omar.window, link.replace('choir', '$(trash)'));
    await omar.window.notification('This link cannot be used: it names no group.');
    await openUrl(omar.window, link.replace('/join?', '/open?name=..~2f..~2fetc~2fpasswd&'));
    await omar.window.notification(/^This link cannot be used: the name of its file cannot be used/);
    await openUrl(omar.window, link.replace('/join?', '/format?'));
    await omar.window.notification('This link cannot be used: it asks for something that this version does not know.');
    await openUrl(omar.window, link.replace('choir', 'nobodys'));
    await omar.window.notification('There is no group nobodys.');
    await openUrl(omar.window, link.replace(/shoal:\/\/.{8}/, 'shoal://aaaaaaaa'));
    const { detail } = await dialogLike(omar.window, /^This link belongs to another tracker\.$/);
    assert.match(detail, /You are signed in as omar at 127\.0\.0\.1/);
    await omar.window.screenshot('94-link-elsewhere');
    await omar.window.clickDialog('Cancel');
    await omar.window.until('omar to be signed in still', () => omar.window.statusBarItem('Shoal: omar'));
  });

  it('find what is not the tracker that was expected a hard stop', async () => {
    await second.runCommand('Shoal: Sign In…');
    await second.clickDialog('Sign Out');
    await stepOf(second, '1/3');
    await second.typeInQuickInput(pair.url.replace(/shoal:\/\/.{8}/, 'shoal://aaaaaaaa'));
    await second.acceptQuickInput();
    await second.notification(/^The tracker at 127\.0\.0\.1:\d+ is not the one that was expected\./);
    await stepOf(second, '1/3');
    await second.dismissQuickInput();
    await nora.window.until('the other window to follow', () => nora.window.statusBarItem(/signed out/));
    for (const window of [nora.window, second]) assert.ok(!(await accounts(window)).includes('nora (Shoal)'));
    await nora.signIn();
    await second.until('it to follow back', async () => (await accounts(second)).includes('nora (Shoal)'));
  });

  const big = binary('big.bin', 8 * MIB);

  it('send a link to a file, which is looked at before it is downloaded', async () => {
    nora.write('big.bin', big);
    await nora.share('big.bin', 'choir');
    await says(nora.window, 'Files', 'big.bin', /shared by you/);
    await nora.window.rowMenu('Files', 'big.bin', 'Copy File Link');
    const link = await nora.window.until('the link', async () => {
      const text = await copied(nora.window);
      return /\/open\?/.test(text) && text;
    });
    await omar.window.row('Files', 'big.bin');
    await openUrl(omar.window, link);
    const { detail, buttons } = await dialogLike(omar.window, /^Download big\.bin\?$/);
    assert.match(detail, /^8\.00 MiB · shared by nora · 1 seeder\nGroup: choir\nTracker: 127/);
    assert.ok(buttons.includes('Show in Files'));
    await omar.window.screenshot('95-link-file');
    await omar.window.clickDialog('Show in Files');
    await omar.window.until('the row to be chosen', async () =>
      (await omar.window.page.locator('.monaco-list-row.selected').allInnerTexts()).some((text) =>
        text.includes('big.bin'),
      ),
    );
    await people.limit(omar, omarsSettings({ 'shoal.downloadLimit': SLOW_KIB_PER_S }));
    await openUrl(omar.window, link);
    await dialogLike(omar.window, /^Download big\.bin\?$/);
    await omar.window.clickDialog('Download');
    await says(omar.window, 'Downloads', 'big.bin', /^\d+ %.* · 1 peer/);
  });

  it('are told by name who is downloading from them, before they log out or stop', async () => {
    await nora.window.until('the tooltip to say so', async () =>
      /omar is downloading big\.bin from you\./.test(await nora.window.statusBarTooltip(/Shoal: (nora|↑)/)),
    );
    await nora.window.runCommand('Shoal: Sign Out');
    await dialogLike(nora.window, /^omar is downloading big\.bin from you\.$/);
    await nora.window.screenshot('96-log-out');
    await nora.window.clickDialog('Cancel');
    await chooseAccount(nora.window, 'nora (Shoal)', 'Sign Out');
    await dialogLike(nora.window, /^Sign out of 'nora'\?$/);
    await nora.window.clickDialog('Sign Out');
    await dialogLike(nora.window, /^omar is downloading big\.bin from you\.$/);
    await nora.window.clickDialog('Cancel');
    await nora.window.until('nora to be there still', async () =>
      (await accounts(nora.window)).includes('nora (Shoal)'),
    );
    assert.deepEqual(
      (await nora.window.notifications()).filter(({ severity }) => severity === 'error'),
      [],
    );
    assert.match(await people.shoal(nora, 'uploads'), /omar +choir +big\.bin/);
    await nora.window.runCommand('Shoal: Stop Engine');
    assert.match(
      (await dialogLike(nora.window, /^Stop Shoal's engine\?$/)).detail,
      /^omar is downloading big\.bin from you\. Nothing is shared/,
    );
    await nora.window.clickDialog('Stop');
    await nora.window.until('the engine to stop', () => nora.window.statusBarItem(/stopped/));
  });

  it('are told once, afterwards, whom they left when the last window closed', async () => {
    // What an engine writes that leaves a minute after its last window: test/swarm/served.test.ts
    // waits for that minute.
    const { account } = JSON.parse(readFileSync(nora.home.accountFile, 'utf8')) as { account: string };
    await writeSmallFile(createNodeDisk(), nora.home.interruptedUploadsFile, {
      account,
      downloaders: [{ user: 'omar', group: 'choir', name: 'big.bin' }],
    });
    await second.close();
    await nora.window.clearNotifications();
    await nora.window.runCommand('Shoal: Start Engine or Try Again');
    const words = 'When the last window closed, omar was still downloading big.bin from you. It can go on now.';
    await nora.window.notification(words);
    const bell = nora.window.page.locator('[id="status.notifications"] a');
    await bell.click();
    await nora.window.screenshot('97-cut-off');
    await bell.click();
    await nora.window.clickNotification(words, 'Keep Sharing When Closed');
    await nora.window.until('the engine to keep sharing', async () =>
      (await people.shoal(nora, 'status', '--json')).includes('"keepSharing":true'),
    );
    second = await nora.openWindow(people.processes.makeFolder('people', 'nora', 'other'));
    await second.until('the account', () => second.statusBarItem(/Shoal: (nora|↑)/));
    assert.ok(!(await second.notifications()).some(({ message }) => message === words), 'it was said');
    await nora.window.until('that step to be done', async () => (await steps(nora.window)).at(-1)?.isDone === true);
  });

  it('have the command in their terminals, for as long as the setting says so', async () => {
    const run = async (line: string, file: string): Promise<string> => {
      await nora.window.runCommand('Terminal: Create New Terminal');
      await nora.window.page.keyboard.type(`${line} 2>&1 | tee ${file}; mv ${file} done-${file}\n`);
      await nora.window.until(`what ${line} says`, () => existsSync(path.join(nora.workspace, `done-${file}`)));
      return readFileSync(path.join(nora.workspace, `done-${file}`), 'utf8');
    };
    assert.match(await run('shoal list_groups', 'groups.txt'), /^GROUP +YOU ARE[^\n]*\nchoir +owner +nora/);
    await nora.window.screenshot('98-terminal');
    assert.match(await run('command -v shoal', 'where.txt'), /globalStorage\/shoal\.shoal\/bin\/shoal$/m);
    nora.server.writeSettings(norasSettings({ 'shoal.terminalPath': false, 'shoal.keepSharing': true }));
    await nora.window.until('a terminal without it', async () =>
      /^none$/m.test(await run('command -v shoal || echo none', `without-${Date.now()}.txt`)),
    );
    nora.server.writeSettings(norasSettings({ 'shoal.keepSharing': true }));
  });

  it('see their settings count at once', async () => {
    omar.server.writeSettings(
      omarsSettings({
        'shoal.downloadLimit': 0,
        'shoal.uploadLimit': 77,
        'shoal.activeDownloads': 3,
        'shoal.keepSharing': true,
      }),
    );
    await omar.window.until('the engine to be told', async () => {
      const { overview } = JSON.parse(await people.shoal(omar, 'status', '--json')) as {
        overview: Record<string, unknown>;
      };
      return (
        overview['downLimitBytesPerS'] === 0 &&
        overview['upLimitBytesPerS'] === 77 * 1024 &&
        overview['activeDownloads'] === 3 &&
        overview['keepSharing'] === true
      );
    });
    await whole(omar.window, 'big.bin');
    assert.ok(omar.read('downloads/big.bin').equals(big));
  });

  it('see in high contrast what is done and what is not', async () => {
    await omar.window.runCommand('Shoal: Get Started'); // for the first time, when much is done already
    await omar.window.until(
      'what is done',
      async () =>
        (await steps(omar.window))
          .filter(({ isDone }) => isDone)
          .map(({ title }) => title)
          .join() === 'Sign in,Create or join a group,Download a file,Choose whether to go on sharing',
    );
    await omar.window.runCommand('View: Toggle Primary Side Bar Visibility');
    await omar.window.until('the picture of the step', () => hasPicture(omar.window));
    await omar.window.screenshot('99-walkthrough-contrast');
  });

  it('sign out in the Accounts menu of one window, and are signed out in the other', async () => {
    await chooseAccount(second, 'nora (Shoal)', 'Sign Out');
    await dialogLike(second, /^Sign out of 'nora'\?$/);
    await second.clickDialog('Sign Out');
    for (const window of [nora.window, second]) {
      await window.until('nobody to be signed in', () => window.statusBarItem(/signed out/));
      assert.ok(!(await accounts(window)).includes('nora (Shoal)'));
    }
  });

  it('have nothing to complain about in their logs', () => {
    for (const person of [nora, omar]) assert.deepEqual(person.troubles(), [], person.name);
  });
});
