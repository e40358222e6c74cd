// Data of every release stays readable: the test copies a stored realm and its homes
// (test/fixtures/data) and opens them with real processes of the current bundles. Their clocks are
// set to one hour after the data was made, because operations and conflicts expire after a week.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { engineLink, Transfer } from '../../protocol/messages/engineLink.ts';
import type { BodyOf } from '../../protocol/wire/table.ts';
import { clockBehind, restoreData } from '../support/olderData.ts';
import type { RealEngine } from '../support/processes/realProcesses.ts';
import { freePorts, RealPair, RealProcesses, TRACKER_BUNDLE } from '../support/processes/realProcesses.ts';

const STORED = path.join(import.meta.dirname, '../fixtures/data');
const HOUR_MS = 3600_000;
const PIECE_BYTES = 512 * 1024;
const AS_BEFORE: Omit<BodyOf<typeof engineLink, 'adjust'>, 'transfer'> = {
  downLimitBytesPerS: undefined,
  upLimitBytesPerS: undefined,
  mode: undefined,
  priority: undefined,
  move: undefined,
  moveTo: undefined,
};

for (const version of readdirSync(STORED).filter((name) => /^\d/.test(name))) {
  describe(`data of version ${version}`, function () {
    this.timeout(60_000);
    const stored = path.join(STORED, version);
    const made = readJson(path.join(stored, 'made.json')) as { readonly madeAtMs: number; readonly heldPieces: number };
    let processes: RealProcesses;
    let pair: RealPair;
    let alice: RealEngine;
    let bob: RealEngine;
    let carol: RealEngine;
    let bobsPort: number;
    let hashFilesBefore: readonly string[];

    before(async () => {
      processes = new RealProcesses(clockBehind(Date.now() - made.madeAtMs - HOUR_MS));
      restoreData(stored, processes.folder);
      const [one = 0, two = 0, other = 0] = await freePorts(3);
      pair = await moveRealm(one, two);
      changeJson(homeFile('bob', 'settings.json'), () => ({ listenPort: (bobsPort = other) }));
      const { part, sizeBytes } = recordOf('bob', 'sonar.bin') as { part: string; sizeBytes: number };
      truncateSync(part, 0); // so that only the checkpoint can say which pieces it has
      truncateSync(part, sizeBytes);
      hashFilesBefore = hashFiles();
      // Only tracker 2, which lacks Bob's last operation.
      await pair.start(2);
      [alice, bob, carol] = (await Promise.all(
        ['alice', 'bob', 'carol'].map((name) => processes.startEngine(name, pair.url)),
      )) as [RealEngine, RealEngine, RealEngine];
      for (const engine of [alice, bob, carol]) {
        await engine.until(() => engine.overview?.trackers.some(({ link, inUse }) => link === 'up' && inUse));
      }
      await alice.until(() => alice.overview?.groups.length === 3 && isSettled(alice));
      await bob.until(() => bob.overview?.groups.length === 4 && isSettled(bob));
    });
    after(() => processes.close());

    it('keeps accounts signed in, with the same device keys', () => {
      for (const { name, overview } of [alice, bob, carol]) {
        const { account, user } = readJson(path.join(stored, 'homes', name, 'account.json'));
        assert.deepEqual(overview?.account, name === 'carol' ? undefined : { account, user: name });
        assert.equal(user, name === 'carol' ? '' : name);
        for (const file of ['identity.json', 'secret.json']) {
          assert.deepEqual(readFileSync(homeFile(name, file)), readFileSync(path.join(stored, 'homes', name, file)));
        }
      }
    });

    it('shows groups, members and join requests', async () => {
      assert.deepEqual(groupsOf(alice), [
        ['dredging', 'owner', 'alice', 1, []],
        ['harbour', 'owner', 'alice', 2, ['carol']],
        ['tide-gauges', 'owner', 'alice', 2, []],
      ]);
      assert.deepEqual(groupsOf(bob), [
        ['dredging~', 'owner', 'bob', 1, []],
        ['harbour', 'member', 'alice', 2, []],
        ['pilots', 'owner', 'bob', 1, []],
        ['tide-gauges', 'member', 'alice', 2, []],
      ]);
      const { members } = await bob.connection.call('listMembers', { group: 'harbour', after: '' });
      assert.deepEqual(
        members.map(({ user, role, online }) => [user, role, online]),
        [
          ['alice', 'owner', true],
          ['bob', 'member', true],
        ],
      );
    });

    it('lists the files of a group with their versions', async () => {
      const { files } = await alice.connection.call('listFiles', { group: 'harbour', after: '' });
      const rows = files
        .filter(({ name }) => name !== 'moorings.csv')
        .map((file) => [file.name, file.content, file.version, file.sizeBytes, file.author, file.sharers]);
      assert.deepEqual(rows, [
        ['charts', 'folder', 1, 1_300_524, 'alice', ['alice']],
        ['draft.txt', 'file', 1, 15, 'alice', ['alice']],
        ['empty.txt', 'file', 1, 0, 'alice', ['alice']],
        ['inventory', 'folder', 1, 171, 'bob', ['bob']],
        ['logbook.md', 'file', 1, 22, 'bob', ['bob']],
        ['photos', 'folder', 1, 900_244, 'alice', ['alice']],
        ['radio.txt', 'file', 1, 12, 'alice', []],
        ['scan.bin', 'file', 1, 3 * PIECE_BYTES - 1000, 'alice', ['alice']],
        ['sonar.bin', 'file', 1, 3 * PIECE_BYTES, 'alice', ['alice']],
        ['survey.bin', 'file', 1, 6 * PIECE_BYTES - 77, 'alice', ['alice']],
        ['tide-tables.csv', 'file', 2, 43, 'alice', ['alice']],
        ['Übersicht 概要.md', 'file', 1, 20, 'alice', ['alice']],
      ]);
    });

    it('seeds shares and finished downloads, but not a file that has changed', async () => {
      await alice.whole('tide-tables.csv');
      await bob.whole('moorings.csv');
      const shown = (engine: RealEngine): unknown[] =>
        [...engine.transfers.values()]
          .filter(({ state }) => state === 'seeding' || state === 'gone')
          .map(({ name, kind, state, version: got }) => [name, kind, state, got])
          .sort();
      assert.deepEqual(shown(alice), [
        ['charts', 'share', 'seeding', 0],
        ['draft.txt', 'share', 'gone', 0],
        ['empty.txt', 'share', 'seeding', 0],
        ['logbook.md', 'download', 'seeding', 1],
        ['photos', 'share', 'seeding', 0],
        ['scan.bin', 'share', 'seeding', 0],
        ['sonar.bin', 'share', 'seeding', 0],
        ['survey.bin', 'share', 'seeding', 0],
        ['tide-tables.csv', 'share', 'seeding', 0],
        ['Übersicht 概要.md', 'share', 'seeding', 0],
      ]);
      assert.deepEqual(shown(bob), [
        ['charts', 'download', 'seeding', 1],
        ['inventory', 'share', 'seeding', 0],
        ['logbook.md', 'share', 'seeding', 0],
        ['moorings.csv', 'share', 'seeding', 0],
        ['tide-tables.csv', 'download', 'seeding', 1],
      ]);
      for (const [engine, name] of [
        [alice, 'logbook.md'],
        [alice, 'charts'],
        [bob, 'tide-tables.csv'],
        [bob, 'charts'],
        [bob, 'inventory'],
      ] as const) {
        await engine.connection.call('verify', { transfer: transferOf(engine, name).id, repair: false });
      }
      assert.deepEqual(hashFiles(), hashFilesBefore, 'no file is hashed again');
      const { heldPieces, pieces } = transferOf(bob, 'charts');
      assert.deepEqual([heldPieces, pieces], [1, 1], 'only one piece lies entirely in the chosen files');
    });

    it('keeps the settings of each home and each transfer', () => {
      const shown = ({ overview }: RealEngine): unknown =>
        overview && [
          overview.downLimitBytesPerS,
          overview.upLimitBytesPerS,
          overview.activeDownloads,
          overview.keepSharing,
        ];
      assert.deepEqual(
        [shown(alice), shown(bob), shown(carol)],
        [
          [0, 40_000_000, 7, false],
          [200_000, 9_000_000, 2, true],
          [0, 0, 5, false],
        ],
      );
      assert.deepEqual(bob.overview?.listening, [{ host: '127.0.0.1', port: bobsPort }]);
      const own = ({ downLimitBytesPerS, upLimitBytesPerS, priority, mode, place }: Transfer): unknown => [
        downLimitBytesPerS,
        upLimitBytesPerS,
        priority,
        mode,
        place,
      ];
      assert.deepEqual(own(transferOf(alice, 'sonar.bin')), [0, 8_000_000, 'normal', 'rarest', 0]);
      assert.deepEqual(
        ['survey.bin', 'scan.bin', 'photos', 'Übersicht 概要.md', 'sonar.bin'].map((name) =>
          own(transferOf(bob, name)),
        ),
        [
          [40_000, 0, 'high', 'sequential', 1],
          [5_000, 0, 'normal', 'auto', 2],
          [0, 0, 'normal', 'auto', 3],
          [0, 0, 'normal', 'rarest', 4],
          [150_000, 0, 'low', 'random', 5],
        ],
      );
    });

    it('resumes an interrupted download and requests only the missing pieces', async () => {
      const { id, resumedPieces, pieces } = transferOf(bob, 'survey.bin');
      assert.ok(resumedPieces >= made.heldPieces, `resumed with ${resumedPieces} pieces, not ${made.heldPieces}`);
      await unlimited(id);
      assertSameFile((await bob.whole('survey.bin')).path, 'work/alice/survey.bin');
      assert.equal(
        await sentBytes('survey.bin'),
        (pieces - resumedPieces) * PIECE_BYTES - 77,
        'no piece is downloaded twice',
      );
    });

    it('resumes the repair of a file with one damaged piece', async () => {
      await unlimited(transferOf(bob, 'scan.bin').id);
      assertSameFile((await bob.whole('scan.bin')).path, 'work/alice/scan.bin');
      assert.equal(await sentBytes('scan.bin'), PIECE_BYTES);
    });

    it('starts a queued download', async () => {
      assertSameFile((await bob.whole('Übersicht 概要.md')).path, 'work/alice/Übersicht 概要.md');
    });

    it('keeps a paused download paused, with the pieces its checkpoint names', () => {
      const { state, heldPieces, resumedPieces } = transferOf(bob, 'sonar.bin');
      assert.deepEqual([state, heldPieces, resumedPieces], ['paused', 1, 1]);
    });

    it('keeps a folder download that waits for a choice of files, then downloads the chosen file', async () => {
      const { id, state } = transferOf(bob, 'photos');
      const { files } = await bob.connection.call('folderFiles', { transfer: id, after: '' });
      assert.deepEqual(
        [state, files.map(({ path: name }) => name)],
        ['choosing', ['crane.txt', 'harbour.bin', 'pier.txt']],
      );
      await bob.connection.call('chooseFiles', { transfer: id, only: ['pier.txt'] });
      const { path: place } = await bob.whole('photos');
      assert.deepEqual(readdirSync(place), ['pier.txt']);
      assertSameFile(path.join(place, 'pier.txt'), 'work/alice/photos/pier.txt');
    });

    it('reports once who was downloading when the engine stopped', async () => {
      const { downloaders } = await alice.connection.call('takeCutOff', {});
      assert.deepEqual(
        downloaders.map(({ user, group, name }) => [user, group, name]),
        [
          ['bob', 'harbour', 'survey.bin'],
          ['bob', 'harbour', 'scan.bin'],
        ],
      );
      assert.deepEqual(await alice.connection.call('takeCutOff', {}), { downloaders: [] });
    });

    it('lists a conflict without reporting it again', async () => {
      const { conflicts } = await bob.connection.call('listConflicts', {});
      assert.deepEqual(
        conflicts.map(({ what, result, wanted, user, isMine }) => [what, result, wanted, user, isMine]),
        [['createGroup', 'renamed', 'dredging', 'bob', true]],
      );
      assert.deepEqual(
        readJson(homeFile('bob', 'conflicts.json')),
        readJson(path.join(stored, 'homes/bob/conflicts.json')),
      );
    });

    it('accepts passwords as created, as changed by the user and as reset by an operator', async () => {
      const { connection } = await processes.startEngine('a new home', pair.url);
      await connection.call('setTracker', { url: pair.url, confirm: false });
      for (const [user, password] of [
        ['carol', 'password of carol'],
        ['bob', 'the new password of bob'],
        ['erin', 'the second password of erin'],
      ] as const) {
        assert.equal((await connection.call('signIn', { user, password, hold: false })).user, user);
        await connection.call('signOut', {});
      }
    });

    it('sends a tracker the operation that only its partner had', async () => {
      while (!(await harbourFiles()).includes('moorings.csv'));
      assert.equal((await bob.connection.call('status', {})).overview.outbox, 1, 'the partner is still down');
    });

    it('opens a log that begins with a snapshot, and both trackers reach the same state', async () => {
      await pair.start(1);
      while ((await Promise.all([pair.status(1), pair.status(2)])).some(({ partner }) => partner !== 'paired'));
      for (const engine of [bob, carol]) while ((await engine.connection.call('status', {})).overview.outbox > 0);
      for (const { home } of [bob, carol]) {
        assert.doesNotMatch(readFileSync(home.logFile, 'utf8'), /an operation was refused/);
      }
      const [one, two] = await Promise.all([pair.status(1), pair.status(2)]);
      assert.deepEqual([one.accounts, one.groups, one.stateHash], [5, 5, two.stateHash]);
    });

    /**
     * Moves the realm to free ports, so that several copies can run at the same time. The homes
     * missed the move and get the new list here.
     */
    async function moveRealm(...ports: readonly number[]): Promise<RealPair> {
      const folder = path.join(processes.folder, 'realm');
      let url = '';
      for (const [n, port] of ports.entries()) {
        changeJson(path.join(folder, `tracker-${n + 1}`, 'last-run.json'), () => ({ port }));
        const { code, stdout, stderr } = await processes.run(TRACKER_BUNDLE, [
          'replace',
          folder,
          String(n + 1),
          `127.0.0.1:${port}`,
          '--json',
        ]);
        assert.equal(code, 0, stderr);
        const changed = JSON.parse(stdout) as { readonly version: number; readonly url: string };
        assert.equal(changed.version, 3 + n, 'the stored list has version 2');
        url = changed.url;
      }
      const { descriptor, signature } = readJson(path.join(folder, 'list.json'));
      for (const name of ['alice', 'bob', 'carol']) {
        changeJson(homeFile(name, 'tracker.json'), (before) => {
          assert.equal(String(before['url']).split('@')[0], url.split('@')[0], 'the same realm');
          return { url, descriptor, signature };
        });
      }
      return new RealPair(processes, folder, url);
    }

    function homeFile(name: string, file: string): string {
      return path.join(processes.folder, 'homes', name, file);
    }

    /** Piece layers and folder lists, each with its modification time. */
    function hashFiles(): readonly string[] {
      return ['alice', 'bob']
        .map((name) => homeFile(name, 'transfers'))
        .flatMap((folder) =>
          readdirSync(folder)
            .filter((name) => /\.(layer|folder)$/.test(name))
            .map((name) => `${path.join(folder, name)} ${statSync(path.join(folder, name)).mtimeMs}`),
        );
    }

    function recordOf(name: string, file: string): Record<string, unknown> {
      const folder = homeFile(name, 'transfers');
      const records = readdirSync(folder)
        .filter((one) => one.endsWith('.json'))
        .map((one) => readJson(path.join(folder, one)));
      return records.find((record) => record['name'] === file) ?? assert.fail(`${name} has no record of ${file}`);
    }

    async function harbourFiles(): Promise<readonly string[]> {
      return (await bob.connection.call('listFiles', { group: 'harbour', after: '' })).files.map(({ name }) => name);
    }

    /** How much of a file Alice's engine has sent. */
    async function sentBytes(name: string): Promise<number | undefined> {
      return (await alice.connection.call('status', {})).transfers.find((one) => one.name === name)?.uploadedBytes;
    }

    async function unlimited(transfer: number): Promise<void> {
      await bob.configure({ downLimitBytesPerS: 0 });
      await bob.connection.call('adjust', { ...AS_BEFORE, transfer, downLimitBytesPerS: 0 });
    }

    function assertSameFile(file: string, original: string): void {
      assert.ok(readFileSync(file).equals(readFileSync(path.join(processes.folder, original))), `${file} differs`);
    }
  });
}

function readJson(file: string): Record<string, unknown> {
  return JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
}

function changeJson(file: string, change: (before: Record<string, unknown>) => Record<string, unknown>): void {
  const before = readJson(file);
  writeFileSync(file, JSON.stringify({ ...before, ...change(before) }));
}

/** Whether every transfer has checked its files. */
function isSettled({ transfers }: RealEngine): boolean {
  return (
    transfers.size > 0 && [...transfers.values()].every(({ state }) => state !== 'checking' && state !== 'hashing')
  );
}

/** One row for each group, by name, without the random ending of a renamed group. */
function groupsOf({ overview }: RealEngine): unknown[] {
  const rows = overview?.groups.map(({ name, role, owner, members, requests }) => [
    name.replace(/~.*/, '~'),
    role,
    owner,
    members,
    requests.map(({ user }) => user),
  ]);
  return rows?.sort(([a], [b]) => (String(a) < String(b) ? -1 : 1)) ?? [];
}

function transferOf(engine: RealEngine, name: string): Transfer {
  return (
    [...engine.transfers.values()].find((one) => one.name === name) ??
    assert.fail(`${engine.name} has no transfer of ${name}`)
  );
}
