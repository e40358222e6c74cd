// What may happen to the machines of a pair, for real: trackers are killed and a disk is lost while
// people go on working. test/long has two hundred kills.
import assert from 'node:assert/strict';
import { readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { isShoalError } from '../../protocol/base/errors.ts';
import { createIdentity } from '../../protocol/node/identity.ts';
import type { OperationId, Pin } from '../../protocol/base/ids.ts';
import { createNodeWorld } from '../../protocol/node/nodeWorld.ts';
import { parseRealmUrl } from '../../protocol/messages/realm.ts';
import { silentLog } from '../../protocol/base/world.ts';
import { killAgainAndAgain, nothingLost, paired, status, trackerFolder } from '../support/scenarios/kills.ts';
import { Load } from '../support/scenarios/load.ts';
import { readLog } from '../support/processes/logReader.ts';
import type { RealPair } from '../support/processes/realProcesses.ts';
import { RealProcesses } from '../support/processes/realProcesses.ts';
import { SeededChance } from '../support/simulation/seededChance.ts';
import { Client } from '../support/testRealm.ts';

const KILLS = 20;
/** Another one every time; KILLS_SEED repeats one, as far as real processes can be repeated. */
const SEED = process.env['KILLS_SEED'] ?? String(Date.now() % 1_000_000);

describe('a pair of trackers under load', function () {
  this.timeout(180_000);

  it(`loses nothing that was acknowledged in ${KILLS} kills, and both are equal in the end (KILLS_SEED=${SEED})`, async () => {
    process.stdout.write(`      ${await killAgainAndAgain(KILLS, new SeededChance(SEED))}\n`);
  });

  describe('when a database is deleted', () => {
    let processes: RealProcesses;
    let pair: RealPair;
    let load: Load;
    beforeEach(async () => {
      processes = new RealProcesses();
      pair = await processes.startPair();
      await paired(pair);
      load = await Load.begin(pair.url);
      await load.more(100);
    });
    afterEach(async () => {
      load.stop();
      await processes.close();
    });

    const loseDisk = (n: 1 | 2): ReadonlySet<OperationId> => {
      const folder = trackerFolder(pair, n);
      const lost = new Set(readLog(folder).keys());
      for (const name of readdirSync(folder).filter((each) => each.startsWith('log.sqlite'))) {
        rmSync(path.join(folder, name));
      }
      return lost;
    };
    /** Why a tracker does not serve an engine; undefined when it does. */
    const refusal = async (n: 1 | 2): Promise<string | undefined> => {
      const { realm, addresses } = parseRealmUrl(pair.url);
      const identity = createIdentity();
      const client = new Client(realm as Pin, identity, createNodeWorld({ identity, log: silentLog }));
      try {
        await client.connect(addresses[n - 1] ?? { host: '', port: 0 });
        await client.call('descriptor', {});
        return undefined;
      } catch (error) {
        if (isShoalError(error)) return error.code;
        throw error;
      } finally {
        client.connection.destroy();
      }
    };

    for (const [lost, other] of [
      [1, 2],
      [2, 1],
    ] as const) {
      it(`tracker ${lost} serves nobody before it has everything from the other one, which goes on`, async () => {
        await pair.kill(lost);
        await load.more(100);
        const had = loseDisk(lost);
        await load.more(20);
        // The other one is held for a moment, because it gives everything back faster than one can
        // look.
        process.kill(pair.processId(other), 'SIGSTOP');
        await pair.start(lost);
        assert.deepEqual([await refusal(lost), (await status(pair, lost)).partner], ['unavailable', 'joining']);
        process.kill(pair.processId(other), 'SIGCONT');
        for (let code = await refusal(lost); code !== undefined; code = await refusal(lost)) {
          assert.equal(code, 'unavailable');
        }
        assert.ok(
          (await status(pair, lost)).operations >= had.size + 120,
          'it serves without all that was acknowledged before it came back',
        );
        await load.more(100);
        await nothingLost(pair, load);
      });
    }

    it('its authors give back what was on no other disk', async () => {
      await pair.kill(2);
      const { one } = load.tally;
      await load.until(() => load.tally.one > one + 50);
      await pair.kill(1);
      const had = loseDisk(1);
      await pair.start(2);
      await pair.start(1);
      await load.more(100);
      await nothingLost(pair, load);
      assert.ok(load.tally.restored >= 50 && had.size > 50, `${load.tally.restored} given back`);
    });
  });
});
