// The main job with the built programs: real trackers, real engines, real files, and the things
// that go wrong in a year of use.
import assert from 'node:assert';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { RealEngine, RealPair } from '../support/processes/realProcesses.ts';
import { RealProcesses } from '../support/processes/realProcesses.ts';

const PIECE = 512 * 1024;
const GROUP = 'harbour';

const sha256 = (file: string): string => createHash('sha256').update(readFileSync(file)).digest('hex');

describe('the main job, with real processes', function () {
  this.timeout(120_000);
  let processes: RealProcesses;
  let pair: RealPair;
  let alice: RealEngine;
  let bob: RealEngine;

  beforeEach(async () => {
    processes = new RealProcesses();
    pair = await processes.startPair();
    [alice, bob] = await Promise.all([
      processes.startEngine('alice', pair.url),
      processes.startEngine('bob', pair.url),
    ] as const);
    await Promise.all([alice.signUp(), bob.signUp()]);
    await alice.does('create_group', GROUP);
    await join(bob);
  });
  afterEach(() => processes.close());

  async function join(one: RealEngine): Promise<void> {
    await one.does('join_group', GROUP);
    await alice.does('accept_request', GROUP, one.name);
    await one.until(() => one.overview?.groups.some(({ name, role }) => name === GROUP && role === 'member'));
  }

  function makeFile(name: string, bytes: Buffer): string {
    const file = path.join(processes.makeFolder('source'), name);
    writeFileSync(file, bytes);
    return file;
  }

  /** Bob's download of a file that Alice shares, slowed so that something can happen meanwhile. */
  async function slowDownload(
    one: RealEngine,
    name: string,
    bytesPerS: number,
  ): Promise<{ id: number; folder: string }> {
    await one.connection.call('configure', {
      downLimitBytesPerS: bytesPerS,
      upLimitBytesPerS: undefined,
      listenHost: undefined,
      listenPort: undefined,
      keepSharing: undefined,
      activeDownloads: undefined,
    });
    const folder = processes.makeFolder('downloads', one.name);
    const { transfer } = await one.connection.call('download', {
      group: GROUP,
      name,
      path: folder,
      asFile: false,
      rename: false,
      mode: 'rarest',
      only: [],
    });
    return { id: transfer, folder };
  }

  async function unlimited(one: RealEngine): Promise<void> {
    await one.connection.call('configure', {
      downLimitBytesPerS: 0,
      upLimitBytesPerS: undefined,
      listenHost: undefined,
      listenPort: undefined,
      keepSharing: undefined,
      activeDownloads: undefined,
    });
  }

  it('carries files of every size and kind of name, byte for byte', async () => {
    const files: readonly (readonly [string, number])[] = [
      ['empty', 0],
      ['one byte.bin', 1],
      ['one piece', PIECE],
      ['one piece and a byte', PIECE + 1],
      ['ünïcødé 文件 👩‍🔬.dat', 3 * PIECE + 17],
      ['.hidden', 5],
    ];
    for (const [name, size] of files) await alice.does('upload_file', makeFile(name, randomBytes(size)), GROUP);
    const folder = processes.makeFolder('here');
    for (const [name] of files) {
      await bob.does('download_file', GROUP, name, folder);
      assert.equal(sha256(path.join(folder, name)), sha256(path.join(processes.folder, 'source', name)), name);
    }
    assert.deepEqual(
      readdirSync(path.join(folder, '.shoal-part')).filter((name) => name.endsWith('.part')),
      [],
      'nothing half-written is left',
    );
    const listed = JSON.parse(await bob.does('--json', 'list_files', GROUP)) as
      { files?: { name: string }[] } | { name: string }[];
    const rows = Array.isArray(listed) ? listed : (listed.files ?? []);
    assert.deepEqual(rows.map((row) => row.name).sort(), files.map(([name]) => name).sort());
  });

  it('carries a folder, file by file as it is, and reads it again on demand', async () => {
    const source = path.join(processes.makeFolder('source'), 'project');
    const files = Array.from(
      { length: 300 },
      (_, n) =>
        [
          `${['', 'src/', 'src/deep/', 'Bücher/', '写真/2026/'][n % 5]}file ${n}.bin`,
          n % 11 === 0 ? 0 : n % 97 === 1 ? 5 * PIECE + n : 17 * n,
        ] as const,
    );
    for (const [name, size] of files) {
      mkdirSync(path.dirname(path.join(source, name)), { recursive: true });
      writeFileSync(path.join(source, name), randomBytes(size));
    }
    symlinkSync('/etc/passwd', path.join(source, 'link'));
    await alice.does('upload_file', source, GROUP);
    assert.match(await bob.does('list_files', GROUP), /^project\/ /m);
    const listed = JSON.parse(
      (await bob.does('--json', 'list_files', GROUP, 'project')).trim().split('\n').at(-1) ?? '',
    ) as readonly { readonly path: string; readonly sizeBytes: number }[];
    assert.deepEqual(new Map(listed.map((file) => [file.path, file.sizeBytes])), new Map(files));
    assert.ok(!(await bob.does('show_downloads')).includes('project'), 'the list was no download');
    const folder = processes.makeFolder('here');
    await bob.does('download_file', GROUP, 'project', folder);
    const all = readdirSync(path.join(folder, 'project'), { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    );
    assert.deepEqual(
      all.map((entry) => path.relative(path.join(folder, 'project'), path.join(entry.parentPath, entry.name))).sort(),
      files.map(([name]) => name).sort(),
    );
    for (const [name] of files) {
      assert.equal(sha256(path.join(folder, 'project', name)), sha256(path.join(source, name)), name);
    }
    assert.deepEqual(readdirSync(path.join(folder, '.shoal-part')), ['.gitignore']);
    const some = processes.makeFolder('some');
    await bob.does('download_file', GROUP, 'project', some, '--only', '写真', 'file 5*');
    assert.ok(
      readdirSync(path.join(some, 'project')).every((name) => name === '写真' || name.startsWith('file 5')),
      'nothing else',
    );
    assert.equal(
      sha256(path.join(some, 'project', '写真', '2026', 'file 4.bin')),
      sha256(path.join(source, '写真', '2026', 'file 4.bin')),
    );
    assert.match(await bob.does('verify', GROUP, 'project'), /exactly what was shared/);
    writeFileSync(path.join(some, 'project', '写真', '2026', 'file 4.bin'), 'spoiled');
    assert.equal((await bob.cli('verify', GROUP, 'project')).code, 6); // the latest of that name
  });

  it('goes on when the first tracker dies in the middle, takes operations meanwhile, and both trackers are equal afterwards', async () => {
    const source = makeFile('dump', randomBytes(12 * PIECE));
    await alice.does('upload_file', source, GROUP);
    const { id, folder } = await slowDownload(bob, 'dump', 2 * 1024 * 1024);
    await bob.until(() => (bob.transfers.get(id)?.heldPieces ?? 0) >= 2);
    const acknowledged: string[] = [];
    let wanted = true;
    const writing = (async () => {
      for (let n = 0; wanted && n < 200; n++) {
        await alice.connection.call('createGroup', { group: `group-${n}` });
        acknowledged.push(`group-${n}`);
      }
    })();
    await alice.until(() => acknowledged.length >= 5);
    await pair.kill(1);
    const atTheKill = acknowledged.length;
    await alice.until(() => acknowledged.length >= atTheKill + 5);
    await alice.does('upload_file', makeFile('small', randomBytes(10)), GROUP);
    await unlimited(bob);
    await bob.whole('dump');
    assert.equal(sha256(path.join(folder, 'dump')), sha256(source));
    await pair.start(1);
    wanted = false;
    await writing;
    await alice.does('create_group', 'made-after-it-came-back');
    for (;;) {
      const [one, two] = await Promise.all([pair.status(1), pair.status(2)]);
      if (one['stateHash'] === two['stateHash'] && one['partner'] === 'paired') break;
    }
    const groups = await bob.does('list_groups');
    for (const name of [GROUP, ...acknowledged, 'made-after-it-came-back']) {
      assert.match(groups, new RegExp(`\\b${name}\\b`));
    }
  });

  it('finishes a download whose engine was killed with -9 in the middle, and fetches only what was missing', async () => {
    const source = makeFile('model', randomBytes(16 * PIECE));
    await alice.does('upload_file', source, GROUP);
    const { id, folder } = await slowDownload(bob, 'model', 3 * 1024 * 1024);
    await bob.until(() => (bob.transfers.get(id)?.heldPieces ?? 0) >= 5);
    await bob.kill();
    assert.ok(!existsSync(path.join(folder, 'model')), 'nothing half-written under the final name');
    await bob.start();
    await unlimited(bob);
    const transfer = await bob.whole('model');
    assert.equal(sha256(path.join(folder, 'model')), sha256(source));
    assert.ok(transfer.resumedPieces >= 5, `resumed with ${transfer.resumedPieces} pieces`);
    const { sources } = await bob.connection.call('sources', { transfer: transfer.id });
    assert.equal(
      sources.reduce((sum, { pieces }) => sum + pieces, 0),
      16 - transfer.resumedPieces,
    );
  });

  it('serves a downloader’s copy when the sharer is gone', async () => {
    const source = makeFile('build', randomBytes(4 * PIECE));
    await alice.does('upload_file', source, GROUP);
    await bob.does('download_file', GROUP, 'build', processes.makeFolder('bob'));
    const carol = await processes.startEngine('carol', pair.url);
    await carol.signUp();
    await join(carol);
    await alice.kill();
    const folder = processes.makeFolder('carol');
    await carol.does('download_file', GROUP, 'build', folder);
    assert.equal(sha256(path.join(folder, 'build')), sha256(source));
  });

  it('stops serving at logout and brings everything back at the next login', async () => {
    await alice.does('upload_file', makeFile('notes', randomBytes(2 * PIECE)), GROUP);
    await alice.does('logout');
    await alice.until(() => alice.overview?.listening.length === 0);
    const nobody = await bob.cli('download_file', GROUP, 'notes', processes.makeFolder('bob'), '--no-wait');
    assert.equal(nobody.code, 5, nobody.stderr + nobody.stdout);
    await alice.does('login', 'alice');
    await bob.whole('notes').catch(() => undefined);
    const folder = processes.makeFolder('bob-again');
    await bob.does('download_file', GROUP, 'notes', folder);
    assert.equal(sha256(path.join(folder, 'notes')), sha256(path.join(processes.folder, 'source', 'notes')));
  });

  it('gives a stranger and a removed member nothing', async () => {
    await alice.does('upload_file', makeFile('secret', randomBytes(8 * PIECE)), GROUP);
    const mallory = await processes.startEngine('mallory', pair.url);
    await mallory.signUp();
    const stranger = await mallory.cli('download_file', GROUP, 'secret', processes.makeFolder('mallory'));
    assert.equal(stranger.code, 3, stranger.stderr);
    assert.match(stranger.stderr, /not a member/);

    const { id, folder } = await slowDownload(bob, 'secret', 1024 * 1024);
    await bob.until(() => (bob.transfers.get(id)?.heldPieces ?? 0) >= 1);
    await alice.does('remove_member', GROUP, 'bob');
    const ended = await bob.until(() => bob.transfers.get(id)?.state === 'failed' && bob.transfers.get(id));
    assert.equal(ended.error?.code, 'notMember');
    assert.ok(!existsSync(path.join(folder, 'secret')));
    const again = await bob.cli('download_file', GROUP, 'secret', folder);
    assert.equal(again.code, 3, again.stderr);
  });

  it('never serves a file that changed, and says so on both sides', async () => {
    const source = makeFile('log', randomBytes(3 * PIECE));
    await alice.does('upload_file', source, GROUP);
    writeFileSync(source, randomBytes(3 * PIECE));
    const { id } = await slowDownload(bob, 'log', 0);
    const gone = await alice.until(() =>
      [...alice.transfers.values()].find(({ name, state }) => name === 'log' && state === 'gone'),
    );
    assert.equal(gone.error?.code, 'fileChanged');
    assert.equal((await bob.until(() => bob.transfers.get(id))).heldPieces, 0);
    // Shared again it is a new version, and whoever waits for the old one is not given the new
    // bytes under its name.
    await alice.does('upload_file', source, GROUP);
    const folder = processes.makeFolder('new-version');
    await bob.does('download_file', GROUP, 'log', folder);
    assert.equal(sha256(path.join(folder, 'log')), sha256(source));
  });

  it('keeps trackers that work when it is told of one that does not', async () => {
    const wrong = await alice.cli('--tracker', '127.0.0.1:1', 'list_groups');
    assert.equal(wrong.code, 7, wrong.stderr);
    assert.match(await alice.does('list_groups'), new RegExp(GROUP));
  });

  it('never overwrites anything', async () => {
    await alice.does('upload_file', makeFile('data.csv', randomBytes(100)), GROUP);
    const folder = processes.makeFolder('mine');
    writeFileSync(path.join(folder, 'data.csv'), 'mine');
    const refused = await bob.cli('download_file', GROUP, 'data.csv', folder);
    assert.equal(refused.code, 1, refused.stderr);
    assert.match(refused.stderr, /exists already/);
    await bob.does('download_file', GROUP, 'data.csv', folder, '--rename');
    assert.equal(readFileSync(path.join(folder, 'data.csv'), 'utf8'), 'mine');
    assert.equal(sha256(path.join(folder, 'data (2).csv')), sha256(path.join(processes.folder, 'source', 'data.csv')));
  });

  it('says what is wrong, and what to do, for every mistake', async () => {
    const file = makeFile('x', randomBytes(10));
    await alice.does('upload_file', file, GROUP);
    const gone = path.join(processes.folder, 'gone');
    const evil = makeFile('evil\u202Egpj.exe', randomBytes(10));
    const mistakes: readonly (readonly [RealEngine, readonly string[], number, RegExp])[] = [
      [bob, ['list_files', 'nowhere'], 4, /no group nowhere/],
      [bob, ['download_file', GROUP, 'nothing'], 4, /no file nothing/],
      [bob, ['upload_file', gone, GROUP], 4, /no file/],
      [bob, ['upload_file', '/dev/null', GROUP], 2, /neither a regular file nor a folder/],
      [bob, ['create_group', GROUP], 3, /taken/],
      [bob, ['create_group', 'a b'], 2, /cannot be used as a name/],
      [bob, ['create_user', 'ALICE'], 3, /taken/],
      [bob, ['accept_request', GROUP, 'carol'], 3, /owner/],
      [bob, ['join_group', GROUP], 3, /member of harbour already/],
      [bob, ['login', 'bob'], 3, /signed in as bob/],
      [bob, ['stop_share', GROUP, 'x'], 3, /do not share/],
      [bob, ['frobnicate'], 2, /./],
      [bob, ['download_file', GROUP, 'x', path.join(file, 'below-a-file', 'x')], 1, /cannot be written/],
      [bob, ['upload_file', evil, GROUP], 2, /cannot be shared/],
      [alice, ['remove_member', GROUP, 'nobody'], 4, /no user nobody/],
      [alice, ['accept_request', GROUP, 'bob'], 4, /no waiting request/],
    ];
    for (const [who, args, code, words] of mistakes) {
      const ran = await who.cli(...args);
      assert.equal(ran.code, code, `${args.join(' ')}: ${ran.stderr}`);
      assert.match(ran.stderr, words, args.join(' '));
      assert.doesNotMatch(ran.stderr, /\n\s+at /, 'no stack');
    }
    await bob.does('logout');
    const wrong = await processes.run(
      path.join(import.meta.dirname, '../../dist/engine.js'),
      ['--home', bob.home.folder, 'login', 'bob'],
      { env: { SHOAL_PASSWORD: 'not the password' } },
    );
    assert.equal(wrong.code, 3);
    assert.match(wrong.stderr, /user name or password is wrong/);
    await Promise.all([pair.kill(1), pair.kill(2)]);
    const down = await alice.cli('list_groups');
    assert.equal(down.code, 7, down.stderr);
  });
});
