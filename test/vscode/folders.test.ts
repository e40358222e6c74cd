// What two people do with folders and with many downloads: share a folder, get all or some of it,
// put downloads in order and slow them down, and mend a file that was damaged. Frank shares; Grace
// downloads.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { binary } from '../support/binary.ts';
import type { RealPair } from '../support/processes/realProcesses.ts';
import { gone, meetInGroup, People, says, whole } from './people.ts';
import type { Person } from './people.ts';

const MIB = 1024 ** 2;
/** Slow enough that a download stays under way until the test has looked at it. */
const SLOW_KIB_PER_S = 256;

describe('two people with folders and a queue', function () {
  this.timeout(180_000);
  const people = new People();
  let pair: RealPair;
  let frank: Person;
  let grace: Person;

  const gracesSettings = (settings: Record<string, unknown> = {}): Record<string, unknown> => ({
    'shoal.tracker': pair.url,
    'workbench.colorTheme': 'Default Light Modern',
    ...settings,
  });

  before(async () => {
    pair = await people.startPair();
    [frank, grace] = await Promise.all([
      people.come('frank', { 'shoal.tracker': pair.url }),
      people.come('grace', gracesSettings()),
    ]);
    await meetInGroup(frank, grace, 'lab');
  });
  after(() => people.close());

  /** The files below a folder of the workspace. */
  const filesIn = (person: Person, folder: string): readonly string[] => {
    const at = path.join(person.workspace, folder);
    return readdirSync(at, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => path.relative(at, path.join(entry.parentPath, entry.name)))
      .sort();
  };
  const inOrder = async (): Promise<readonly string[]> =>
    (await grace.window.rows('Downloads')).filter(({ label }) => /^part \d$/.test(label)).map(({ label }) => label);

  const project = new Map<string, string | Buffer>([
    ['README.md', '# Project\n'],
    ['images/a.png', binary('a.png', 90_000)],
    ['images/deep/b.png', binary('b.png', 70_000)],
    ['sound/c.wav', binary('c.wav', 2 * MIB)],
    ['写真/é.txt', 'é'],
  ]);

  it('share a folder with a right click', async () => {
    for (const [name, content] of project) frank.write(path.join('project', name), content);
    await frank.window.openView('Explorer');
    await frank.window.until('the folder in the explorer', async () =>
      (await frank.window.explorerRows()).some(({ label }) => label === 'project'),
    );
    await frank.window.explorerMenuPicture('project', '40-share-folder-menu');
    await frank.share('project', 'lab', 'Share Folder in Group…');
    await says(frank.window, 'Files', 'project', /^shared by you · 2\.\d+ MiB · 1 seeder$/);
    await says(grace.window, 'Files', 'project', /^(● new · )?2\.\d+ MiB · 1 seeder · frank$/);
    assert.equal((await grace.window.row('Files', 'project')).icon, 'folder');
    await frank.window.screenshot('41-shared-folder');
  });

  it('download some of its files, out of a list of all', async () => {
    const { window } = grace;
    await window.rowAction('Files', 'project', 'Download File…');
    const { items, placeholder } = await window.quickInputWithItems('Download Folder');
    assert.deepEqual(
      [placeholder, items.map(({ label }) => label)],
      ['How much of project?', ['All Files', 'Choose Files…']],
    );
    await window.screenshot('42-how-much');
    await window.pick('Choose Files…');
    const list = await window.quickInputWithItems('Download Files of project');
    assert.deepEqual(
      list.items.map(({ label, description }) => `${label} ${description}`),
      [
        'README.md 10 B',
        'images/ 2 files · 156 KiB',
        'images/a.png 87.9 KiB',
        'images/deep/ 1 file · 68.4 KiB',
        'images/deep/b.png 68.4 KiB',
        'sound/ 1 file · 2.00 MiB',
        'sound/c.wav 2.00 MiB',
        '写真/ 1 file · 2 B',
        '写真/é.txt 2 B',
      ],
    );
    await window.checkItems('images/', 'README.md');
    await window.quickInputTitled('Download Files of project · 156 KiB');
    await window.screenshot('43-choose-files');
    await window.acceptQuickInput();
    await whole(window, 'project');
    await says(window, 'Downloads', 'project', /^156 KiB · lab$/);
    assert.deepEqual(filesIn(grace, 'downloads/project'), ['README.md', 'images/a.png', 'images/deep/b.png']);
    for (const name of filesIn(grace, 'downloads/project')) {
      assert.ok(grace.read(path.join('downloads/project', name)).equals(Buffer.from(project.get(name) ?? '')), name);
    }
    await window.notification('Downloaded project');
    await window.screenshot('44-some-files');
  });

  it('download all of it', async () => {
    const { window } = grace;
    await says(window, 'Files', 'project', /partly here/);
    await window.rowAction('Files', 'project', 'Download File…');
    await window.quickInputTitled('Download Folder');
    await window.pick('All Files');
    await whole(window, 'project (2)');
    await says(window, 'Files', 'project', /^here · .* · frank$/);
    assert.deepEqual(filesIn(grace, 'downloads/project (2)'), [...project.keys()].sort());
    for (const [name, content] of project) {
      assert.ok(grace.read(path.join('downloads/project (2)', name)).equals(Buffer.from(content)), name);
    }
  });

  it('leave the choice, and nothing is downloaded; or reload the window, and answer it later', async () => {
    const { window } = grace;
    for (const name of ['x', 'y']) frank.write(path.join('second', name), name);
    await frank.share('second', 'lab', 'Share Folder in Group…');
    await window.row('Files', 'second');
    const choose = async (): Promise<void> => {
      await window.rowAction('Files', 'second', 'Download File…');
      await window.quickInputTitled('Download Folder');
      await window.pick('Choose Files…');
      await window.quickInputTitled('Download Files of second');
    };
    await choose();
    await window.dismissQuickInput();
    await gone(window, 'Downloads', 'second');
    await choose();
    await window.reload();
    await window.openView('Shoal');
    await says(window, 'Downloads', 'second', /^choose its files · lab$/);
    await window.screenshot('45-choice-is-open');
    await window.rowAction('Downloads', 'second', 'Choose Files…');
    await window.quickInputTitled('Download Files of second');
    await window.checkItems('y');
    await window.acceptQuickInput();
    await whole(window, 'second');
    assert.deepEqual(filesIn(grace, 'downloads/second'), ['y']);
  });

  const parts = ['part 1', 'part 2', 'part 3'];

  it('wait for their turn, and come in the order that is wanted', async () => {
    const { window } = grace;
    await people.limit(grace, gracesSettings({ 'shoal.activeDownloads': 1, 'shoal.downloadLimit': SLOW_KIB_PER_S }));
    for (const name of parts) {
      frank.write(name, binary(name, 24 * MIB));
      await frank.share(name, 'lab');
      await window.row('Files', name);
      await window.rowAction('Files', name, 'Download File…');
      await window.row('Downloads', name);
    }
    await says(window, 'Downloads', 'part 1', /^\d+ % .*\/s/);
    for (const name of ['part 2', 'part 3']) {
      await says(window, 'Downloads', name, /^0 % · waiting for its turn · lab$/);
    }
    assert.deepEqual(await inOrder(), parts);
    await window.screenshot('46-queue');

    await window.rowMenu('Downloads', 'part 3', 'Move to Top');
    await says(window, 'Downloads', 'part 3', /^\d+ % .*\/s/);
    await says(window, 'Downloads', 'part 1', /^\d+ % · waiting for its turn · lab$/);
    assert.deepEqual(await inOrder(), ['part 3', 'part 1', 'part 2']);

    await window.rowMenu('Downloads', 'part 2', 'Priority…');
    await window.quickInputTitled('Priority');
    await window.pick('High');
    await says(window, 'Downloads', 'part 2', /^\d+ % .*\/s/);
    await says(window, 'Downloads', 'part 3', /^\d+ % · waiting for its turn · lab$/);
    assert.deepEqual(await inOrder(), ['part 2', 'part 3', 'part 1']);
    await window.screenshot('47-priority');
  });

  it('limit the speed of one', async () => {
    const { window } = grace;
    await window.rowMenu('Downloads', 'part 2', 'Limit Speed…');
    const { message } = await window.quickInputTitled('Limit Speed');
    assert.equal(message, 'Most to download per second, such as 500K or 2M; 0 for no limit');
    await window.typeInQuickInput('very slow');
    await window.until('the complaint', async () =>
      /^Bytes per second, such as 500K/.test((await window.quickInput())?.message ?? ''),
    );
    await window.typeInQuickInput('100K');
    await window.acceptQuickInput();
    await window.until('the other question', async () =>
      /^Most to upload/.test((await window.quickInput())?.message ?? ''),
    );
    await window.screenshot('48-limit');
    await window.acceptQuickInput(); // what is there stays
    await says(window, 'Downloads', 'part 2', /^\d+ % · (?:1?\d\d|\d\d?\.\d+) KiB\/s/);
  });

  it('pause one, which gives its turn to the next; and pause and resume all', async () => {
    const { window } = grace;
    await window.rowAction('Downloads', 'part 2', 'Pause Download');
    await says(window, 'Downloads', 'part 2', /^\d+ % · paused · lab$/);
    await says(window, 'Downloads', 'part 3', /^\d+ % .*\/s/);
    const tooltip = await window.rowTooltip('Downloads', 'part 2');
    assert.match(tooltip, /High priority\s+Limited to ↓ 100 KiB\/s/);
    assert.doesNotMatch(tooltip, /Limited to ↑/);
    await window.screenshot('49-paused');
    await window.rowAction('Downloads', 'part 2', 'Resume Download');
    await says(window, 'Downloads', 'part 3', /^\d+ % · waiting for its turn · lab$/);
    await window.runCommand('Shoal: Pause All Downloads');
    for (const name of parts) await says(window, 'Downloads', name, /^\d+ % · paused · lab$/);
    await window.runCommand('Shoal: Resume All Downloads');
    await says(window, 'Downloads', 'part 2', /^\d+ % .*\/s/);
    await window.rowMenu('Downloads', 'part 2', 'Limit Speed…');
    await window.quickInputTitled('Limit Speed');
    await window.typeInQuickInput('0');
    await window.acceptQuickInput();
    await window.until('the other question', async () =>
      /^Most to upload/.test((await window.quickInput())?.message ?? ''),
    );
    await window.acceptQuickInput();
    grace.server.writeSettings(gracesSettings());
    for (const name of parts) {
      await whole(window, name);
      assert.ok(grace.read(path.join('downloads', name)).equals(frank.read(name)), name);
    }
  });

  it('find that a file was damaged or is gone, and repair it', async () => {
    const { window } = grace;
    const [name = ''] = parts;
    const file = path.join(grace.workspace, 'downloads', name);
    const damaged = frank.read(name);
    damaged.fill(0, 5 * MIB, 5 * MIB + 100);
    writeFileSync(file, damaged);
    await window.rowMenu('Downloads', name, 'Verify File');
    const dialog = await window.until('the question', () => window.dialog());
    assert.deepEqual(
      [dialog.message, dialog.detail],
      [
        `${name} is not what was shared.`,
        'What is wrong is downloaded again, and the file is replaced when it is right. Changes that you made to it are lost.',
      ],
    );
    await window.screenshot('50-repair');
    await window.clickDialog('Repair');
    await window.until('the file to be right', () => grace.read(path.join('downloads', name)).equals(frank.read(name)));
    await whole(window, name);
    assert.match(await window.rowTooltip('Downloads', name), /SHA-256/);

    rmSync(file);
    await window.rowMenu('Downloads', name, 'Verify File');
    assert.match((await window.until('the question', () => window.dialog())).message, /part 1 is gone\.$/);
    await window.clickDialog('Repair');
    await window.until('the file to be there', () => existsSync(file));
    await whole(window, name);
    assert.ok(grace.read(path.join('downloads', name)).equals(frank.read(name)));
    await window.screenshot('51-repaired');
  });

  it('have nothing to complain about in their logs', () => {
    for (const person of [frank, grace]) assert.deepEqual(person.troubles(), [], person.name);
  });
});
