// What windows are shown of a swarm, from engines that really exchange a file on simulated
// machines: how it stands with every piece, who gives how much, and who last had what nobody has
// any more.
import assert from 'node:assert/strict';
import type { Simulation } from '../support/simulation/simulatedWorld.ts';
import { simulate } from '../support/simulation/simulatedWorld.ts';
import type { SwarmView } from '../../protocol/messages/swarmView.ts';
import { slowReasons } from '../../protocol/frontend/slowReasons.ts';
import type { Person } from './town.ts';
import { NO_CALL, Town } from './town.ts';

const PIECE = 512 * 1024;
const KEEP = {
  listenHost: undefined,
  listenPort: undefined,
  keepSharing: undefined,
  activeDownloads: undefined,
} as const;

describe('the view of a swarm', function () {
  this.timeout(60_000);
  const story = (
    title: string,
    tell: (sim: Simulation, town: Town, alice: Person, bob: Person, carol: Person) => Promise<void>,
  ): void => {
    for (const seed of [1, 2]) {
      it(`${title} (seed ${seed})`, () =>
        simulate(seed, async (sim) => {
          const town = await Town.build(sim);
          const [alice, bob, carol] = [
            await town.person('alice'),
            await town.person('bob'),
            await town.person('carol'),
          ];
          await town.group(alice, bob, carol);
          await tell(sim, town, alice, bob, carol);
        }));
    }
  };
  const limit = async (
    person: Person,
    downLimitBytesPerS: number | undefined,
    upLimitBytesPerS: number | undefined,
  ): Promise<void> =>
    void (await person.engine.handlers.configure({ ...KEEP, downLimitBytesPerS, upLimitBytesPerS }, NO_CALL));
  const view = (person: Person, transfer: number): SwarmView =>
    person.engine.swarm(transfer) ?? assert.fail('no such transfer');
  const whys = (person: Person, transfer: number): readonly string[] =>
    slowReasons(
      person.engine.transfer(transfer) ?? assert.fail('gone'),
      person.engine.overview(),
      view(person, transfer),
    ).map(({ is }) => is);
  const peersOf = (person: Person, transfer: number): readonly string[] =>
    view(person, transfer)
      .peers.map(({ user, state }) => `${user} ${state}`)
      .sort();

  story('says how it stands with every piece, who sends and what holds it up', async (sim, _, alice, bob) => {
    await limit(bob, PIECE, undefined);
    await alice.write('/data.bin', sim.chance.bytes(20 * PIECE - 77));
    await alice.share('/data.bin');
    const download = await bob.download('data.bin');
    await sim.until(() => view(bob, download).heldPieces >= 5);
    const { cells, cellPieces, ...now } = view(bob, download);
    assert.equal(cellPieces, 1);
    assert.equal(
      now.heldPieces + now.requestedPieces + now.verifyingPieces + now.missingPieces + now.unwantedPieces,
      20,
    );
    assert.equal(
      cells.held.reduce((sum, held) => sum + held, 0),
      now.heldPieces,
    );
    assert.deepEqual(
      [...cells.peers],
      Array.from({ length: 20 }, () => 1),
    );
    assert.equal(now.nowhere, undefined);
    const peer = now.peers[0] ?? assert.fail('nobody');
    assert.deepEqual(
      [peer.user, peer.state, peer.pieces, peer.gaveBytes],
      ['alice', 'giving', 20, now.heldPieces * PIECE],
    );
    assert.ok(peer.downBytesPerS > PIECE / 3 && peer.downBytesPerS < 2 * PIECE, String(peer.downBytesPerS));
    assert.deepEqual(whys(bob, download), ['downLimit']);
    const share = alice.engine.transfers()[0]?.id ?? assert.fail('no share');
    const [taker] = view(alice, share).peers;
    assert.deepEqual([taker?.user, taker?.state], ['bob', 'taking']);
    assert.ok(taker && taker.tookBytes >= now.heldPieces * PIECE && taker.upBytesPerS > 0);
    assert.deepEqual(whys(alice, share), ['takers']);
    await limit(bob, 0, undefined);
    await bob.whole(download);
  });

  story(
    'says of a download that stands still what is missing everywhere, and who had it',
    async (sim, _, alice, bob, carol) => {
      await limit(alice, undefined, PIECE);
      await alice.write('/data.bin', sim.chance.bytes(20 * PIECE));
      await alice.share('/data.bin');
      const downloads = [await bob.download('data.bin'), await carol.download('data.bin')];
      const [ofBob = -1, ofCarol = -1] = downloads;
      await sim.until(() => view(bob, ofBob).heldPieces >= 3 && view(carol, ofCarol).heldPieces >= 3);
      const leftAtMs = alice.machine.world.clock.now();
      await alice.engine.handlers.signOut({}, NO_CALL);
      await sim.until(
        () =>
          bob.engine.transfer(ofBob)?.nowhere !== undefined && carol.engine.transfer(ofCarol)?.nowhere !== undefined,
        600_000,
      );
      const transfer = bob.engine.transfer(ofBob) ?? assert.fail('gone');
      const { nowhere } = transfer;
      assert.equal(nowhere?.pieces, 20 - transfer.heldPieces);
      assert.deepEqual([nowhere.lastHad?.user, nowhere.lastHad?.pieces], ['alice', nowhere.pieces]);
      assert.ok(Math.abs((nowhere.lastHad?.atMs ?? 0) - leftAtMs) < 60_000);
      assert.deepEqual(view(bob, ofBob).nowhere, nowhere);
      assert.deepEqual(whys(bob, ofBob), ['nowhere']);
      assert.deepEqual(peersOf(bob, ofBob), ['alice left', 'carol idle']);
      // The pieces that both got are with both now, and what neither has, with nobody.
      assert.deepEqual(carol.engine.transfer(ofCarol)?.heldPieces, transfer.heldPieces);
      const { cells } = view(bob, ofBob);
      assert.deepEqual([...cells.held], [...view(carol, ofCarol).cells.held]);
      assert.deepEqual(
        [...cells.nowhere],
        [...cells.held].map((held) => 1 - held),
      );

      await carol.engine.handlers.signOut({}, NO_CALL);
      await sim.until(() => bob.engine.transfer(ofBob)?.state === 'waiting', 600_000);
      await sim.until(() => whys(bob, ofBob).join() === 'nobody'); // the trackers no longer name carol
      assert.equal(bob.engine.transfer(ofBob)?.nowhere?.lastHad?.user, 'alice');
    },
  );

  story('forgets who had it when that one is back', async (sim, _, alice, bob) => {
    await limit(alice, undefined, PIECE);
    await alice.write('/data.bin', sim.chance.bytes(8 * PIECE));
    await alice.share('/data.bin');
    const download = await bob.download('data.bin');
    await sim.until(() => view(bob, download).heldPieces >= 2);
    await alice.engine.close();
    await sim.until(() => bob.engine.transfer(download)?.state === 'waiting', 600_000);
    assert.equal(bob.engine.transfer(download)?.nowhere?.lastHad?.user, 'alice');
    await alice.start();
    await limit(alice, undefined, 0);
    await bob.whole(download);
    assert.equal(bob.engine.transfer(download)?.nowhere, undefined);
    assert.deepEqual(
      view(bob, download).peers.filter(({ state }) => state === 'left'),
      [],
    );
  });
});
