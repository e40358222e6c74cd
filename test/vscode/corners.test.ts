// What the two people of flows.test.ts did not come by: the engine in a window, Restricted Mode, a
// virtual workspace, and every way out: pause, cancel, reject, take back, leave. Dave owns the
// group; Erin's engine works in her window, and her workspace is one that she does not trust.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { binary } from '../support/binary.ts';
import type { RealPair } from '../support/processes/realProcesses.ts';
import { packExtension } from './driver/packExtension.ts';
import { gone, People, says, stepOf } from './people.ts';
import type { Person } from './people.ts';

const MIB = 1024 ** 2;

describe('two people in the corners of VS Code', function () {
  this.timeout(180_000);
  const people = new People();
  let pair: RealPair;
  let dave: Person;
  let erin: Person;
  const erinsSettings = (): Record<string, unknown> => ({
    'shoal.engine': 'window',
    'shoal.downloadLimit': 0,
    'workbench.colorTheme': 'Default High Contrast',
    'security.workspace.trust.enabled': true,
    'security.workspace.trust.startupPrompt': 'never',
    'security.workspace.trust.banner': 'never',
  });

  before(async () => {
    pair = await people.startPair();
    // What a repository would do if it could: her tracker, her home, and where downloads go.
    const workspace = people.processes.makeFolder('people', 'erin', 'workspace', '.vscode');
    writeFileSync(
      path.join(workspace, 'settings.json'),
      JSON.stringify({
        'shoal.tracker': 'evil.example:1',
        'shoal.home': path.join(people.processes.folder, 'evil'),
        'shoal.downloadFolder': '/etc',
        'shoal.engine': 'process',
        'shoal.listen': ':1',
      }),
    );
    const virtual = await packExtension(
      people.processes.makeFolder('virtual'),
      {
        name: 'virtual',
        contributes: { commands: [{ command: 'virtual.add', title: 'Add the Folder', category: 'Virtual' }] },
        capabilities: { virtualWorkspaces: true, untrustedWorkspaces: { supported: true } },
      },
      fileURLToPath(new URL('./driver/virtualMain.ts', import.meta.url)),
    );
    [dave, erin] = await Promise.all([
      people.come('dave', { 'shoal.tracker': pair.url }, [virtual]),
      people.come('erin', erinsSettings()),
    ]);
  });
  after(() => people.close());

  const share = async (person: Person, name: string, content: Uint8Array): Promise<void> => {
    person.write(name, content);
    await person.share(name, 'deck');
    await person.window.row('Files', name);
  };

  it('do not take a tracker from a workspace, trusted or not', async () => {
    await dave.createAccount();
    const { window } = erin;
    await window.openView('Shoal');
    await window.clickWelcome('Groups', 'Sign In');
    await stepOf(window, '1/3');
    const first = await window.quickInput();
    assert.deepEqual(
      first?.items.map(({ label }) => label),
      ['Start a tracker pair on this computer…'],
    );
    await window.screenshot('30-contrast-sign-in');
    await window.dismissQuickInput();
  });

  it('are asked whether they trust a tracker of which they know the address alone', async () => {
    const { window } = erin;
    await window.runCommand('Shoal: Create Account…');
    await stepOf(window, '1/4');
    await window.typeInQuickInput('no tracker at all');
    await window.acceptQuickInput();
    await window.notification(/is not a tracker URL/);
    await stepOf(window, '1/4');
    const address = /@([^,]+)/.exec(pair.url)?.[1] ?? '';
    await window.typeInQuickInput(address);
    await window.acceptQuickInput();
    const dialog = await window.until('the question', () => window.dialog());
    assert.equal(dialog.message, 'First contact with this tracker');
    assert.ok(dialog.detail.includes(pair.url.slice(0, 40)), dialog.detail);
    await window.screenshot('31-contrast-first-contact');
    await window.clickDialog('Cancel');
    await stepOf(window, '1/4');
    const again = await window.quickInput();
    assert.ok(
      !again?.items.some(({ description }) => /used last/.test(description)),
      'what was refused is not remembered',
    );
    await window.typeInQuickInput(address);
    await window.acceptQuickInput();
    await window.clickDialog('Trust This Tracker');
    await stepOf(window, '2/4');
    await window.dismissQuickInput();
    await erin.createAccount();
  });

  it('work with an engine in the window, which is said', async () => {
    assert.match(await erin.window.statusBarTooltip('Shoal: erin'), /The engine works in this window and ends with it/);
    await dave.window.openView('Shoal');
    await dave.window.clickWelcome('Groups', 'Create Group');
    await dave.window.answer('Create Group', 'deck');
    await dave.window.row('Groups', 'deck');
    const { window } = erin;
    // Ask, take it back, ask again, be refused, ask again, be let in.
    const ask = async (): Promise<void> => {
      await window.runCommand('Shoal: Join Group…');
      await window.quickInputTitled('Join Group');
      await window.pick('deck');
      await says(window, 'Groups', 'deck', /waiting for dave/);
    };
    await ask();
    await dave.window.row('Groups', 'erin');
    await window.rowAction('Groups', 'deck', 'Cancel Request');
    await gone(window, 'Groups', 'deck');
    await gone(dave.window, 'Groups', 'erin');
    await ask();
    await dave.window.rowAction('Groups', 'erin', 'Reject Request');
    await window.notification('Your request to join deck was rejected.');
    await gone(window, 'Groups', 'deck');
    await ask();
    await dave.window.runCommand('Shoal: Accept Request');
    await dave.window.quickInputTitled('Accept Request');
    await dave.window.pick('erin');
    await window.notification('You are a member of deck now.');
    await says(window, 'Groups', 'deck', /^member/);
    assert.ok(
      !(await window.notifications()).some(({ message }) => /asks to join/.test(message)),
      'only the owner is asked',
    );
  });

  const large = binary('large.bin', 16 * MIB);

  it('pause a download, resume it, and cancel it', async () => {
    await share(dave, 'large.bin', large);
    const { window } = erin;
    await people.limit(erin, { ...erinsSettings(), 'shoal.downloadLimit': 2 * 1024 });
    await window.row('Files', 'large.bin');
    await window.rowAction('Files', 'large.bin', 'Download File…');
    await says(window, 'Downloads', 'large.bin', /^([1-9]|[1-8]\d) %/);
    await window.screenshot('32-contrast-downloading');
    await window.rowAction('Downloads', 'large.bin', 'Pause Download');
    await says(window, 'Downloads', 'large.bin', /paused/);
    await window.rowAction('Downloads', 'large.bin', 'Resume Download');
    await says(window, 'Downloads', 'large.bin', /^\d+ % .*\/s/);
    await window.rowAction('Downloads', 'large.bin', 'Cancel Download');
    const dialog = await window.until('the question', () => window.dialog());
    assert.deepEqual(
      [dialog.message, dialog.detail],
      ['Cancel the download of large.bin?', 'What has arrived is deleted. Pause it to keep that.'],
    );
    await window.clickDialog('Cancel Download');
    await gone(window, 'Downloads', 'large.bin');
    assert.ok(!erin.has('downloads/large.bin'));
    erin.server.writeSettings(erinsSettings());
  });

  it('download to another folder, and find it there', async () => {
    const { window } = erin;
    const folder = people.processes.makeFolder('people', 'erin', 'workspace', 'else where');
    await window.rowMenu('Files', 'large.bin', 'Download To…');
    await window.quickInputTitled('Download To');
    await window.typeInQuickInput(`${folder}${path.sep}`);
    // Enter would mean the folder of before while this one is still being listed.
    await window.until(
      'the empty folder in the dialog',
      async () => (await window.quickInput())?.items.map(({ label }) => label).join() === '..',
    );
    await window.quickInputButton('Download Here');
    await window.clickNotification('Downloaded large.bin', 'Show in Folder');
    assert.ok(erin.read('else where/large.bin').equals(large));
    await window.until('it to be shown in the explorer', async () =>
      (await window.explorerRows()).some(({ label, selected }) => label === 'large.bin' && selected),
    );
    await window.openView('Shoal');
    await window.runCommand('Shoal: Verify File');
    await window.quickInputTitled('Verify File');
    await window.pick(/large\.bin/);
    await window.notification('large.bin is exactly what was shared.');
  });

  it('tell in diagnostics what helps, and no secret', async () => {
    const { window } = erin;
    await window.runCommand('Shoal: Copy Diagnostics');
    await window.notification(/^Copied\. It holds versions/);
    erin.write('paste.txt', '');
    await window.openView('Explorer');
    await window.openFile('paste.txt');
    await window.page.locator('.part.editor .monaco-editor').first().click();
    await window.page.keyboard.press('Control+V');
    await window.page.keyboard.press('Control+S');
    const text = await window.until('the diagnostics on disk', () => {
      const saved = erin.read('paste.txt').toString();
      return saved.trimEnd().endsWith('}') && saved;
    });
    const report = JSON.parse(text) as { place: string; phase: string; overview: { account: { user: string } } };
    assert.deepEqual([report.place, report.phase, report.overview.account.user], ['window', 'ready', 'erin']);
    assert.ok(!/correct horse|BEGIN|"key"|secret/i.test(text), text);
    await window.openView('Shoal');
  });

  it('get a sentence for a file of a virtual workspace', async () => {
    const workspace = path.join(people.processes.makeFolder('virtual'), 'virtual.code-workspace');
    writeFileSync(workspace, JSON.stringify({ folders: [{ path: people.processes.makeFolder('real') }] }));
    const window = await dave.openWindow(workspace);
    await window.until('the account', () => window.statusBarItem('Shoal: dave'));
    // A window that is still about to read its workspace file would forget a folder that is added
    // now, or the other one.
    await window.workspaceRead(workspace);
    await window.runCommand('Virtual: Add the Folder');
    await window.until('the virtual folder', async () =>
      (await window.explorerRows()).some(({ label }) => label === 'virtual'),
    );
    await window.until('its file', async () => {
      const rows = await window.explorerRows();
      if (rows.some(({ label }) => label === 'virtual.txt')) return true;
      await window.page
        .locator('.explorer-folders-view .monaco-list-row')
        .filter({ hasText: /^\s*virtual\s*$/ })
        .click({ timeout: 3_000 });
      return false;
    });
    await window.explorerMenu('virtual.txt', 'Share File in Group…');
    await window.notification(
      /^Virtual\.txt is in a virtual workspace \(virtual\), not on a disk of this machine, so it cannot be shared\.$/i,
    );
    await window.screenshot('33-virtual');
    // Downloads have no workspace to go to, and go to the person's own folder.
    mkdirSync(path.join(dave.server.home, 'Downloads'), { recursive: true });
    await window.close();
  });

  it('rename the group, and give it away and back', async () => {
    await dave.window.rowMenu('Groups', 'deck', 'Rename Group…');
    await dave.window.answer('Rename Group', 'bridge');
    await erin.window.row('Groups', 'bridge');
    await dave.window.rowMenu('Groups', 'bridge', 'Rename Group…');
    await dave.window.quickInputTitled('Rename Group');
    await dave.window.typeInQuickInput('no/name');
    await dave.window.until('the complaint', async () =>
      /1 to 64 letters/.test((await dave.window.quickInput())?.message ?? ''),
    );
    await dave.window.typeInQuickInput('deck');
    await dave.window.acceptQuickInput();
    await erin.window.row('Groups', 'deck');
    for (const [from, to] of [
      [dave, erin],
      [erin, dave],
    ] as const) {
      await from.window.expand('Groups', 'deck');
      await from.window.rowMenu('Groups', to === dave ? 'dave' : 'erin', 'Transfer Group…');
      const dialog = await from.window.until('the question', () => from.window.dialog());
      assert.match(dialog.message, /^Make (dave|erin) the owner of deck\?$/);
      await from.window.clickDialog('Transfer');
      await says(to.window, 'Groups', 'deck', /^owner/);
    }
  });

  it('leave the group, whose owner is another then', async () => {
    const { window } = dave;
    await window.rowMenu('Groups', 'deck', 'Leave Group');
    const dialog = await window.until('the question', () => window.dialog());
    assert.equal(dialog.message, 'Leave the group deck?');
    assert.match(
      dialog.detail,
      /^You own this group; the member who has been in it longest becomes its owner\. 1 file that you share or download there stops\. Files on this machine stay where they are\.$/,
    );
    await window.clickDialog('Leave');
    await gone(window, 'Groups', 'deck');
    await says(erin.window, 'Groups', 'deck', /^owner · 1 member$/);
    await says(erin.window, 'Files', 'large.bin', /1 seeder/);
  });

  it('go on after the window with the engine was reloaded', async () => {
    await erin.window.reload();
    await erin.window.openView('Shoal');
    await erin.window.until('the account', () => erin.window.statusBarItem('Shoal: erin'));
    await says(erin.window, 'Files', 'large.bin', /1 seeder/);
  });

  it('end the group for everybody', async () => {
    await erin.window.rowMenu('Groups', 'deck', 'Delete Group…');
    const dialog = await erin.window.until('the question', () => erin.window.dialog());
    assert.equal(dialog.message, 'Delete the group deck?');
    assert.match(dialog.detail, /nobody serves them any more.*cannot be undone/);
    await erin.window.screenshot('34-delete-group');
    await erin.window.clickDialog('Delete for Everybody');
    await gone(erin.window, 'Groups', 'deck');
  });

  it('have nothing to complain about in their logs', () => {
    for (const person of [dave, erin]) assert.deepEqual(person.troubles(), [], person.name);
  });
});
