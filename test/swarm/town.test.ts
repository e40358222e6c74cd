// Whole towns under a seed: the product's trackers and engines on simulated machines, where
// anything may happen to network and programs.
import assert from 'node:assert';
import { simulate } from '../support/simulation/simulatedWorld.ts';
import { Town } from './town.ts';

const PIECE = 512 * 1024;
/** Seeds of every story; one that ever failed stays here for good. */
const SEEDS = [1, 2, 3];

function story(title: string, tell: Parameters<typeof simulate>[1]): void {
  for (const seed of SEEDS) it(`${title} (seed ${seed})`, () => simulate(seed, tell));
}

describe('a town', function () {
  this.timeout(60_000);

  story('carries a file to three people at once, who help each other', async (sim) => {
    const town = await Town.build(sim);
    const alice = await town.person('alice');
    const others = [await town.person('bob'), await town.person('carol'), await town.person('dave')];
    await town.group(alice, ...others);
    const bytes = sim.chance.bytes(6 * PIECE + 99);
    await alice.write('/file', bytes);
    await alice.share('/file');
    const downloads = await Promise.all(others.map((one) => one.download('file')));
    for (const [n, one] of others.entries()) {
      const { path } = await one.whole(downloads[n] ?? -1);
      assert.ok(bytes.equals(await one.read(path)));
      assert.equal(
        [...(await one.sources(downloads[n] ?? -1)).values()].reduce((sum, count) => sum + count, 0),
        7,
      );
    }
  });

  story('tells of a request its group’s owner, and of the answer who asked, and nobody else anything', async (sim) => {
    const town = await Town.build(sim);
    const [alice, bob, carol] = [await town.person('alice'), await town.person('bob'), await town.person('carol')];
    const told: string[] = [];
    for (const one of [alice, bob, carol]) {
      one.engine.onEvent(({ what, user }) => told.push(`${one.name}: ${what} ${user}`.trimEnd()));
    }
    await town.group(alice, bob, carol);
    assert.deepEqual(told, [
      'alice: requestReceived bob',
      'bob: accepted',
      'alice: requestReceived carol',
      'carol: accepted',
    ]);
  });

  story('takes a tracker of which the address alone is known only when its realm was confirmed', async (sim) => {
    const town = await Town.build(sim);
    const eve = await town.stranger('eve');
    const set = (url: string, confirm: boolean): Promise<{ url: string; firstUse: boolean }> =>
      Promise.resolve(eve.engine.handlers.setTracker({ url, confirm }, { signal: new AbortController().signal }));
    const { host } = sim.machine('tracker-1');
    const told = new Set<string>();
    eve.engine.onChange(() => told.add(eve.engine.overview().trackerUrl));
    for (let n = 0; n < 6; n++) {
      const { url, firstUse } = await set(`${host}:7070`, true);
      assert.deepEqual(
        [firstUse, url.endsWith(`@${host}:7070`), eve.engine.overview().trackerUrl],
        [true, true, ''],
        'asked again: nothing was kept',
      );
    }
    assert.equal(await eve.machine.world.disk.stat('/home/tracker.json'), undefined);
    assert.deepEqual([...told], [''], 'and nothing was shown of it');
    const { url } = await set(`${host}:7070`, true);
    assert.deepEqual(await set(url, false), { url, firstUse: false });
    assert.equal(eve.engine.overview().trackerUrl, url);
    await assert.rejects(
      set(
        url.replace(/\/\/[a-z2-7]/, (start) => (start === '//a' ? '//b' : '//a')),
        false,
      ),
      { code: 'wrongRealm' },
    );
    assert.equal(eve.engine.overview().trackerUrl, url, 'those that work stay');
    await sim.advance(5_000);
    const { trackers } = eve.engine.overview();
    assert.deepEqual(
      trackers.map(({ link }) => link),
      ['up', 'up'],
    );
    assert.equal(trackers.filter(({ inUse }) => inUse).length, 1, 'one that was only tried is not in use');
  });

  story('goes on while both trackers are dead', async (sim) => {
    const town = await Town.build(sim);
    const [alice, bob] = [await town.person('alice'), await town.person('bob')];
    await town.group(alice, bob);
    const bytes = sim.chance.bytes(8 * PIECE);
    await alice.write('/file', bytes);
    await alice.share('/file');
    await bob.engine.handlers.configure(
      {
        downLimitBytesPerS: PIECE,
        upLimitBytesPerS: undefined,
        listenHost: undefined,
        listenPort: undefined,
        keepSharing: undefined,
        activeDownloads: undefined,
      },
      { signal: new AbortController().signal },
    );
    const download = await bob.download('file');
    await sim.until(() => (bob.engine.transfer(download)?.heldPieces ?? 0) > 0);
    town.killTracker(0);
    town.killTracker(1);
    const { path } = await bob.whole(download);
    assert.ok(bytes.equals(await bob.read(path)));
  });

  story('keeps to the limits of one file in both directions, while others are as fast as ever', async (sim) => {
    const town = await Town.build(sim);
    const [alice, bob] = [await town.person('alice'), await town.person('bob')];
    await town.group(alice, bob);
    const unchanged = {
      downLimitBytesPerS: undefined,
      upLimitBytesPerS: undefined,
      mode: undefined,
      priority: undefined,
      move: undefined,
      moveTo: undefined,
    } as const;
    const names = ['down', 'up', 'free'];
    for (const name of names) {
      await alice.write(`/${name}`, sim.chance.bytes(10 * PIECE));
      await alice.share(`/${name}`);
    }
    const share = alice.engine.transfers().find(({ name }) => name === 'up');
    assert.ok(share);
    const adjust = async (
      { engine }: typeof alice,
      transfer: number,
      changes: Partial<Parameters<typeof engine.handlers.adjust>[0]>,
    ): Promise<void> =>
      void (await engine.handlers.adjust(
        { ...unchanged, ...changes, transfer },
        { signal: new AbortController().signal },
      ));
    await adjust(alice, share.id, { upLimitBytesPerS: PIECE });
    const began = sim.nowMs;
    const [down = -1, up = -1, free = -1] = await Promise.all(names.map((name) => bob.download(name)));
    await adjust(bob, down, { downLimitBytesPerS: PIECE / 2 });
    // None of these changes anything.
    for (const alsoOwn of [{ priority: 'high' }, { move: 'top' }] as const) {
      await assert.rejects(adjust(bob, down, { moveTo: free, ...alsoOwn }), { code: 'usage' });
    }
    await assert.rejects(adjust(bob, down, { downLimitBytesPerS: 1, moveTo: 999 }), { code: 'unknownDownload' });
    await assert.rejects(adjust(alice, share.id, { moveTo: share.id }), { code: 'usage' });
    const took: number[] = [];
    for (const transfer of [free, up, down]) {
      await bob.whole(transfer);
      took.push((sim.nowMs - began) / 1000);
    }
    const [freeS = 0, upS = 0, downS = 0] = took;
    assert.ok(freeS < 8 && upS > 8 && upS < 14 && downS > 12 && downS < 26, `took ${took.join(', ')} s`);
  });

  story('lets somebody whom nobody can dial serve all the same', async (sim) => {
    const town = await Town.build(sim);
    const [alice, bob] = [await town.person('alice', { cannotListen: true }), await town.person('bob')];
    assert.deepEqual(alice.engine.overview().listening, []);
    await town.group(alice, bob);
    const bytes = sim.chance.bytes(3 * PIECE);
    await alice.write('/file', bytes);
    await alice.share('/file');
    const { path } = await bob.whole(await bob.download('file'));
    assert.ok(bytes.equals(await bob.read(path)));
  });

  story('finishes when the only seeder leaves after one copy is out', async (sim) => {
    const town = await Town.build(sim);
    const [alice, bob, carol] = [await town.person('alice'), await town.person('bob'), await town.person('carol')];
    await town.group(alice, bob, carol);
    const bytes = sim.chance.bytes(5 * PIECE);
    await alice.write('/file', bytes);
    await alice.share('/file');
    await bob.whole(await bob.download('file'));
    alice.machine.kill();
    const download = await carol.download('file');
    const { path } = await carol.whole(download);
    assert.ok(bytes.equals(await carol.read(path)));
    assert.deepEqual([...(await carol.sources(download))], [['bob', 5]]);
  });

  story('takes what power cuts leave of a download, and the rest anew', async (sim) => {
    const town = await Town.build(sim);
    const [alice, bob] = [await town.person('alice'), await town.person('bob')];
    await town.group(alice, bob);
    const bytes = sim.chance.bytes(8 * PIECE + 5);
    await alice.write('/file', bytes);
    await alice.share('/file');
    await bob.engine.handlers.configure(
      {
        downLimitBytesPerS: 2 * PIECE,
        upLimitBytesPerS: undefined,
        listenHost: undefined,
        listenPort: undefined,
        keepSharing: undefined,
        activeDownloads: undefined,
      },
      { signal: new AbortController().signal },
    );
    const download = await bob.download('file');
    for (let cut = 0; cut < 3; cut++) {
      await sim.until(
        () =>
          (bob.engine.transfer(download)?.heldPieces ?? 0) > 1 || bob.engine.transfer(download)?.state === 'seeding',
      );
      bob.machine.powerCut();
      bob.machine.start();
      await bob.start();
    }
    const { path } = await bob.whole(download);
    assert.ok(bytes.equals(await bob.read(path)));
  });
});
