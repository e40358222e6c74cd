// The main job as people do it: two people, two VS Codes with the packaged extension, a tracker
// pair, real clicks. Each test goes on where the one before it ended, as an afternoon of two
// colleagues does.
import assert from 'node:assert/strict';
import path from 'node:path';
import { binary } from '../support/binary.ts';
import type { RealPair } from '../support/processes/realProcesses.ts';
import type { CodeWindow } from './pages/codeWindow.ts';
import { People, says, stepOf, whole } from './people.ts';
import type { Person } from './people.ts';

const MIB = 1024 ** 2;
/** A name that is allowed and tries everything: icons, links, entities, a shell, formats. */
const HOSTILE = '$(trash) [click](command -x) &amp; `rm` %s {0} … ’.txt';
/** One that is not: on some systems it could not be written. */
const FORBIDDEN = 'a<b>c.txt';

describe('two people with VS Code', function () {
  this.timeout(180_000);
  const people = new People();
  let pair: RealPair;
  let alice: Person;
  let bob: Person;

  before(async () => {
    pair = await people.startPair();
    [alice, bob] = await Promise.all([
      people.come('alice', { 'shoal.tracker': pair.url }),
      people.come('bob', bobsSettings(0)),
    ]);
  });
  after(() => people.close());

  const bobsSettings = (limitKiB: number): Record<string, unknown> => ({
    'shoal.tracker': pair.url,
    'shoal.downloadLimit': limitKiB,
    'workbench.colorTheme': 'Default Dark Modern',
  });

  const downloadFromPalette = async (window: CodeWindow, name: string): Promise<void> => {
    await window.runCommand('Shoal: Download File…');
    await window.quickInputTitled('Download File');
    await window.typeInQuickInput(name.slice(0, 8));
    await window.pick(name);
  };

  it('are told how to begin, and by nothing that flashes up before', async () => {
    await alice.window.openView('Shoal');
    const { text, buttons } = await alice.window.until('the welcome text', () => alice.window.welcome('Groups'));
    assert.match(text, /sign in at the tracker of your team/);
    assert.ok(buttons.includes('Sign In'), String(buttons));
    assert.equal(alice.engineProcess(), undefined, 'without an account no engine runs');
    await alice.window.screenshot('01-welcome');
  });

  it('create accounts', async () => {
    await alice.createAccount();
    await bob.window.openView('Shoal');
    await bob.window.clickWelcome('Groups', 'Create an account');
    await bob.answerAccount();
    await alice.window.screenshot('02-signed-in');
  });

  it('create a group, ask to join it, and are let in', async () => {
    await alice.window.clickWelcome('Groups', 'Create Group');
    await alice.window.answer('Create Group', 'team');
    await alice.window.row('Groups', 'team');

    await bob.window.clickWelcome('Groups', 'join one');
    await bob.window.quickInputTitled('Join Group');
    await bob.window.screenshot('03-join-group');
    await bob.window.pick('team');
    await says(bob.window, 'Groups', 'team', /waiting for alice/);

    assert.equal(await alice.window.until('the badge', () => alice.window.badge('Shoal')), 1);
    await alice.window.row('Groups', 'bob');
    await alice.window.screenshot('04-request');
    await alice.window.clickNotification('bob asks to join team.', 'Accept');
    await bob.window.notification('You are a member of team now.');
    await alice.window.until('the badge to go', async () => (await alice.window.badge('Shoal')) === undefined);
    await says(bob.window, 'Groups', 'team', /^member · 2 members$/);
    await bob.window.screenshot('05-member');
  });

  const dataset = binary('dataset.bin', 3 * MIB + 12_345);

  it('share a file with a right click, and see it in Files', async () => {
    alice.write('dataset.bin', dataset);
    await alice.window.explorerMenuPicture('dataset.bin', '06-share-menu');
    await alice.share('dataset.bin', 'team');
    await says(alice.window, 'Files', 'dataset.bin', /^shared by you · 3\.01 MiB · 1 seeder$/);
    await alice.window.notification(
      /^Shared dataset\.bin in team\. Others can download it as long as VS Code is open\.$/,
    );
    await says(bob.window, 'Files', 'dataset.bin', /^(● new · )?3\.01 MiB · 1 seeder · alice$/);
    await alice.window.screenshot('07-shared');
  });

  it('download it from the palette, byte for byte, and open it', async () => {
    await bob.window.runCommand('Shoal: Download File…');
    await bob.window.quickInputTitled('Download File');
    await bob.window.typeInQuickInput('data');
    await bob.window.screenshot('08-palette');
    await bob.window.pick('dataset.bin');
    await bob.window.openView('Shoal');
    await whole(bob.window, 'dataset.bin');
    assert.ok(bob.read('downloads/dataset.bin').equals(dataset));
    await bob.window.notification(/^Downloads go to .*downloads\.$/);
    await bob.window.screenshot('08-ready');
    await bob.window.clickNotification('Downloaded dataset.bin', 'Open');
    await bob.window.until('the file in an editor', async () =>
      (await bob.window.editorTabs()).some(({ label }) => label === 'dataset.bin'),
    );
    await says(bob.window, 'Files', 'dataset.bin', /here/);
  });

  it('are asked before the same file is downloaded again', async () => {
    await downloadFromPalette(bob.window, 'dataset.bin');
    await bob.window.clickNotification(/^dataset\.bin is on this machine already/, 'Download Again');
    await bob.window.until('a second copy', () => bob.has('downloads/dataset (2).bin'));
    await whole(bob.window, 'dataset (2).bin');
  });

  it('share several files at once, and one with a hostile name', async () => {
    const text = 'nothing happened\n';
    alice.write('one.txt', '1');
    alice.write('two.txt', '2');
    alice.write(HOSTILE, text);
    await alice.window.openView('Explorer');
    await alice.window.until('the files in the explorer', async () =>
      (await alice.window.explorerRows()).some(({ label }) => label === HOSTILE),
    );
    await alice.window.explorerMenu(['one.txt', 'two.txt'], 'Share File in Group…');
    assert.match(
      (await alice.window.quickInputTitled('Share File in Group')).placeholder,
      /^Share 2 files in which group\?/,
    );
    await alice.window.pick('team');
    await alice.share(HOSTILE, 'team');
    for (const name of ['one.txt', 'two.txt', HOSTILE]) await bob.window.row('Files', name);
    await bob.window.rowAction('Files', HOSTILE, 'Download File…');
    await whole(bob.window, HOSTILE);
    assert.equal(bob.read(path.join('downloads', HOSTILE)).toString(), text);
    await bob.window.notification(`Downloaded ${HOSTILE}`.replace('](', '] ('));
    await bob.window.runCommand('Shoal: Download File…');
    const { items } = await bob.window.quickInputWithItems('Download File');
    await bob.window.screenshot('09-hostile');
    assert.ok(
      items.some(({ label }) => label === HOSTILE),
      items.map(({ label }) => label).join(' | '),
    );
    await bob.window.dismissQuickInput();
    alice.write(FORBIDDEN, text);
    await alice.share(FORBIDDEN, 'team');
    await alice.window.notification(/^The file name a<b>c\.txt cannot be shared: it contains one of/);
  });

  it('see the same in two windows of one person, and are told things once', async () => {
    const second = await alice.openWindow(people.processes.makeFolder('people', 'alice', 'other'));
    await second.openView('Shoal');
    await second.row('Files', 'dataset.bin');
    assert.equal((await second.until('the account', () => second.statusBarItem('Shoal: alice'))).kind, undefined);
    await bob.window.runCommand('Shoal: Create Group…');
    await bob.window.answer('Create Group', 'harbour');
    await bob.window.row('Groups', 'harbour');
    await alice.window.clearNotifications();
    await second.runCommand('Shoal: Join Group…');
    await second.quickInputTitled('Join Group');
    await second.pick('harbour');
    await bob.window.rowAction('Groups', 'alice', 'Accept Request');
    for (const window of [alice.window, second]) await says(window, 'Groups', 'harbour', /^member/);
    const told = await second.until('the news in one of the windows', async () => {
      const all = [...(await alice.window.notifications()), ...(await second.notifications())].filter(
        ({ message }) => message === 'You are a member of harbour now.',
      );
      return all.length > 0 && all;
    });
    assert.equal(told.length, 1);
    await second.close();
  });

  it('reload in the middle of a download, which goes on', async () => {
    const large = binary('large.bin', 24 * MIB);
    alice.write('large.bin', large);
    await alice.share('large.bin', 'team');
    await people.limit(bob, bobsSettings(3 * 1024));
    await bob.window.row('Files', 'large.bin');
    await bob.window.rowAction('Files', 'large.bin', 'Download File…');
    await says(bob.window, 'Downloads', 'large.bin', /^([1-9]|[1-8]\d) %.* · 1 peer/);
    await bob.window.screenshot('10-downloading');
    await bob.window.rowAction('Downloads', 'large.bin', 'Inspect Swarm');
    await bob.window.until('the peers in the inspector', async () => {
      const frames = await Promise.all(
        bob.window.page.frames().map((frame) =>
          frame
            .locator('#peers tbody')
            .innerText({ timeout: 500 })
            .catch(() => ''),
        ),
      );
      return frames.some((text) => /alice\s+all\s+\d/.test(text));
    });
    await bob.window.screenshot('13-inspector');
    const engine = bob.engineProcess();
    await bob.window.reload();
    await bob.window.openView('Shoal');
    await bob.window.row('Downloads', 'large.bin');
    assert.equal(bob.engineProcess(), engine, 'the engine has seen nothing of the reload');
    bob.server.writeSettings(bobsSettings(0));
    await whole(bob.window, 'large.bin');
    assert.ok(bob.read('downloads/large.bin').equals(large));
  });

  it('notice nothing of a dead tracker, and are told when both are gone', async () => {
    await pair.kill(1);
    alice.write('after.txt', 'one tracker is enough');
    await alice.share('after.txt', 'team');
    await bob.window.row('Files', 'after.txt');
    const tooltip = await bob.window.until('the status bar to say which tracker is left', async () => {
      const text = await bob.window.statusBarTooltip('Shoal: bob');
      return /cannot reach each other/.test(text) ? text : undefined;
    });
    assert.match(tooltip, /: connected, in use/);
    assert.match(tooltip, /: not reachable/);
    await pair.kill(2);
    await bob.window.until(
      'the status bar to say so',
      async () => (await bob.window.statusBarItem(/offline/))?.kind === 'warning',
    );
    await bob.window.row('Files', 'after.txt'); // what was known stays in sight
    await bob.window.screenshot('11-offline');
    await Promise.all([pair.start(1), pair.start(2)]);
    await bob.window.until('the trackers to be back', () => bob.window.statusBarItem('Shoal: bob'));
    await bob.window.rowAction('Files', 'after.txt', 'Download File…');
    await whole(bob.window, 'after.txt');
  });

  it('are told when both took a name while the trackers were apart, and choose another', async () => {
    await pair.kill(2);
    await alice.window.until('one tracker to be missed', async () =>
      /cannot reach each other/.test(await alice.window.statusBarTooltip('Shoal: alice')),
    );
    await alice.window.runCommand('Shoal: Create Group…');
    await alice.window.answer('Create Group', 'night');
    await alice.window.row('Groups', 'night');
    // What she did is at the first tracker alone, and her engine cannot tell the second one.
    await alice.window.runCommand('Shoal: Stop Engine');
    await alice.window.clickDialog('Stop');
    await alice.window.until('her engine to stop', () => alice.window.statusBarItem(/stopped/));
    await pair.kill(1);
    await pair.start(2);
    await bob.window.until('the other tracker', async () =>
      /cannot reach each other/.test(await bob.window.statusBarTooltip('Shoal: bob')),
    );
    await bob.window.runCommand('Shoal: Create Group…');
    await bob.window.answer('Create Group', 'night');
    await bob.window.row('Groups', 'night');
    await pair.start(1);
    const told = /^Two groups took the name night at the same moment\. Yours is night~[a-z2-7]{4} now\.$/;
    await bob.window.notification(told);
    await bob.window.screenshot('14-renamed');
    await bob.window.clickNotification(told, 'Rename Group');
    await bob.window.quickInputTitled('Rename Group');
    await bob.window.pick(/^night~/);
    // The box for the name has the same title as the list before it.
    await bob.window.until('the question for the name', async () =>
      /^Another name for night~/.test((await bob.window.quickInput())?.message ?? ''),
    );
    await bob.window.answer('Rename Group', 'dawn');
    await bob.window.row('Groups', 'dawn');
    await alice.window.runCommand('Shoal: Start Engine or Try Again');
    await alice.window.until('her engine', () => alice.window.statusBarItem('Shoal: alice'));
    await alice.window.row('Groups', 'night');
    await bob.window.until('both trackers to be in touch', async () =>
      /The two trackers are in touch/.test(await bob.window.statusBarTooltip('Shoal: bob')),
    );
    for (const [person, group] of [
      [alice, 'night'],
      [bob, 'dawn'],
    ] as const) {
      await person.window.rowMenu('Groups', group, 'Delete Group…');
      await person.window.clickDialog('Delete for Everybody');
      await person.window.until(
        `${group} to go`,
        async () => !(await person.window.rows('Groups')).some(({ label }) => label === group),
      );
    }
  });

  it('stop sharing', async () => {
    await alice.window.rowMenu('Files', 'one.txt', 'Stop Sharing');
    await says(alice.window, 'Files', 'one.txt', /nobody online has it/);
    await bob.window.viewAction('Files', 'Refresh');
    await says(bob.window, 'Files', 'one.txt', /nobody online has it/);
  });

  it('share another version under the same name only on purpose', async () => {
    bob.write('two.txt', 'another two');
    await bob.share('two.txt', 'team');
    await bob.window.until('the question', async () =>
      /two\.txt is in team already/.test((await bob.window.dialog())?.message ?? ''),
    );
    await bob.window.clickDialog('Share as New Version');
    await alice.window.until('the new version', async () => {
      await alice.window.viewAction('Files', 'Refresh');
      return /bob$/.test((await alice.window.row('Files', 'two.txt')).description);
    });
  });

  it('remove a member, who is told and sees no files any more', async () => {
    await alice.window.row('Groups', 'team');
    await alice.window.expand('Groups', 'team');
    await alice.window.rowMenu('Groups', 'bob', 'Remove Member');
    await alice.window.clickDialog('Remove');
    await bob.window.notification(/^You were removed from team\./);
    await bob.window.until(
      'the group to go',
      async () => !(await bob.window.rows('Groups')).some(({ label }) => label === 'team'),
    );
    assert.ok(!(await bob.window.rows('Files')).some(({ label }) => label === 'dataset.bin'));
    assert.ok(bob.has('downloads/dataset.bin'), 'what has been downloaded stays');
  });

  it('log out, and in again with everything as it was', async () => {
    await alice.window.runCommand('Shoal: Sign Out');
    await alice.window.until('the welcome text', async () =>
      /Sign in to see your groups/.test((await alice.window.welcome('Groups'))?.text ?? ''),
    );
    // Each view is drawn on its own.
    await alice.window.until('no files', async () => (await alice.window.rows('Files')).length === 0);
    await alice.window.runCommand('Shoal: Sign In…');
    await stepOf(alice.window, '1/3');
    await alice.window.acceptQuickInput();
    await stepOf(alice.window, '2/3');
    await alice.window.acceptQuickInput(); // the name is remembered
    await stepOf(alice.window, '3/3');
    await alice.window.typeInQuickInput('wrong password');
    await alice.window.acceptQuickInput();
    await alice.window.until('the refusal', async () =>
      /User name or password is wrong/.test((await alice.window.quickInput())?.message ?? ''),
    );
    await alice.window.screenshot('12-wrong-password');
    await alice.window.dismissQuickInput();
    await alice.signIn();
    await says(alice.window, 'Files', 'dataset.bin', /^shared by you · .* 1 seeder/);
  });

  it('have nothing to complain about in their logs', () => {
    for (const person of [alice, bob]) assert.deepEqual(person.troubles(), [], person.name);
  });
});
