// The folders of a realm and of its trackers, on a simulated disk.
import assert from 'node:assert/strict';
import { isShoalError } from '../../../protocol/base/errors.ts';
import type { Disk } from '../../../protocol/base/world.ts';
import {
  classicRealm,
  readLastRun,
  makeRealm,
  saveLastRun,
  readConfig,
  readTrackerInfo,
  trackerFolder,
} from '../../../tracker/admin/config.ts';
import { simulate } from '../../support/simulation/simulatedWorld.ts';
import { SeededChance } from '../../support/simulation/seededChance.ts';

const ONE = { host: 'a', port: 7070 };
const TWO = { host: 'b.example.org', port: 7071 };
const fails =
  (code: string, why: RegExp) =>
  (error: unknown): boolean =>
    isShoalError(error) && error.code === code && why.test(error.message);

describe('the folder of a tracker', () => {
  const onDisk = (body: (disk: Disk) => Promise<void>) => (): Promise<void> =>
    simulate(1, async (sim) => {
      const { disk } = sim.machine('host').world;
      await disk.makeFolder('/d');
      await body(disk);
    });
  const write = (disk: Disk, file: string, text: string): Promise<void> => disk.replaceFile(file, Buffer.from(text));
  const fieldsOf = async (disk: Disk, file: string): Promise<Record<string, unknown>> =>
    JSON.parse((await disk.readFile(file)).toString()) as Record<string, unknown>;

  it(
    'of a pair knows who it is and who the other is',
    onDisk(async (disk) => {
      const { url, folders } = await makeRealm(disk, '/d/r', [ONE, TWO]);
      assert.match(url, /^shoal:\/\/[a-z2-7]{52}@a:7070,b\.example\.org:7071$/);
      const [one, two] = await Promise.all(folders.map((folder) => readConfig(disk, folder)));
      assert.deepEqual([one?.number, two?.number, one?.realm], [1, 2, two?.realm]);
      assert.deepEqual(
        one?.descriptor.trackers.map(({ pin }) => pin),
        [one?.identity.pin, two?.identity.pin],
      );
      assert.notEqual(one?.identity.pin, two?.identity.pin);
    }),
  );
  it(
    'carries a format number in every file, and no secret of another',
    onDisk(async (disk) => {
      await makeRealm(disk, '/d/r', [ONE, TWO]);
      const all = await Promise.all(
        ['realm.json', 'tracker-1/tracker.json', 'tracker-2/tracker.json'].map((name) =>
          fieldsOf(disk, `/d/r/${name}`),
        ),
      );
      assert.deepEqual(
        all.map(({ format }) => format),
        [1, 1, 1],
      );
      assert.equal(new Set(all.map(({ key }) => key)).size, 3);
    }),
  );
  it(
    'is not made twice',
    onDisk(async (disk) => {
      await makeRealm(disk, '/d/r', [ONE]);
      await assert.rejects(makeRealm(disk, '/d/r', [ONE]), fails('badRealmFolder', /made there already/));
      await assert.rejects(makeRealm(disk, '/d/s', []), fails('usage', /one or 2/));
      await assert.rejects(makeRealm(disk, '/d/s', [ONE, TWO, ONE]), fails('usage', /one or 2/));
    }),
  );
  it(
    'may be named by the realm’s when there is one only',
    onDisk(async (disk) => {
      await makeRealm(disk, '/d/single', [ONE]);
      await makeRealm(disk, '/d/pair', [ONE, TWO]);
      assert.equal(await trackerFolder(disk, '/d/single'), '/d/single/tracker-1');
      assert.equal(await trackerFolder(disk, '/d/pair/tracker-2'), '/d/pair/tracker-2');
      await assert.rejects(trackerFolder(disk, '/d/pair'), fails('badRealmFolder', /tracker-1 or tracker-2/));
    }),
  );
  const damages: readonly (readonly [string, string, RegExp, (fields: Record<string, unknown>) => unknown])[] = [
    ['has no format', 'newerFormat', /undefined/, ({ format: _, ...rest }) => rest],
    ['is of a newer program', 'newerFormat', /format 9/, (fields) => ({ ...fields, format: 9 })],
    ['lacks its key', 'badRealmFolder', /key is missing/, ({ key: _, ...rest }) => rest],
    ['has a key of another tracker', 'badRealmFolder', /not in the list/, (fields) => ({ ...fields, number: 2 })],
    ['has another list', 'badRealmFolder', /not signed/, (fields) => ({ ...fields, signature: fields['ticketKey'] })],
    ['is no object', 'badRealmFolder', /./, () => null],
  ];
  for (const [what, code, why, change] of damages) {
    it(
      `is refused when it ${what}`,
      onDisk(async (disk) => {
        const {
          folders: [folder = ''],
        } = await makeRealm(disk, '/d/r', [ONE, TWO]);
        const file = `${folder}/tracker.json`;
        await write(disk, file, JSON.stringify(change(await fieldsOf(disk, file))));
        await assert.rejects(readConfig(disk, folder), fails(code, why));
      }),
    );
  }
  it(
    'is refused when it is none',
    onDisk(async (disk) => {
      await assert.rejects(
        readConfig(disk, '/d/nothing'),
        fails('badRealmFolder', /make a realm with shoal-tracker init/),
      );
      await write(disk, '/d/tracker.json', '{"format": 1');
      await assert.rejects(readConfig(disk, '/d'), fails('badRealmFolder', /JSON/));
    }),
  );
  it(
    'remembers its last run',
    onDisk(async (disk) => {
      assert.equal(await readLastRun(disk, '/d'), undefined);
      await saveLastRun(disk, '/d', { address: ONE, logIsWhole: false });
      assert.deepEqual(await readLastRun(disk, '/d'), { address: ONE, logIsWhole: false });
    }),
  );

  describe('made of a tracker_info.txt', () => {
    const texts: readonly (readonly [string, string, readonly string[] | RegExp])[] = [
      ['two lines', 'a:1\nb:2\n', ['a:1', 'b:2']],
      ['one', 'a:1', ['a:1']],
      ['comments, empty lines and the line ends of Windows', '# ours\r\n\r\n a:1  # first\r\nb:2', ['a:1', 'b:2']],
      ['host and port apart', 'a 1', ['a:1']],
      ['IPv6', '[::1]:7070', ['::1:7070']],
      ['a port that is none', 'a:1\nb:x', /line 2: b:x is not host:port/],
      ['no port', 'a', /line 1: a is not host:port/],
      ['nothing', '\n', /names 0 trackers/],
      ['three', 'a:1\nb:2\nc:3', /names 3 trackers/],
    ];
    for (const [what, text, expected] of texts) {
      it(
        `${what}: ${Array.isArray(expected) ? expected.join(' ') : 'says so'}`,
        onDisk(async (disk) => {
          await write(disk, '/d/t.txt', text);
          const read = readTrackerInfo(disk, '/d/t.txt');
          if (expected instanceof RegExp) await assert.rejects(read, fails('usage', expected));
          else {
            assert.deepEqual(
              (await read).map(({ host, port }) => `${host}:${port}`),
              expected,
            );
          }
        }),
      );
    }
    it(
      'that is not there: says so',
      onDisk(async (disk) => assert.rejects(readTrackerInfo(disk, '/d/no.txt'), fails('usage', /ENOENT/))),
    );
    it(
      'is one realm, however many make it at once, and leaves nothing else',
      onDisk(async (disk) => {
        await write(disk, '/d/t.txt', 'a:1\nb:2');
        const folders = await Promise.all(
          [1, 2, 3].map((seed) => classicRealm(disk, new SeededChance(seed), '/d/t.txt')),
        );
        assert.deepEqual(folders, ['/d/t.realm', '/d/t.realm', '/d/t.realm']);
        assert.deepEqual((await disk.listFolder('/d')).toSorted(), ['t.realm', 't.txt']);
        const [one, two] = await Promise.all(
          ['tracker-1', 'tracker-2'].map((name) => readConfig(disk, `/d/t.realm/${name}`)),
        );
        assert.equal(one?.realm, two?.realm);
      }),
    );
    it(
      'is not used when the file has changed',
      onDisk(async (disk) => {
        await write(disk, '/d/t.txt', 'a:1');
        await classicRealm(disk, new SeededChance(1), '/d/t.txt');
        await write(disk, '/d/t.txt', 'a:2');
        await assert.rejects(
          classicRealm(disk, new SeededChance(1), '/d/t.txt'),
          fails('badRealmFolder', /made for a:1, but .* now names a:2/),
        );
      }),
    );
  });
});
