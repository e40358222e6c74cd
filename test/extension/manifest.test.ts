// What package.json declares for VS Code, against what the window does: settings, walkthrough,
// account, trust, commands, menus, keys and welcome texts.
// Covers: package.json, package.nls.json
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { contextKeysOf, doneSteps } from '../../extension/contributions/contextKeys.ts';
import { INITIAL_STATE } from '../../extension/state/state.ts';

const ROOT = path.join(import.meta.dirname, '../..');
const read = (name: string): string => readFileSync(path.join(ROOT, name), 'utf8');

interface Setting {
  readonly type: string;
  readonly scope: string;
  readonly order: number;
  readonly markdownDescription: string;
  readonly enum?: readonly string[];
  readonly enumDescriptions?: readonly string[];
}

const manifest = JSON.parse(read('package.json')) as {
  readonly capabilities: {
    readonly untrustedWorkspaces: { readonly supported: string; readonly restrictedConfigurations: readonly string[] };
  };
  readonly contributes: {
    readonly commands: readonly { readonly command: string }[];
    readonly menus: Readonly<
      Record<
        string,
        readonly {
          readonly command?: string;
          readonly submenu?: string;
          readonly when?: string;
          readonly group?: string;
        }[]
      >
    >;
    readonly submenus: readonly { readonly id: string }[];
    readonly keybindings: readonly { readonly when: string }[];
    readonly views: { readonly shoal: readonly { readonly id: string }[] };
    readonly viewsWelcome: readonly { readonly view: string; readonly when: string; readonly contents: string }[];
    readonly authentication: readonly { readonly id: string; readonly label: string }[];
    readonly configuration: readonly {
      readonly title: string;
      readonly order: number;
      readonly properties: Readonly<Record<string, Setting>>;
    }[];
    readonly walkthroughs: readonly {
      readonly id: string;
      readonly steps: readonly {
        readonly id: string;
        readonly completionEvents: readonly string[];
        readonly media: { readonly svg: string; readonly altText: string };
      }[];
    }[];
  };
};
const { authentication, configuration, walkthroughs } = manifest.contributes;
const words = JSON.parse(read('package.nls.json')) as Readonly<Record<string, string>>;
const settings = Object.assign({}, ...configuration.map(({ properties }) => properties)) as Readonly<
  Record<string, Setting>
>;

