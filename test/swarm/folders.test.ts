// Folders from one machine to another: the product's own engines on simulated machines.
import assert from 'node:assert';
import path from 'node:path';
import type { Simulation } from '../support/simulation/simulatedWorld.ts';
import { simulate } from '../support/simulation/simulatedWorld.ts';
import type { Transfer } from '../../protocol/messages/engineLink.ts';
import type { Person } from './town.ts';
import { GROUP, NO_CALL, Town } from './town.ts';

type Files = ReadonlyMap<string, Buffer>;

/**
 * Hundreds of small files and a few large ones, some empty, some deep, some with names of
 * elsewhere.
 */
function manyFiles(sim: Simulation, count: number): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  for (let n = 0; n < count; n++) {
    const folder = ['', 'src/', 'src/deep/er/', 'Bücher/', '写真/2026/'][n % 5] ?? '';
    files.set(
      `${folder}file ${n}.bin`,
      sim.chance.bytes(n % 11 === 0 ? 0 : n % 50 === 7 ? 700_000 : 100 + ((n * 37) % 3000)),
    );
  }
  return files;
}

async function writeFolder(person: Person, folder: string, files: Files): Promise<void> {
  const { disk } = person.machine.world;
  for (const [name, bytes] of files) {
    await disk.makeFolder(path.posix.dirname(`${folder}/${name}`));
    await person.write(`${folder}/${name}`, bytes);
  }
}

async function readFolder(person: Person, folder: string, below = ''): Promise<Map<string, Buffer>> {
  const { disk } = person.machine.world;
  const files = new Map<string, Buffer>();
  for (const name of [...(await disk.listFolder(path.posix.join(folder, below)))].sort()) {
    const inside = path.posix.join(below, name);
    const stat = await disk.stat(path.posix.join(folder, inside));
    if (stat?.kind === 'folder') {
      for (const [deeper, bytes] of await readFolder(person, folder, inside)) files.set(deeper, bytes);
    } else files.set(inside, await person.read(path.posix.join(folder, inside)));
  }
  return files;
}

const sorted = (files: Files): readonly (readonly [string, string])[] =>
  [...files].map(([name, bytes]) => [name, bytes.toString('hex')] as const).sort(([a], [b]) => (a < b ? -1 : 1));

