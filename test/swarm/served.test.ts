// Who downloads from whom, as an engine tells it: while it goes on, when it is over, and when the
// engine left in the middle of it.
import assert from 'node:assert';
import type { Downloader, Overview } from '../../protocol/messages/engineLink.ts';
import type { Simulation } from '../support/simulation/simulatedWorld.ts';
import { simulate } from '../support/simulation/simulatedWorld.ts';
import type { Person } from './town.ts';
import { GROUP, NO_CALL, Town } from './town.ts';

const PIECE = 512 * 1024;

const words = (downloaders: readonly Downloader[]): readonly string[] =>
  downloaders.map(({ user, group, name }) => `${user}: ${name} in ${group}`).sort();

describe('who downloads from me', function () {
  this.timeout(60_000);

  const story = (
    title: string,
    tell: (sim: Simulation, town: Town, alice: Person, bob: Person) => Promise<void>,
  ): void => {
    for (const seed of [1, 2, 3]) {
      it(`${title} (seed ${seed})`, () =>
        simulate(seed, async (sim) => {
          const town = await Town.build(sim);
          const [alice, bob] = [await town.person('alice'), await town.person('bob')];
          await town.group(alice, bob);
          for (const name of ['big.bin', 'other.bin']) {
            await alice.write(`/${name}`, sim.chance.bytes(8 * PIECE));
            await alice.share(`/${name}`);
          }
          await bob.engine.handlers.configure({ ...UNSET, downLimitBytesPerS: PIECE / 4 }, NO_CALL);
          await tell(sim, town, alice, bob);
        }));
    }
  };
  const UNSET = {
    downLimitBytesPerS: undefined,
    upLimitBytesPerS: undefined,
    listenHost: undefined,
    listenPort: undefined,
    keepSharing: undefined,
    activeDownloads: undefined,
  };

  story('is told by name and file while it goes on, and not any more when it is over', async (sim, _, alice, bob) => {
    const told: Overview[] = [];
    alice.engine.onChange(({ overview }) => overview && told.push(alice.engine.overview()));
    assert.deepEqual(alice.engine.overview().served, []);
    const downloads = [await bob.download('big.bin'), await bob.download('other.bin')];
    await sim.until(() => alice.engine.overview().served.length === 2);
    assert.deepEqual(words(alice.engine.overview().served), [`bob: big.bin in ${GROUP}`, `bob: other.bin in ${GROUP}`]);
    for (const download of downloads) await bob.whole(download);
    await sim.until(() => alice.engine.overview().served.length === 0);
    await sim.until(() => told.at(-1)?.served.length === 0);
    assert.ok(
      told.some(({ served }) => served.some(({ bytesPerS }) => bytesPerS > 0)),
      'no rate was ever told',
    );
  });

  story('ends when the download is paused or the other machine is gone', async (sim, _, alice, bob) => {
    const download = await bob.download('big.bin');
    await sim.until(() => alice.engine.overview().served.length === 1);
    await bob.engine.handlers.pause({ transfer: download }, NO_CALL);
    await sim.until(() => alice.engine.overview().served.length === 0);
    await bob.engine.handlers.resume({ transfer: download }, NO_CALL);
    await sim.until(() => alice.engine.overview().served.length === 1);
    bob.machine.kill();
    await sim.until(() => alice.engine.overview().served.length === 0);
  });

  story('is kept when the engine leaves because nobody holds it, and told once', async (sim, _, alice, bob) => {
    await bob.download('big.bin');
    await sim.until(() => alice.engine.overview().served.length === 1);
    const cutOff = async (): Promise<readonly string[]> =>
      words((await alice.engine.handlers.takeCutOff({}, NO_CALL)).downloaders);
    await alice.engine.close({ isUnheld: true });
    await alice.start();
    await alice.engine.close({ isUnheld: true }); // nobody was served this time; it has not been told yet
    await alice.start();
    const told = await Promise.all([cutOff(), cutOff()]); // two windows that open at once
    assert.deepEqual(told.flat(), [`bob: big.bin in ${GROUP}`]);
    assert.deepEqual(await cutOff(), []);
    await sim.until(() => alice.engine.overview().served.length === 1);
    await alice.engine.close(); // this time somebody wanted it
    await alice.start();
    assert.deepEqual(await cutOff(), []);
  });

  story('keeps no engine from leaving, when it cannot be kept or read', async (sim, _, alice, bob) => {
    await bob.download('big.bin');
    await sim.until(() => alice.engine.overview().served.length === 1);
    alice.machine.disk.fault = (call, path) => (path.includes('cut-off') ? 'ENOSPC' : undefined);
    await alice.engine.close({ isUnheld: true });
    alice.machine.disk.fault = undefined;
    assert.deepEqual(alice.engine.transfers(), [], 'it has closed everything');
    await alice.write('/home/cut-off.json', Buffer.from('{ half'));
    await alice.start();
    assert.deepEqual((await alice.engine.handlers.takeCutOff({}, NO_CALL)).downloaders, []);
  });
});