describe('what VS Code is told of Shoal', () => {
  it('has its settings in groups, each in an order, none twice', () => {
    assert.deepEqual(
      configuration.map(({ order }) => order),
      configuration.map((_, i) => i + 1),
    );
    for (const { title, properties } of configuration) {
      assert.deepEqual(
        Object.values(properties).map(({ order }) => order),
        Object.keys(properties).map((_, i) => i + 1),
        title,
      );
    }
    assert.equal(
      Object.keys(settings).length,
      configuration.reduce((sum, { properties }) => sum + Object.keys(properties).length, 0),
    );
  });

  it('says of each choice of a setting what it means', () => {
    for (const [name, { enum: choices = [], enumDescriptions = [] }] of Object.entries(settings)) {
      assert.equal(enumDescriptions.length, choices.length, name);
    }
  });

  it('reads no setting from a workspace that could lead a person elsewhere, trusted or not', () => {
    for (const [name, { scope }] of Object.entries(settings)) {
      assert.ok(scope === 'machine' || scope === 'application', name);
    }
    const { supported, restrictedConfigurations } = manifest.capabilities.untrustedWorkspaces;
    assert.equal(supported, 'limited');
    assert.deepEqual(
      restrictedConfigurations.filter((name) => !(name in settings)),
      [],
    );
  });

  it('has the account that the window provides', () => {
    assert.deepEqual(authentication, [{ id: 'shoal', label: 'Shoal' }]);
    assert.match(read('extension/contributions/authenticationProvider.ts'), /^const ID = 'shoal';$/m);
  });

  describe('as its walkthrough', () => {
    const [walkthrough] = walkthroughs;

    it('has five steps, and is opened by the first welcome text', () => {
      assert.deepEqual(
        walkthrough?.steps.map(({ id }) => id),
        ['signIn', 'group', 'share', 'download', 'stay'],
      );
      assert.match(words['welcome.groups.noTracker'] ?? '', /\(command:shoal\.getStarted\)/);
      assert.ok(read('extension/contributions/walkthrough.ts').includes(`const ID = 'shoal.shoal#${walkthrough.id}';`));
    });

    it('ticks a step off by what has come true, not by what was clicked', () => {
      const keys = Object.keys(doneSteps(INITIAL_STATE));
      for (const { id, completionEvents } of walkthrough?.steps ?? []) {
        const contexts = completionEvents.flatMap((event) => /^onContext:(.+)$/.exec(event)?.slice(1) ?? []);
        assert.ok(contexts.length > 0 && contexts.every((key) => keys.includes(key)), id);
        const others = completionEvents.filter((event) => !event.startsWith('onContext:'));
        for (const event of others) {
          assert.ok((/^onSettingChanged:(.+)$/.exec(event)?.[1] as string) in settings, event);
        }
      }
    });

    it('has a picture for each step, which takes the colours of the theme and is described in words', () => {
      for (const {
        media: { svg, altText },
      } of walkthrough?.steps ?? []) {
        assert.ok(existsSync(path.join(ROOT, svg)), svg);
        const picture = read(svg);
        assert.doesNotMatch(picture.replace(/var\([^)]*\)/g, ''), /#[0-9a-f]{3}|rgb|script|href/i, svg);
        assert.ok((words[altText.replaceAll('%', '')] ?? '').length > 30, altText);
      }
    });
  });
});

