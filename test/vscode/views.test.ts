// The three views with much in them: requests answered together, names with folders, what is new,
// versions, a filter, finding one file among all, and downloads that are opened, resumed, tried
// again and put in order. Heidi owns the group, Ivan looks; Judy and Ken have engines without a
// window.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { binary } from '../support/binary.ts';
import type { RealEngine, RealPair } from '../support/processes/realProcesses.ts';
import { gone, People, says, whole } from './people.ts';
import type { Person } from './people.ts';

const MIB = 1024 ** 2;
const GROUP = 'atlas';
/** Slow enough that a download stays under way until the test has looked at it. */
const SLOW_KIB_PER_S = 256;

describe('two people with much in their views', function () {
  this.timeout(180_000);
  const people = new People();
  let pair: RealPair;
  let heidi: Person;
  let ivan: Person;
  let judy: RealEngine;
  let ken: RealEngine;

  const settings = (theme: string, more: Record<string, unknown> = {}): Record<string, unknown> => ({
    'shoal.tracker': pair.url,
    'workbench.colorTheme': theme,
    ...more,
  });
  const ivansSettings = (more: Record<string, unknown> = {}): Record<string, unknown> =>
    settings('Default High Contrast', more);

  before(async () => {
    pair = await people.startPair();
    // One after the other: two cores that start four programs at once answer nobody for seconds.
    [heidi, ivan] = await Promise.all([
      people.come('heidi', settings('Default Light Modern')),
      people.come('ivan', settings('Default High Contrast')),
    ]);
    [judy, ken] = await Promise.all([
      people.processes.startEngine('judy', pair.url),
      people.processes.startEngine('ken', pair.url),
    ]);
    await Promise.all([judy.signUp(), ken.signUp()]);
    await Promise.all([heidi.createAccount(), ivan.createAccount()]);
    for (const person of [heidi, ivan]) await person.window.openView('Shoal');
    await heidi.window.clickWelcome('Groups', 'Create Group');
    await heidi.window.answer('Create Group', GROUP);
  });
  after(() => people.close());

  /** Judy shares a file under a name. */
  const share = async (name: string, content: string | Buffer): Promise<void> => {
    const file = path.join(people.processes.makeFolder('judys', randomBytes(4).toString('hex')), 'file');
    writeFileSync(file, content);
    const { transfer } = await judy.connection.call('share', { group: GROUP, path: file, name, replace: false });
    await judy.until(() => judy.transfers.get(transfer)?.state === 'seeding');
  };
  const labels = async (view: string): Promise<readonly string[]> =>
    (await ivan.window.rows(view)).map(({ label }) => label);
  const header = async (
    view: string,
  ): Promise<{ readonly description: string; readonly message: string } | undefined> =>
    (await ivan.window.viewHeaders()).find(({ title }) => title === view);

  it('answer several requests at once', async () => {
    const { window } = heidi;
    await Promise.all([judy.does('join_group', GROUP), ken.does('join_group', GROUP)]);
    await ivan.window.clickWelcome('Groups', 'join one');
    await ivan.window.quickInputTitled('Join Group');
    await ivan.window.pick(GROUP);
    for (const name of ['judy', 'ken', 'ivan']) await window.row('Groups', name);
    await window.until('a badge of three', async () => (await window.badge('Shoal')) === 3);
    await window.screenshot('80-requests');

    await window.runCommand('Shoal: Review Requests to Join');
    await window.until(
      'the first request to be selected',
      async () => (await window.rows('Groups')).find(({ selected }) => selected)?.description === 'asks to join',
    );
    await window.clickRow('Groups', 'judy');
    await window.page.keyboard.down('Control');
    await window.clickRow('Groups', 'ken');
    await window.page.keyboard.up('Control');
    await window.rowMenu('Groups', 'ken', 'Accept Request');
    for (const name of ['judy', 'ken']) await says(window, 'Groups', name, /^(online|offline)$/);
    await says(window, 'Groups', 'ivan', /^asks to join$/);
    await window.until('a badge of one', async () => (await window.badge('Shoal')) === 1);
    await window.rowMenu('Groups', GROUP, 'Accept All Requests');
    await says(ivan.window, 'Groups', GROUP, /^member · 4 members$/);
    await says(window, 'Groups', 'ivan', /^online$/);
    await window.until('no badge', async () => (await window.badge('Shoal')) === undefined);
    const names = (await window.rows('Groups')).map(({ label }) => label);
    assert.deepEqual([names[1], names.slice(2).toSorted()], ['heidi', ['ivan', 'judy', 'ken']]);
    await window.screenshot('81-members');
  });

  it('see names with slashes as folders, and what is new in them', async () => {
    const { window } = ivan;
    await window.until('an empty catalogue', async () =>
      (await window.welcome('Files'))?.buttons.includes('Share a File'),
    ); // what comes after it is new
    for (const [name, content] of [
      ['data/raw/a.csv', 'a\n'],
      ['data/raw/b.csv', 'b\n'],
      ['data/notes.md', '# Notes\n'],
      ['top.txt', 'first\n'],
    ] as const) {
      await share(name, content);
    }
    await says(window, 'Files', GROUP, /^4 files · ● 4 new$/);
    await says(window, 'Files', 'data', /^3 files · 12 B · ● 3 new$/);
    await window.expand('Files', 'data');
    await window.expand('Files', 'raw');
    await window.until(
      'the folders and what is in them',
      async () =>
        (await labels('Files')).join() === [GROUP, 'data', 'raw', 'a.csv', 'b.csv', 'notes.md', 'top.txt'].join(),
    );
    // that somebody serves it is heard of a moment later
    await says(window, 'Files', 'top.txt', /^● new · 6 B · 1 seeder · judy$/);
    await window.screenshot('82-folders-and-news');
    await heidi.window.expand('Files', 'data');
    await heidi.window.expand('Files', 'raw');
    await heidi.window.screenshot('82-files-light');

    await window.openView('Explorer'); // they have been looked at
    await window.openView('Shoal');
    await says(window, 'Files', GROUP, /^4 files$/);
    await share('later.txt', 'later\n');
    await says(window, 'Files', 'later.txt', /^● new/);
    await window.viewAction('Files', 'Mark All as Seen');
    await says(window, 'Files', 'later.txt', /^6 B/);
  });

  it('download the files of a folder to where their names say', async () => {
    const { window } = ivan;
    await window.rowAction('Files', 'raw', 'Download Files of Folder');
    for (const name of ['data/raw/a.csv', 'data/raw/b.csv']) await whole(window, name);
    assert.deepEqual(
      ['a', 'b'].map((name) => ivan.read(`downloads/data/raw/${name}.csv`).toString()),
      ['a\n', 'b\n'],
    );
    await window.notification('Downloaded 2 files'); // once for both
    await window.rowMenu('Files', 'raw', 'Download Files of Folder');
    await window.notification('All of it is here already, or on its way.');
    await window.clearNotifications();
  });

  it('are told of a newer version, and get it beside the older one', async () => {
    const { window } = ivan;
    await window.rowAction('Files', 'top.txt', 'Download File…');
    await whole(window, 'top.txt');
    await share('top.txt', 'second\n');
    await says(window, 'Files', 'top.txt', /^● new · update available · 7 B · v2 · 1 seeder · judy$/);
    assert.equal((await window.row('Files', 'top.txt')).icon, 'arrow-circle-up');
    await says(window, 'Downloads', 'top.txt', /update available/);
    assert.match(
      await window.rowTooltip('Files', 'top.txt'),
      /Version 2, shared by judy, [^\n]*\n+You have version 1 of it/,
    );
    await window.screenshot('83-update');
    await heidi.window.expand('Files', 'data');
    await heidi.window.screenshot('83-light');
    assert.deepEqual(await window.rowActions('Files', 'top.txt'), ['Open Without Downloading', 'Download Update']);
    await window.rowAction('Files', 'top.txt', 'Download Update');
    await whole(window, 'top (2).txt');
    assert.deepEqual(
      ['top.txt', 'top (2).txt'].map((name) => ivan.read(`downloads/${name}`).toString()),
      ['first\n', 'second\n'],
    );
    await says(window, 'Downloads', 'top.txt', /older version, v1/);
    await says(window, 'Files', 'top.txt', /^here · .* · judy$/);
    await window.runCommand('Shoal: Download All Updates');
    await window.notification('Of everything that is here you have the newest version.');
    await window.screenshot('84-update-is-here');
  });

  it('filter the files, and sort them', async () => {
    const { window } = ivan;
    await window.viewAction('Files', 'Filter Files…');
    await window.quickInputTitled('Filter Files');
    await window.typeInQuickInput('raw csv');
    await window.until(
      'what fits alone',
      async () => (await labels('Files')).join() === [GROUP, 'data/raw/a.csv', 'data/raw/b.csv'].join(),
    );
    await window.acceptQuickInput();
    assert.deepEqual(await header('Files').then((one) => [one?.description, one?.message]), [
      'raw csv',
      'Only files with “raw csv” in their names are shown.',
    ]);
    await window.screenshot('85-filter');
    await window.viewAction('Files', 'Clear Filter');
    await window.row('Files', 'top.txt');
    assert.equal((await header('Files'))?.message, '');
    assert.deepEqual((await labels('Files')).slice(-2), ['later.txt', 'top.txt']);
    await window.runCommand('Shoal: Sort Files by Age, the Newest First');
    await window.until(
      'the newest first',
      async () => (await labels('Files')).slice(-2).join() === 'top.txt,later.txt',
    );
    await window.runCommand('Shoal: Sort Files by Name');
    await window.until(
      'the order by name',
      async () => (await labels('Files')).slice(-2).join() === 'later.txt,top.txt',
    );
  });

  it('go to one file among all, however it is typed', async () => {
    const { window } = ivan;
    await window.collapse('Files', 'data');
    await window.runCommand('Shoal: Go to Shared File…');
    await window.quickInputTitled('Go to Shared File');
    await window.typeInQuickInput('noets');
    await window.until(
      'the file that was meant',
      async () => (await window.quickInput())?.items[0]?.label === 'notes.md',
    );
    assert.match((await window.quickInput())?.items[0]?.description ?? '', /^data · 8 B · 1 seeder · judy$/);
    await window.screenshot('86-go-to-file');
    await window.acceptQuickInput();
    await window.until('the file to be selected', async () =>
      (await window.rows('Files')).some(({ label, selected }) => selected && label === 'notes.md'),
    );

    await window.runCommand('Shoal: Go to Shared File…');
    await window.quickInputTitled('Go to Shared File');
    await window.typeInQuickInput('notes');
    await window.until('the file', async () => (await window.quickInput())?.items[0]?.label === 'notes.md');
    const item = window.page.locator('.quick-input-list .monaco-list-row').first();
    await item.hover();
    await item.locator('.quick-input-list-entry-action-bar .action-label').first().click();
    await whole(window, 'data/notes.md');

    await window.rowAction('Files', 'later.txt', 'Download File…');
    await whole(window, 'later.txt');
    await window.clickRow('Downloads', 'later.txt');
    await window.until('the file, opened by a click', async () =>
      (await window.editorTabs()).some(({ label }) => label === 'later.txt'),
    );
  });

  it('see that a download was resumed, and have it opened when it is done', async () => {
    const { window } = ivan;
    await share('story.txt', 'A line of a long story.\n'.repeat((8 * MIB) / 24));
    await people.limit(ivan, ivansSettings({ 'shoal.downloadLimit': SLOW_KIB_PER_S }));
    await window.row('Files', 'story.txt');
    await window.rowAction('Files', 'story.txt', 'Download File…');
    await says(window, 'Downloads', 'story.txt', /^\d+ %/);
    await window.rowMenu('Downloads', 'story.txt', 'Open When Done');
    await says(window, 'Downloads', 'story.txt', /opens when done/);
    await says(window, 'Downloads', 'story.txt', /^[1-9]\d* %/);
    await window.runCommand('Shoal: Stop Engine');
    await window.clickDialog('Stop');
    await window.runCommand('Shoal: Start Engine or Try Again');
    await says(window, 'Downloads', 'story.txt', /^resumed at \d+ % · .* · opens when done · atlas$/);
    await window.screenshot('87-resumed');
    await window.rowAction('Downloads', 'story.txt', 'Pause Download'); // a tooltip goes when its row is drawn again
    await says(window, 'Downloads', 'story.txt', /paused/);
    assert.match(
      await window.rowTooltip('Downloads', 'story.txt'),
      /Resumed at \d+ %: \d of 16 pieces (was|were) here already/,
    );
    ivan.server.writeSettings(ivansSettings());
    await window.rowAction('Downloads', 'story.txt', 'Resume Download');
    await whole(window, 'story.txt');
    await window.until('the file in an editor', async () =>
      (await window.editorTabs()).some(({ label }) => label === 'story.txt'),
    );
    assert.ok(
      !(await window.until('the notifications', () => window.notifications())).some(
        ({ message }) => message === 'Downloaded story.txt',
      ),
      'what is open needs no notice',
    );
    await window.screenshot('88-opened');
  });

  it('put downloads in order, try one again that failed, and clear what is done', async () => {
    const { window } = ivan;
    for (const name of ['one.bin', 'two.bin', 'three.bin']) await share(name, binary(name, 4 * MIB));
    await says(window, 'Files', GROUP, /^9 files · ● 3 new$/);
    // VS Code knows no row while it asks for all of them again
    for (const name of ['one.bin', 'two.bin', 'three.bin']) await window.row('Files', name);
    await people.limit(ivan, ivansSettings({ 'shoal.downloadLimit': SLOW_KIB_PER_S / 4, 'shoal.activeDownloads': 1 }));
    const inOrder = async (): Promise<string> =>
      (await labels('Downloads')).filter((label) => label.endsWith('.bin')).join();
    for (const name of ['one.bin', 'two.bin', 'three.bin']) {
      await window.rowAction('Files', name, 'Download File…');
      await window.row('Downloads', name);
    }
    await window.rowMenu('Downloads', 'three.bin', 'Move Up');
    await window.until('another order', async () => (await inOrder()) === 'one.bin,three.bin,two.bin');
    await window.rowMenu('Downloads', 'one.bin', 'Move Down');
    await window.until('another order', async () => (await inOrder()) === 'three.bin,one.bin,two.bin');
    await window.dragRow('Downloads', 'two.bin', 'one.bin');
    await window.until('another order', async () => (await inOrder()) === 'three.bin,two.bin,one.bin');
    await window.dragRow('Downloads', 'two.bin', 'one.bin');
    await window.until('another order', async () => (await inOrder()) === 'three.bin,one.bin,two.bin');

    await window.runCommand('Shoal: Pause All Downloads');
    await says(window, 'Downloads', 'two.bin', /paused/);
    const folder = path.join(ivan.workspace, 'downloads');
    rmSync(folder, { recursive: true });
    writeFileSync(folder, 'in the way');
    await window.rowAction('Downloads', 'two.bin', 'Resume Download');
    await says(window, 'Downloads', 'two.bin', /^failed/);
    assert.deepEqual((await window.rowActions('Downloads', 'two.bin')).toSorted(), [
      'Cancel Download',
      'Inspect Swarm',
      'Retry Download',
    ]);
    await window.screenshot('89-failed');
    rmSync(folder);
    ivan.server.writeSettings(ivansSettings());
    await window.rowAction('Downloads', 'two.bin', 'Retry Download');
    await whole(window, 'two.bin');

    await window.clickRow('Downloads', 'two.bin');
    await window.page.keyboard.press('Delete');
    assert.match(
      (await window.until('the question', () => window.dialog())).message,
      /^Remove two\.bin from the list\?$/,
    );
    await window.clickDialog('Remove from List');
    await gone(window, 'Downloads', 'two.bin');
    await window.rowAction('Downloads', 'Completed', 'Clear Completed…');
    await window.clickDialog('Clear');
    await gone(window, 'Downloads', 'Completed');
    assert.ok(ivan.has('downloads/two.bin'), 'what is taken out of the list stays where it is');
  });

  it('remove several members at once', async () => {
    const { window } = heidi;
    await window.clickRow('Groups', 'judy');
    await window.page.keyboard.down('Control');
    await window.clickRow('Groups', 'ken');
    await window.page.keyboard.up('Control');
    assert.deepEqual(await window.rowMenuEntries('Groups', 'ken'), ['Remove Member'], 'a group is given to one');
    await window.rowMenu('Groups', 'ken', 'Remove Member');
    assert.equal(
      (await window.until('the question', () => window.dialog())).message,
      `Remove 2 members from ${GROUP}?`,
    );
    await window.clickDialog('Remove');
    for (const name of ['judy', 'ken']) await gone(window, 'Groups', name);
  });

  it('have nothing to complain about in their logs', () => {
    for (const person of [heidi, ivan]) assert.deepEqual(person.troubles(), [], person.name);
  });
});
