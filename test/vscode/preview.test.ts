// What a person does with a group's file before it is downloaded: opens it, looks at the beginning
// of a large one, compares it with a file of their own, drags it into the editor area. Heidi
// shares; Ivan looks, and none of it lands on his disk.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { binary } from '../support/binary.ts';
import type { RealPair } from '../support/processes/realProcesses.ts';
import { dragIntoEditor, editorText, messageWhenTyping, openTab } from './pages/editors.ts';
import { meetInGroup, People, says, whole } from './people.ts';
import type { Person } from './people.ts';

const MIB = 1024 ** 2;
/** A name that is allowed and tries everything: icons, links, entities, a query, formats. */
const HOSTILE = '$(trash) [click](command -x) &amp; #a %s {0} ${path}.txt';
const PICTURE = readFileSync(path.join(import.meta.dirname, '../../extension/media/icon.png'));

describe('two people, one of whom looks before downloading', function () {
  this.timeout(180_000);
  const people = new People();
  let pair: RealPair;
  let heidi: Person;
  let ivan: Person;

  const ivansSettings = (theme: string): Record<string, unknown> => ({
    'shoal.tracker': pair.url,
    'shoal.openLimit': 1,
    'workbench.colorTheme': theme,
    'workbench.editor.enablePreview': false,
  });
  const line = (n: number): string => `insert into t values (${n});\n`;
  const text = Array.from({ length: 40 }, (_, n) => line(n)).join('');
  const log = Array.from({ length: 120_000 }, (_, n) => line(n)).join('');

  before(async () => {
    pair = await people.startPair();
    [heidi, ivan] = await Promise.all([
      people.come('heidi', { 'shoal.tracker': pair.url }),
      people.come('ivan', ivansSettings('Default Dark Modern')),
    ]);
    await meetInGroup(heidi, ivan, 'team');
    const files = new Map<string, string | Buffer>([
      ['notes.sql', text],
      ['picture.png', PICTURE],
      ['big.log', log],
      ['big.bin', binary('big.bin', 2 * MIB)],
      [HOSTILE, 'nothing happened\n'],
      ['late.txt', 'too late\n'],
    ]);
    for (const [name, content] of files) heidi.write(name, content);
    heidi.write('project/README.md', '# Project\n');
    heidi.write('project/src/main.c', 'int main;\n');
    await heidi.window.openView('Explorer');
    await heidi.window.until('the files in the explorer', async () =>
      (await heidi.window.explorerRows()).some(({ label }) => label === 'picture.png'),
    );
    await heidi.window.explorerMenu([...files.keys()], 'Share File in Group…');
    await heidi.window.quickInputTitled('Share File in Group');
    await heidi.window.pick('team');
    await heidi.share('project', 'team', 'Share Folder in Group…');
    for (const name of [...files.keys(), 'project']) await says(ivan.window, 'Files', name, /1 seeder · heidi/);
  });
  after(() => people.close());

  const nothingCame = async (): Promise<void> => {
    assert.ok(!ivan.has('downloads'), 'a download folder was made');
    assert.deepEqual(await ivan.window.rows('Downloads'), []);
  };

  it('opens a text with a click, and cannot change it', async () => {
    const { window } = ivan;
    await window.clickRow('Files', 'notes.sql');
    await openTab(window, 'notes.sql · team');
    await window.until('the text', async () => (await editorText(window)).startsWith(line(0) + line(1)));
    await window.screenshot('70-opened-remote');
    assert.match(
      await messageWhenTyping(window),
      /^This is a version that a group shares, opened without being downloaded\. Download it to have a copy that you can change\.$/,
    );
    await window.screenshot('71-read-only');
    await nothingCame();
  });

  it('opens a picture with the icon in its row', async () => {
    const { window } = ivan;
    await window.rowAction('Files', 'picture.png', 'Open Without Downloading');
    await openTab(window, 'picture.png · team');
    await window.until('the size of the picture', () => window.statusBarItem(/^\d+x\d+$/));
    await window.screenshot('72-picture');
    await nothingCame();
  });

  it('opens the beginning of a large text, and offers to download what is none', async () => {
    const { window } = ivan;
    await window.clickRow('Files', 'big.log');
    await openTab(window, 'big.log (beginning) · team');
    await window.until('the text', async () =>
      (await editorText(window)).startsWith(
        `The first 1.00 MiB of 3.44 MiB. Download big.log from team to get all of it.\n\n${line(0)}`,
      ),
    );
    await window.screenshot('73-beginning');
    await window.clickRow('Files', 'big.bin');
    await window.notification('big.bin is too large to be opened without downloading it (2.00 MiB).');
    assert.equal(await window.dialog(), undefined);
    await window.screenshot('74-too-large');
    await window.clearNotifications();
    await nothingCame();
  });

  it('opens a file of a shared folder', async () => {
    const { window } = ivan;
    await window.clickRow('Files', 'project');
    const { items } = await window.quickInputWithItems('Open a File of project');
    assert.deepEqual(
      items.map(({ label }) => label),
      ['README.md', 'src/main.c'],
    );
    await window.pick('src/main.c');
    await openTab(window, 'main.c · team');
    await window.until('the text', async () => (await editorText(window)).startsWith('int main;'));
    await nothingCame();
  });

  it('opens what is dragged into the editor area, whatever it is called', async () => {
    const { window } = ivan;
    await dragIntoEditor(window, 'Files', HOSTILE);
    await openTab(window, `${HOSTILE} · team`);
    await window.until('the text', async () => (await editorText(window)).startsWith('nothing happened'));
    await window.screenshot('75-dragged-hostile');
    await dragIntoEditor(window, 'Files', 'notes.sql');
    await openTab(window, 'notes.sql · team');
    await nothingCame();
  });

  it('opens in a second window at the same time', async () => {
    const other = await ivan.openWindow(people.processes.makeFolder('people', 'ivan', 'other'));
    await other.openView('Shoal');
    await other.clickRow('Files', 'notes.sql');
    await openTab(other, 'notes.sql · team');
    await other.until('the text', async () => (await editorText(other)).startsWith(line(0)));
    await other.close();
    await nothingCame();
  });

  it('compares the shared version with a changed file of this machine', async () => {
    const { window } = ivan;
    ivan.server.writeSettings(ivansSettings('Default Light Modern'));
    ivan.write('notes.sql', text.replace(line(3), 'delete from t;\n'));
    await window.openView('Explorer');
    await window.until('the file in the explorer', async () =>
      (await window.explorerRows()).some(({ label }) => label === 'notes.sql'),
    );
    await window.explorerMenu('notes.sql', 'Compare with Shared Version');
    await openTab(window, 'notes.sql: team, version 1 ↔ mine');
    await window.until('both texts', async () => {
      const both = await editorText(window);
      return both.includes('delete from t;') && both.includes(line(3).trim());
    });
    await window.screenshot('76-compared');
    await window.openView('Shoal');
    await window.rowAction('Files', 'notes.sql', 'Download File…');
    await whole(window, 'notes.sql');
    ivan.write('downloads/notes.sql', text.replace(line(5), 'drop table t;\n'));
    await window.rowMenu('Files', 'notes.sql', 'Compare with My File…');
    await window.until('the changed download', async () => (await editorText(window)).includes('drop table t;'));
    await window.screenshot('77-compared-download');
  });

  it('downloads after all what is too large to be opened', async () => {
    const { window } = ivan;
    await window.clickRow('Files', 'big.bin');
    await window.clickNotification(/^big\.bin is too large/, 'Download');
    await whole(window, 'big.bin');
    assert.ok(ivan.read('downloads/big.bin').equals(heidi.read('big.bin')));
  });

  it('downloads what an editor shows', async () => {
    const { window } = ivan;
    await window.clickRow('Files', 'picture.png');
    await openTab(window, 'picture.png · team');
    await window.runCommand('Shoal: Download Shown File');
    await whole(window, 'picture.png');
    assert.ok(ivan.read('downloads/picture.png').equals(PICTURE));
  });

  it('says so when nobody has it, and when nobody is signed in', async () => {
    const { window } = ivan;
    await heidi.window.runCommand('Shoal: Sign Out');
    await heidi.window.until('nobody to be signed in there', async () => {
      // somebody has just downloaded from her
      if (await heidi.window.dialog()) await heidi.window.clickDialog('Sign Out');
      return heidi.window.statusBarItem('Shoal: signed out');
    });
    await says(window, 'Files', 'late.txt', /nobody online has it/);
    await window.clickRow('Files', 'late.txt');
    await window.notification('Nobody who is online gives late.txt now; try again when somebody comes who has it.');
    await window.clearNotifications();
    await dragIntoEditor(window, 'Files', 'late.txt');
    await window.notification('Nobody who is online gives late.txt now; try again when somebody comes who has it.');
    await window.screenshot('78-nobody');
    await window.runCommand('Shoal: Sign Out');
    await window.until('the status bar to say so', () => window.statusBarItem('Shoal: signed out'));
    await window.reload(); // which restores what is open
    await window.until('the way out', async () =>
      (await window.notification('You are not signed in.')).buttons.includes('Sign In'),
    );
    await window.screenshot('79-signed-out');
  });

  it('and no log has an error', () => {
    for (const person of [heidi, ivan]) assert.deepEqual(person.troubles(), []);
  });
});