describe('the manifest', () => {
  const { commands, menus, submenus, keybindings, views, viewsWelcome } = manifest.contributes;
  const ids = new Set(commands.map(({ command }) => command));

  it('has words for every key, and a use for every word', () => {
    const used = [...read('package.json').matchAll(/"%([^"%]+)%"/g)].map(([, key = '']) => key);
    assert.deepEqual([...new Set(used)].sort(), Object.keys(words).sort());
  });
  it('puts only commands into menus that exist', () =>
    assert.deepEqual(
      Object.values(menus)
        .flat()
        .filter(({ command, submenu = '' }) =>
          command === undefined
            ? menus[submenu] === undefined || !submenus.some(({ id }) => id === submenu)
            : !ids.has(command),
        ),
      [],
    ));
  it('has keys only for commands that exist, and only in the lists of its own views', () => {
    assert.ok(keybindings.length > 0);
    const named = JSON.stringify(keybindings).match(/(?<="command":")shoal\.\w+/g) ?? [];
    assert.deepEqual(
      named.filter((command) => !ids.has(command)),
      [],
    );
    assert.deepEqual(
      keybindings.filter(
        ({ when }) => !/^focusedView == shoal\.(groups|files|downloads) && listFocus && !inputFocus$/.test(when),
      ),
      [],
    );
  });
  it('links only to commands that exist', () => {
    const linked = Object.values(words)
      .flatMap((text) => [...text.matchAll(/\(command:([^)]+)\)/g)].map(([, command = '']) => command))
      .filter((command) => command.startsWith('shoal.'));
    assert.ok(linked.length > 10);
    assert.deepEqual(
      linked.filter((command) => !ids.has(command)),
      [],
    );
  });
  it('asks only for keys that are set', () => {
    // what is not of the state: how the person looks at it
    const known = [...Object.keys(contextKeysOf(INITIAL_STATE)), 'shoal.isFiltered'];
    const asked = [...Object.values(menus).flat(), ...viewsWelcome].flatMap(({ when = '' }) =>
      [...when.matchAll(/(?<!== )\bshoal\.\w+/g)].map(([key]) => key),
    );
    assert.deepEqual(
      [...new Set(asked)].filter((key) => !known.includes(key)),
      [],
    );
  });
  it('knows the views that it fills', () =>
    assert.deepEqual(
      views.shoal.map(({ id }) => id),
      ['shoal.groups', 'shoal.files', 'shoal.downloads'],
    ));

  it("has in every row's menu what makes sense there", () => {
    /** Entries of a row's menu, inline ones marked. */
    const menu = (view: string, context: string): string =>
      (menus['view/item/context'] ?? [])
        .flatMap(({ command, when = '', group = '' }) => {
          const [, of, pattern = ''] =
            /^view == (\S+) && viewItem =~ \/(.*)\/(?: && !listMultiSelection)?$/.exec(when) ?? assert.fail(when);
          const isInline = group.startsWith('inline');
          return of === `shoal.${view}` && new RegExp(pattern).test(context)
            ? [`${isInline ? '+' : ''}${command?.replace('shoal.', '') ?? ''}`]
            : [];
        })
        .join(' ');
    assert.deepEqual(
      {
        request: menu('groups', 'request'),
        owner: menu('groups', 'group owner'),
        applied: menu('groups', 'group applied'),
        person: menu('groups', 'person'),
        member: menu('groups', 'person removable'),
        remote: menu('files', 'file remote'),
        here: menu('files', 'file here served removable'),
        partial: menu('files', 'file partial'),
        running: menu('downloads', 'download partial downloading'),
        queued: menu('downloads', 'download partial queued'),
        paused: menu('downloads', 'download partial paused'),
        failed: menu('downloads', 'download partial failed'),
        done: menu('downloads', 'download here seeding'),
        share: menu('downloads', 'share here seeding'),
        changed: menu('downloads', 'share partial gone'),
        hashing: menu('downloads', 'share partial hashing'),
        section: menu('downloads', 'section downloading'),
        completed: menu('downloads', 'section completed'),
        asked: menu('groups', 'group owner asked'),
        folder: menu('files', 'folder'),
        update: menu('files', 'file remote update'),
        more: menu('files', 'more'),
        news: menu('files', 'filesGroup new'),
        seen: menu('files', 'filesGroup'),
        opens: menu('downloads', 'download partial downloading opens'),
        old: menu('downloads', 'download here seeding update'),
        mine: menu('downloads', 'share here seeding update'),
      },
      {
        request: '+acceptRequest +rejectRequest acceptRequest rejectRequest',
        owner: 'copyInvitationLink leaveGroup renameGroup deleteGroup',
        applied: '+cancelRequest cancelRequest',
        person: '',
        member: 'removeMember transferGroup',
        remote: '+previewFile previewFile compareFile +downloadFile downloadFile downloadTo copyFileLink',
        here: 'compareFile downloadTo +openFile openFile revealFile copyFileLink stopSharing removeFile',
        partial: '+previewFile previewFile compareFile downloadTo copyFileLink',
        running:
          '+pauseDownload +cancelDownload pauseDownload cancelDownload moveToTop moveUp moveDown moveToBottom setPriority limitSpeed openWhenDone copyFileLink +inspectSwarm inspectSwarm',
        queued:
          '+pauseDownload +cancelDownload pauseDownload cancelDownload moveToTop moveUp moveDown moveToBottom setPriority limitSpeed openWhenDone copyFileLink +inspectSwarm inspectSwarm',
        paused:
          '+resumeDownload +cancelDownload resumeDownload cancelDownload moveToTop moveUp moveDown moveToBottom setPriority limitSpeed openWhenDone copyFileLink +inspectSwarm inspectSwarm',
        failed:
          '+cancelDownload +retryDownload retryDownload cancelDownload moveToTop moveUp moveDown moveToBottom setPriority openWhenDone +inspectSwarm inspectSwarm clearTransfer',
        done: 'limitSpeed +openFile openFile revealFile copyFileLink +inspectSwarm inspectSwarm verifyFile stopSharing clearTransfer',
        share:
          'limitSpeed +openFile openFile revealFile copyFileLink +inspectSwarm inspectSwarm verifyFile stopSharing',
        hashing: 'limitSpeed +stopSharing stopSharing',
        changed: 'stopSharing clearTransfer',
        section: '',
        completed: '+clearCompleted clearCompleted',
        asked: 'acceptAllRequests copyInvitationLink leaveGroup renameGroup deleteGroup',
        folder: 'downloadFolder +downloadFolder downloadTo',
        update: '+previewFile previewFile compareFile +downloadUpdate downloadUpdate downloadTo copyFileLink',
        more: '+showMoreFiles showMoreFiles',
        news: '+markSeen markSeen',
        seen: '',
        opens:
          '+pauseDownload +cancelDownload pauseDownload cancelDownload moveToTop moveUp moveDown moveToBottom setPriority limitSpeed doNotOpenWhenDone copyFileLink +inspectSwarm inspectSwarm',
        old: 'limitSpeed +openFile openFile +downloadUpdate downloadUpdate revealFile copyFileLink +inspectSwarm inspectSwarm verifyFile stopSharing clearTransfer',
        mine: 'limitSpeed +openFile openFile +downloadUpdate downloadUpdate revealFile copyFileLink +inspectSwarm inspectSwarm verifyFile stopSharing',
      },
    );
  });

  it('offers for several rows only what does something with each of them', () => {
    const forOne = [
      'copyInvitationLink',
      'transferGroup',
      'renameGroup',
      'deleteGroup',
      'compareFile',
      'revealFile',
      'verifyFile',
      'chooseFiles',
      'inspectSwarm',
      'markSeen',
    ];
    const entries = (menus['view/item/context'] ?? []).filter(({ group = '' }) => !group.startsWith('inline'));
    const offered = entries.filter(
      ({ command = '', when = '' }) =>
        forOne.includes(command.replace('shoal.', '')) !== when.endsWith(' && !listMultiSelection'),
    );
    assert.deepEqual(offered, []);
  });

  it('shows exactly one welcome text in each view and situation that has no rows', () => {
    const keys = (text: string): Record<string, unknown> =>
      Object.fromEntries(
        text
          .split(' ')
          .filter((word) => word !== '')
          .map((word) => [`shoal.${word}`, true]),
      );
    const holds = (when: string, context: Record<string, unknown>): boolean =>
      when.split(' && ').every((clause) => {
        const [, not, key = '', operator, value = ''] =
          /^(!?)(shoal\.\w+)(?: (==|=~) (.*))?$/.exec(clause) ?? assert.fail(clause);
        const is = context[key];
        if (operator === '==') return is === value;
        if (operator === '=~') return new RegExp(value.slice(1, -1)).test(String(is));
        return not === '!' ? is !== true : is === true;
      });
    const count = (phase: string, more: string): readonly number[] =>
      views.shoal.map(
        ({ id }) =>
          viewsWelcome.filter(({ view, when }) => view === id && holds(when, { 'shoal.phase': phase, ...keys(more) }))
            .length,
      );
    const rows: readonly (readonly [phase: string, keys: string, counts: readonly number[]])[] = [
      ['starting', '', [0, 0, 0]],
      ['noTracker', '', [1, 1, 1]],
      ['signedOut', '', [1, 1, 1]],
      ['failed', '', [1, 0, 0]],
      ['stopped', '', [1, 0, 0]],
      ['outdated', '', [1, 0, 0]],
      ['offline', 'signedIn', [1, 1, 1]],
      ['ready', 'signedIn', [1, 1, 1]],
      ['ready', 'signedIn hasGroups canShare', [0, 0, 1]],
      ['ready', 'signedIn hasGroups canShare noFiles', [0, 1, 1]],
      ['ready', 'signedIn hasApplied', [0, 1, 1]],
      ['offline', 'signedIn hasGroups', [0, 0, 1]],
    ];
    for (const [phase, more, counts] of rows) assert.deepEqual(count(phase, more), counts, `${phase} ${more}`);
  });
});
