// The command line from its words to the engine's verbs and back to what is printed: the real host
// and a real socket, around an engine that only pretends. What stays until something is done is in
// follow.test.ts; what has more to it than one call, in the suite of its family of commands.
import assert from 'node:assert/strict';
import { allCommands } from '../../../extension/engine/cli.ts';
import { ShoalError } from '../../../protocol/base/errors.ts';
import { CommandLine } from '../../support/fakes/commandLine.ts';
import { aFile, FakeEngine, fails } from '../../support/fakes/fakeEngine.ts';

describe('the command line', () => {
  let shoal: CommandLine;
  beforeEach(() => {
    shoal = new CommandLine();
  });
  afterEach(() => shoal.end());

  describe('asks the engine', () => {
    const rows: [words: string, asked: [verb: string, body: object][], stdout: RegExp][] = [
      ['create_group team', [['createGroup', { group: 'team' }]], /^Created the group team; you own it\./],
      ['join_group team', [['joinGroup', { group: 'team' }]], /^Asked to join team\./],
      ['cancel_request team', [['cancelRequest', { group: 'team' }]], /^Took back your request/],
      ['leave_group team', [['leaveGroup', { group: 'team' }]], /^Left team\./],
      ['remove_member team bob', [['removeMember', { group: 'team', user: 'bob' }]], /^Removed bob from team\./],
      [
        'accept_request team bob',
        [['acceptRequest', { group: 'team', user: 'bob' }]],
        /^bob is a member of team now\./,
      ],
      ['reject_request team bob', [['rejectRequest', { group: 'team', user: 'bob' }]], /^Rejected the request of bob/],
      [
        'list_groups',
        [['listGroups', { after: '' }]],
        /^GROUP {2}YOU ARE {2}OWNER {2}MEMBERS {2}ONLINE {2}FILES\nteam {3}owner {4}alice {8}3 {7}2 {6}1\n$/,
      ],
      [
        'list_files team',
        [['listFiles', { group: 'team', after: '' }]],
        /^NAME {10}SIZE {2}SEEDERS {2}AUTHOR {2}VERSION\ndump\.sql {2}1\.00 MiB {8}1 {2}bob {11}1\n$/,
      ],
      ['list_file team', [['listFiles', { group: 'team', after: '' }]], /^NAME/],
      [
        'stop_share team dump.sql',
        [['stopShare', { group: 'team', name: 'dump.sql', remove: false }]],
        /^You do not share dump\.sql in team any more\./,
      ],
      [
        'stop_share team dump.sql --remove',
        [['stopShare', { group: 'team', name: 'dump.sql', remove: true }]],
        /^Removed dump\.sql in team\./,
      ],
      [
        'set --down 10M --up 0 --active 3',
        [['configure', { downLimitBytesPerS: 10485760, upLimitBytesPerS: 0, activeDownloads: 3 }]],
        /^Set for all/,
      ],
      ['logout', [['signOut', {}]], /^Signed out\./],
      [
        'logout --keep-sharing on --limit-down 500k --limit-up 1M --listen 10.0.0.1:7000',
        [
          [
            'configure',
            {
              downLimitBytesPerS: 512000,
              upLimitBytesPerS: 1048576,
              listenHost: '10.0.0.1',
              listenPort: 7000,
              keepSharing: true,
            },
          ],
          ['signOut', {}],
        ],
        /^Signed out/,
      ],
      [
        '--tracker a.example:7070 logout',
        [
          ['setTracker', { url: 'a.example:7070', confirm: false }],
          ['signOut', {}],
        ],
        /^Signed out/,
      ],
      [
        'upload_file dump.sql team --detach --replace --name x.sql',
        [['share', { group: 'team', path: '$/dump.sql', name: 'x.sql', replace: true }]],
        /^Sharing x\.sql in team/,
      ],
      [
        'get team dump.sql --detach --mode random',
        [
          ['findFile', { group: 'team', name: 'dump.sql' }],
          [
            'download',
            {
              group: 'team',
              name: 'dump.sql',
              path: '$/downloads',
              asFile: false,
              rename: false,
              mode: 'random',
              only: [],
            },
          ],
        ],
        /^Downloading dump\.sql in the background/,
      ],
      [
        'get team dump.sql there.sql --detach --rename',
        [
          ['findFile', { group: 'team', name: 'dump.sql' }],
          [
            'download',
            {
              group: 'team',
              name: 'dump.sql',
              path: '$/there.sql',
              asFile: true,
              rename: true,
              mode: 'auto',
              only: [],
            },
          ],
        ],
        /^Downloading/,
      ],
      [
        'get team dump.sql --detach --only img/*.png README.md',
        [
          ['findFile', { group: 'team', name: 'dump.sql' }],
          [
            'download',
            {
              group: 'team',
              name: 'dump.sql',
              path: '$/downloads',
              asFile: false,
              rename: false,
              mode: 'auto',
              only: ['img/*.png', 'README.md'],
            },
          ],
        ],
        /^Downloading/,
      ],
      [
        'get team dump.sql home --detach',
        [
          ['findFile', { group: 'team', name: 'dump.sql' }],
          [
            'download',
            { group: 'team', name: 'dump.sql', path: '$/home', asFile: false, rename: false, mode: 'auto', only: [] },
          ],
        ],
        /^Downloading/,
      ],
    ];
    for (const [words, asked, stdout] of rows) {
      it(words, async () => {
        const ran = await shoal.run(...words.split(' '));
        assert.deepEqual(ran.exit, 0, ran.stderr);
        assert.match(ran.stdout, stdout);
        const expected = asked.map(([verb, body]) => ({
          verb,
          body: JSON.parse(JSON.stringify(body).replaceAll('$/', `${shoal.folder}/`)) as object,
        }));
        assert.deepEqual(JSON.parse(JSON.stringify(shoal.engine.asked)), expected);
      });
    }
  });

  describe('prints one JSON value with --json', () => {
    const rows: [words: string, json: unknown][] = [
      ['create_group team', { group: 'team', durability: 'both' }],
      ['accept_request team bob', { group: 'team', user: 'bob', durability: 'both' }],
      ['logout', { signedOut: true }],
      ['stop', { stopped: false }],
      ['list_files team', [JSON.parse(JSON.stringify(aFile()))]],
      ['stop_share team a', { group: 'team', name: 'a', removed: false, durability: 'both' }],
    ];
    for (const [words, json] of rows) {
      it(words, async () => {
        const { exit, stdout, stderr } = await shoal.run('--json', ...words.split(' '));
        assert.deepEqual([exit, JSON.parse(stdout), stderr], [0, json, '']);
      });
    }

    it('and an error the same way', async () => {
      shoal.engine = new FakeEngine({ createGroup: fails('nameTaken', { name: 'team' }) });
      const { exit, stdout, stderr } = await shoal.run('create_group', 'team', '--json');
      assert.equal(exit, 3);
      assert.deepEqual(JSON.parse(stdout), {
        error: { code: 'nameTaken', message: 'the name team is taken; choose another', fields: { name: 'team' } },
      });
      assert.equal(stderr, 'shoal: the name team is taken; choose another\n');
    });
  });

  it('says wrong use as JSON, too', async () => {
    const { exit, stdout } = await shoal.run('login', '--json');
    assert.deepEqual(
      [exit, JSON.parse(stdout)],
      [2, { error: { code: 'usage', message: "missing required argument 'user'", fields: {} } }],
    );
  });

  describe('fails with a sentence and the exit code of the error', () => {
    const rows: [code: ConstructorParameters<typeof ShoalError>[0], exit: number][] = [
      ['notSignedIn', 3],
      ['unknownGroup', 4],
      ['trackerUnreachable', 7],
      ['usage', 2],
      ['internal', 1],
    ];
    for (const [code, exit] of rows) {
      it(`${code}: ${exit}`, async () => {
        shoal.engine = new FakeEngine({ joinGroup: fails(code, { group: 'team', address: 'a:1', why: 'y' }) });
        const ran = await shoal.run('join_group', 'team');
        assert.equal(ran.exit, exit);
        assert.equal(
          ran.stderr,
          `shoal: ${new ShoalError(code, { group: 'team', address: 'a:1', why: 'y' }).message}\n`,
        );
        assert.equal(ran.stdout, '');
      });
    }
  });

  describe('explains wrong use, with exit code 2', () => {
    const rows: [words: string, says: RegExp][] = [
      ['list_filez team', /unknown command 'list_filez'\n\(Did you mean one of list_file, list_files\?\)/],
      ['login', /missing required argument 'user'/],
      ['logout now', /too many arguments/],
      ['logout --fast', /unknown option '--fast'/],
      ['logout --limit-down fast', /^shoal: fast is not a rate/],
      ['logout --listen nowhere', /^shoal: nowhere is not an address/],
      ['logout --tracker none.txt', /^shoal: there is no file .*none\.txt/],
      ['get team a --mode best', /^shoal: --mode is one of rarest, random, sequential/],
      ['get team a --timeout soon', /^shoal: soon is not a time/],
      ['set', /^shoal: say what to set/],
      ['set 1 --active 3', /^shoal: --active is for all downloads together/],
      ['set --priority high', /^shoal: name the download whose priority/],
      ['set 1 --priority urgent', /^shoal: --priority is one of high, normal, low, not urgent/],
      ['set 1 --down fast', /^shoal: fast is not a rate/],
      ['pause 1 --all', /^shoal: name downloads, or say --all/],
      ['cat team a --head much', /^shoal: --head is a number of bytes/],
      ['pause team', /^shoal: name a group and a file, or the number/],
      ['', /^Usage: shoal/],
    ];
    for (const [words, says] of rows) {
      it(words || 'nothing at all', async () => {
        const { exit, stderr, stdout } = await shoal.run(...words.split(' ').filter((word) => word !== ''));
        assert.match(stderr, says);
        assert.deepEqual([exit, stdout], [2, '']);
        assert.deepEqual(
          shoal.engine.asked.filter(({ verb }) => verb !== 'findFile'),
          [],
        );
      });
    }
  });

  describe('explains itself', () => {
    it('in one page', async () => {
      const { exit, stdout } = await shoal.run('--help');
      assert.equal(exit, 0);
      for (const { usage } of allCommands) assert.ok(stdout.includes(`  ${usage.split(' ')[0] ?? ''}`), usage);
      assert.match(stdout, /First steps:/);
      assert.match(stdout, /SHOAL_HOME;\s+default: /);
      assert.doesNotMatch(stdout, /^ {2}engine/m);
    });
    for (const { usage, aliases, json } of allCommands) {
      it(`about ${usage}`, async () => {
        const { exit, stdout } = await shoal.run('help', usage.split(' ')[0] ?? '');
        assert.equal(exit, 0);
        assert.ok(
          stdout.startsWith(`Usage: shoal ${usage.split(' ')[0] ?? ''}${aliases === undefined ? '' : `|${aliases}`} `),
          stdout,
        );
        assert.ok(stdout.includes(`With --json: ${json}`));
      });
    }
  });

  it('shows the realm of a tracker that is new', async () => {
    const { stderr } = await shoal.run('logout', '--tracker', 'a.example:7070');
    assert.match(stderr, /^first use of this tracker.*\n {2}shoal:\/\/pin@a\.example:7070\n/);
  });
});