describe('a folder', function () {
  this.timeout(120_000);

  const story = (
    title: string,
    tell: (sim: Simulation, town: Town, alice: Person, bob: Person) => Promise<void>,
    seeds: readonly number[] = [1, 2],
  ): void => {
    for (const seed of seeds) {
      it(`${title} (seed ${seed})`, () =>
        simulate(seed, async (sim) => {
          const town = await Town.build(sim);
          const [alice, bob] = [await town.person('alice'), await town.person('bob')];
          await town.group(alice, bob);
          await tell(sim, town, alice, bob);
        }));
    }
  };
  const limit = (person: Person, downLimitBytesPerS: number): void =>
    void person.engine.handlers.configure(
      {
        downLimitBytesPerS,
        upLimitBytesPerS: undefined,
        listenHost: undefined,
        listenPort: undefined,
        keepSharing: undefined,
        activeDownloads: undefined,
      },
      NO_CALL,
    );

  story(
    'is shared without what other programs would trust',
    async (sim, _, alice, bob) => {
      const files = manyFiles(sim, 10);
      await writeFolder(
        alice,
        '/work/project',
        new Map([
          ...files,
          ['.git/config', Buffer.from('x')],
          ['sub/.vscode/tasks.json', Buffer.from('x')],
          ['sub/.git', Buffer.from('gitdir: /')],
        ]),
      );
      await alice.share('/work/project');
      await bob.whole(await bob.download('project'));
      assert.deepEqual(sorted(await readFolder(bob, '/downloads/project')), sorted(files));
    },
    [1],
  );

  story('of 300 files arrives as it is', async (sim, _, alice, bob) => {
    const files = manyFiles(sim, 300);
    await writeFolder(alice, '/work/project', files);
    await alice.share('/work/project');
    const got = await bob.whole(await bob.download('project'));
    assert.deepEqual([got.path, got.content], ['/downloads/project', 'folder']);
    assert.deepEqual(sorted(await readFolder(bob, '/downloads/project')), sorted(files));
    assert.deepEqual(
      await bob.machine.world.disk.listFolder('/downloads/.shoal-part'),
      ['.gitignore'],
      'nothing is left',
    );
  });

  story(
    'comes from whoever has it, after a restart too, and not only from who shared it',
    async (sim, town, alice, bob) => {
      const carol = await town.person('carol');
      await town.letIn(alice, carol);
      const files = manyFiles(sim, 60);
      await writeFolder(alice, '/work/project', files);
      await alice.share('/work/project');
      await bob.whole(await bob.download('project'));
      await bob.engine.close();
      await bob.start();
      alice.machine.kill();
      const download = await carol.download('project');
      await carol.whole(download);
      assert.deepEqual(sorted(await readFolder(carol, '/downloads/project')), sorted(files));
      assert.deepEqual([...(await carol.sources(download)).keys()], ['bob']);
    },
  );

  story('of which one file has changed costs few pieces', async (sim, _, alice, bob) => {
    const files = manyFiles(sim, 100);
    files.set('large.bin', sim.chance.bytes(6 * 1024 * 1024));
    await writeFolder(alice, '/work/project', files);
    await alice.share('/work/project');
    const first = await bob.whole(await bob.download('project'));
    files.set('src/file 1.bin', sim.chance.bytes(files.get('src/file 1.bin')?.length ?? 0));
    await writeFolder(alice, '/work/project', files);
    await alice.share('/work/project');
    const { transfer } = await bob.engine.handlers.download(
      { group: GROUP, name: 'project', path: '/second', asFile: false, rename: false, mode: 'rarest', only: [] },
      NO_CALL,
    );
    const second = await bob.whole(transfer);
    assert.deepEqual(sorted(await readFolder(bob, '/second/project')), sorted(files));
    const fetched = [...(await bob.sources(transfer)).values()].reduce((sum, pieces) => sum + pieces, 0);
    assert.ok(fetched <= 2, `${fetched} of ${first.pieces} pieces fetched`);
    assert.equal(second.ownPieces, second.pieces - fetched);
  });

  story(
    'goes on after power cuts at any time, and is there once',
    async (sim, _, alice, bob) => {
      const files = manyFiles(sim, 120);
      await writeFolder(alice, '/work/project', files);
      await alice.share('/work/project');
      limit(bob, 400_000);
      const download = await bob.download('project');
      for (let cut = 0; cut < 6; cut++) {
        const held = bob.engine.transfer(download)?.heldPieces ?? 0;
        await sim.until(
          () =>
            (bob.engine.transfer(download)?.heldPieces ?? 0) > held ||
            bob.engine.transfer(download)?.state === 'seeding',
        );
        await sim.advance(sim.chance.random() * 50);
        bob.machine.powerCut();
        bob.machine.start();
        await bob.start();
      }
      await bob.whole(download);
      assert.deepEqual(sorted(await readFolder(bob, '/downloads/project')), sorted(files));
      assert.deepEqual(
        (await bob.machine.world.disk.listFolder('/downloads')).filter((name) => name !== '.shoal-part'),
        ['project'],
      );
    },
    [1, 2, 3, 4, 5, 6],
  );

  story('stops being served when a file in it has changed, and says so', async (sim, _, alice, bob) => {
    const files = manyFiles(sim, 20);
    await writeFolder(alice, '/work/project', files);
    await alice.share('/work/project');
    await alice.write('/work/project/file 5.bin', Buffer.from('changed'));
    await bob.download('project');
    await sim.until(() => alice.engine.transfers()[0]?.state === 'gone', 60_000);
    assert.match(alice.engine.transfers()[0]?.error?.text ?? '', /file 5\.bin has changed/);
  });

  story('takes nothing’s place', async (sim, _, alice, bob) => {
    const files = manyFiles(sim, 5);
    await writeFolder(alice, '/work/project', files);
    await alice.share('/work/project');
    await bob.machine.world.disk.makeFolder('/downloads/project');
    await bob.write('/downloads/project/mine', Buffer.from('mine'));
    await assert.rejects(bob.download('project'), { code: 'destinationExists' });
    const { transfer } = await bob.engine.handlers.download(
      { group: GROUP, name: 'project', path: '/downloads', asFile: false, rename: true, mode: 'rarest', only: [] },
      NO_CALL,
    );
    assert.equal((await bob.whole(transfer)).path, '/downloads/project (2)');
    assert.deepEqual([...(await readFolder(bob, '/downloads/project')).keys()], ['mine']);
    assert.deepEqual(sorted(await readFolder(bob, '/downloads/project (2)')), sorted(files));
  });

  story(
    'of which some files were chosen costs only what they take, serves that, and nothing else',
    async (sim, town, alice, bob) => {
      const carol = await town.person('carol');
      await town.letIn(alice, carol);
      const files = manyFiles(sim, 40);
      for (const name of ['a', 'b', 'c']) files.set(`large/${name}.bin`, sim.chance.bytes(6 * 1024 * 1024 + 1));
      await writeFolder(alice, '/work/project', files);
      await alice.share('/work/project');
      const choose = async (person: Person, only: readonly string[]): Promise<Transfer> => {
        const { transfer } = await person.engine.handlers.download(
          { group: GROUP, name: 'project', path: '/downloads', asFile: false, rename: false, mode: 'rarest', only },
          NO_CALL,
        );
        return person.whole(transfer);
      };
      const chosen = (...names: readonly RegExp[]): Files =>
        new Map([...files].filter(([name]) => names.some((one) => one.test(name))));
      const got = await choose(bob, ['large/b.*', 'Bücher', '**/file 1.bin']);
      const bobs = chosen(/^large\/b\.bin$/, /^Bücher\//, /file 1\.bin$/);
      assert.deepEqual(sorted(await readFolder(bob, '/downloads/project')), sorted(bobs));
      assert.ok(got.pieces < 22 && got.heldPieces === got.pieces, `${got.pieces} of 45 pieces or so`);
      await bob.engine.close();
      await bob.start();
      await sim.until(() => bob.engine.transfers()[0]?.state === 'seeding');
      await assert.rejects(choose(bob, ['large/c.bin']), { code: 'destinationExists' });
      assert.equal((await bob.engine.handlers.verify({ transfer: got.id, repair: false }, NO_CALL)).sha256, got.sha256);

      assert.deepEqual(
        [got.sizeBytes, got.doneBytes],
        Array(2).fill([...bobs.values()].reduce((sum, { length }) => sum + length, 0)),
      );
      // Other files of it, to another place: what serves the first ones must not keep the swarm
      // from those that want more.
      const { transfer: more } = await bob.engine.handlers.download(
        {
          group: GROUP,
          name: 'project',
          path: '/more',
          asFile: false,
          rename: false,
          mode: 'rarest',
          only: ['large/c.bin'],
        },
        NO_CALL,
      );
      await bob.whole(more);
      assert.deepEqual(sorted(await readFolder(bob, '/more/project')), sorted(chosen(/^large\/c\.bin$/)));
      const { transfer: all } = await bob.engine.handlers.download(
        { group: GROUP, name: 'project', path: '/all', asFile: false, rename: false, mode: 'rarest', only: [] },
        NO_CALL,
      );
      await bob.whole(all);
      assert.deepEqual(sorted(await readFolder(bob, '/all/project')), sorted(files));
      for (const { id } of bob.engine.transfers().filter(({ id }) => id !== got.id)) {
        await bob.engine.handlers.cancelTransfer({ transfer: id }, NO_CALL);
      }

      // Carol gets from Bob what he has, and the rest from Alice.
      const whole = await choose(carol, ['large']);
      assert.deepEqual(sorted(await readFolder(carol, '/downloads/project')), sorted(chosen(/^large\//)));
      assert.equal(whole.rejectedPieces, 0);
      await assert.rejects(
        Promise.resolve(
          carol.engine.handlers.download(
            {
              group: GROUP,
              name: 'project',
              path: '/else',
              asFile: false,
              rename: false,
              mode: 'rarest',
              only: ['nothing*'],
            },
            NO_CALL,
          ),
        ).then(async ({ transfer }) => {
          await sim.until(() => carol.engine.transfer(transfer)?.state === 'failed');
          throw Object.assign(new Error(), { code: carol.engine.transfer(transfer)?.error?.code });
        }),
        { code: 'unknownFile' },
      );
    },
  );

  story(
    'whose files are chosen out of its list, which comes first and alone, and stays when the engine ends',
    async (sim, _, alice, bob) => {
      const files = manyFiles(sim, 600);
      for (const name of ['a', 'b']) files.set(`large/${name}.bin`, sim.chance.bytes(6 * 1024 * 1024 + 1));
      await writeFolder(alice, '/work/project', files);
      await alice.share('/work/project');
      const listed = async (person: Person, transfer: number): Promise<readonly string[]> => {
        const names: string[] = [];
        for (let more = true; more;) {
          const page = await person.engine.handlers.folderFiles({ transfer, after: names.at(-1) ?? '' }, NO_CALL);
          for (const { path: name, sizeBytes } of page.files) assert.equal(sizeBytes, files.get(name)?.length, name);
          names.push(...page.files.map(({ path: name }) => name));
          more = page.more;
        }
        return names;
      };
      const isChoosing = (): boolean => bob.engine.transfer(transfer)?.state === 'choosing';
      const { transfer } = await bob.engine.handlers.downloadSome(
        { group: GROUP, name: 'project', path: '/downloads', rename: false, mode: 'rarest' },
        NO_CALL,
      );
      await assert.rejects(async () => bob.engine.handlers.folderFiles({ transfer, after: '' }, NO_CALL), {
        code: 'usage',
      });
      await sim.until(isChoosing);
      assert.deepEqual(await listed(bob, transfer), [...files.keys()].sort());
      assert.deepEqual(await listed(alice, alice.engine.transfers()[0]?.id ?? 0), [...files.keys()].sort());
      await bob.engine.handlers.pause({ transfer }, NO_CALL);
      await bob.engine.close();
      await bob.start();
      await sim.until(isChoosing);
      assert.equal(bob.engine.transfer(transfer)?.heldPieces, 1, 'the list is in the first piece');
      await bob.engine.handlers.chooseFiles({ transfer, only: ['large/b.bin', '写真'] }, NO_CALL);
      await assert.rejects(async () => bob.engine.handlers.chooseFiles({ transfer, only: [] }, NO_CALL), {
        code: 'usage',
      });
      await bob.whole(transfer);
      assert.deepEqual(
        sorted(await readFolder(bob, '/downloads/project')),
        sorted(new Map([...files].filter(([name]) => name === 'large/b.bin' || name.startsWith('写真/')))),
      );
      assert.deepEqual(await listed(bob, transfer), [...files.keys()].sort());
    },
  );

  story(
    'is whole or not there at all when the power fails while its files are made',
    async (sim, _, alice, bob) => {
      const files = manyFiles(sim, 50);
      await writeFolder(alice, '/work/project', files);
      await alice.share('/work/project');
      const { disk } = bob.machine.world;
      const download = await bob.download('project');
      const parts = async (): Promise<readonly string[]> =>
        (await disk.stat('/downloads/.shoal-part')) ? disk.listFolder('/downloads/.shoal-part') : [];
      let isMaking = false;
      for (; !isMaking; await sim.advance(1)) {
        isMaking =
          (await parts()).some((name) => name.endsWith('.folder')) ||
          bob.engine.transfer(download)?.state === 'seeding';
      }
      await sim.advance(sim.chance.random() * 40);
      const before = bob.engine.transfer(download)?.state;
      bob.machine.powerCut();
      bob.machine.start();
      const there = await bob.machine.world.disk.stat('/downloads/project');
      if (there) {
        assert.deepEqual(sorted(await readFolder(bob, '/downloads/project')), sorted(files), `whole, ${before}`);
      }
      await bob.start();
      assert.equal((await bob.whole(download)).path, '/downloads/project');
      assert.deepEqual(sorted(await readFolder(bob, '/downloads/project')), sorted(files));
      assert.deepEqual(
        (await bob.machine.world.disk.listFolder('/downloads')).filter((name) => name !== '.shoal-part'),
        ['project'],
      );
      assert.deepEqual(
        (await bob.machine.world.disk.listFolder('/downloads/.shoal-part')).filter((name) => name !== '.gitignore'),
        [],
      );
    },
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
  );

  story(
    'of which some files were chosen goes on after power cuts',
    async (sim, _, alice, bob) => {
      const files = manyFiles(sim, 60);
      files.set('large.bin', sim.chance.bytes(5 * 1024 * 1024));
      await writeFolder(alice, '/work/project', files);
      await alice.share('/work/project');
      limit(bob, 700_000);
      const { transfer } = await bob.engine.handlers.download(
        {
          group: GROUP,
          name: 'project',
          path: '/downloads',
          asFile: false,
          rename: false,
          mode: 'rarest',
          only: ['*.bin'],
        },
        NO_CALL,
      );
      for (let cut = 0; cut < 5; cut++) {
        await sim.advance(200 + sim.chance.random() * 2_000);
        bob.machine.powerCut();
        bob.machine.start();
        await bob.start();
      }
      await bob.whole(transfer);
      assert.deepEqual(
        sorted(await readFolder(bob, '/downloads/project')),
        sorted(new Map([...files].filter(([name]) => !name.includes('/')))),
      );
    },
    [1, 2, 3, 4],
  );

  story('without any file is a folder all the same', async (_sim, _town, alice, bob) => {
    await alice.machine.world.disk.makeFolder('/work/empty');
    await alice.share('/work/empty');
    await bob.whole(await bob.download('empty'));
    assert.deepEqual(await bob.machine.world.disk.listFolder('/downloads/empty'), []);
  });
});
