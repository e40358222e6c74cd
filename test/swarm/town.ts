// A whole town in one process: a tracker pair and engines, the product's own code on simulated
// machines. Accounts and sign-ins are put into the log directly, because hashing passwords takes
// real time; everything else is said over the simulated network.
import assert from 'node:assert';
import { createEngine } from '../../extension/engine/createEngine.ts';
import { inlineHasher } from '../../extension/engine/hashing/hasher.ts';
import { homeAt, writeSmallFile } from '../../protocol/home/homeLayout.ts';
import { makeHome } from '../../extension/engine/daemon/homeFiles.ts';
import type { EngineApi } from '../../extension/engine/engineApi.ts';
import type { Transfer } from '../../protocol/messages/engineLink.ts';
import { createIdentity } from '../../protocol/node/identity.ts';
import type { AccountId, OperationId } from '../../protocol/base/ids.ts';
import { signOperation } from '../../protocol/messages/operations.ts';
import type { Operation } from '../../protocol/messages/operations.ts';
import type { TrackerConfig } from '../../tracker/admin/config.ts';
import { makeRealm, readConfig } from '../../tracker/admin/config.ts';
import { startTracker } from '../../tracker/server/server.ts';
import type { Tracker } from '../../tracker/server/server.ts';
import { openSqliteLog } from '../../tracker/log/sqliteLog.ts';
import type { Machine } from '../support/simulation/machine.ts';
import type { Simulation } from '../support/simulation/simulatedWorld.ts';

export const GROUP = 'harbour';
const PORT = 7070;

export class Town {
  readonly sim: Simulation;
  readonly trackers: { readonly machine: Machine; readonly config: TrackerConfig; running: Tracker }[] = [];
  #url = '';

  private constructor(sim: Simulation) {
    this.sim = sim;
  }

  /** A pair of trackers, each on a machine of its own, linked. */
  static async build(sim: Simulation): Promise<Town> {
    const town = new Town(sim);
    const maker = sim.machine('maker');
    const names = ['tracker-1', 'tracker-2'];
    const hosts = names.map((name) => ({ name, identity: createIdentity() }));
    const { url, folders } = await makeRealm(
      maker.world.disk,
      '/realm',
      hosts.map(({ name }) => ({ host: sim.machine(name).host, port: PORT })),
    );
    town.#url = url;
    for (const [n, folder] of folders.entries()) {
      const config = await readConfig(maker.world.disk, folder);
      // The machine gets the key of its tracker: what a stream proves is the machine's pin.
      const machine = sim.machine(`${names[n] ?? ''} program`, {
        identity: config.identity,
        on: sim.machine(names[n] ?? ''),
      });
      town.trackers.push({ machine, config, running: await town.#serve(machine, config) });
    }
    await sim.until(() => town.trackers.every(({ running }) => running.status().partner === 'paired'));
    return town;
  }

  /** Somebody with an account, signed in, whose engine runs. */
  async person(name: string, { cannotListen = false } = {}): Promise<Person> {
    const identity = createIdentity();
    const machine = this.sim.machine(name, { identity });
    const [first] = this.trackers;
    assert.ok(first);
    const { config, running } = first;
    const account = machine.world.chance.bytes(16).toString('hex') as AccountId;
    const says = async (operation: 'createAccount' | 'signIn', body: unknown): Promise<void> => {
      const id = machine.world.chance.bytes(16).toString('hex') as OperationId;
      const signed = signOperation(
        {
          realm: config.realm,
          id,
          account,
          createdAtMs: machine.world.clock.now(),
          name: operation,
          body,
        } as Operation,
        identity,
      );
      await running.ledger.ingest(signed, running.ledger.read(signed), Buffer.from('no password'));
    };
    await says('createAccount', { account, name });
    await says('signIn', { account });
    const home = homeAt('/home');
    const { disk, network } = machine.world;
    await makeHome(home, disk);
    const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
    const { descriptor, signature } = config.signedDescriptor;
    await writeSmallFile(disk, home.trackerFile, {
      url: this.#url,
      descriptor: text(descriptor),
      signature: text(signature),
    });
    await writeSmallFile(disk, home.accountFile, { account, user: name });
    if (cannotListen) {
      await writeSmallFile(disk, home.settingsFile, { listenPort: 7777 });
      await network.listen({ port: 7777 }, (stream) => stream.destroy());
    }
    const person = new Person(this.sim, name, machine);
    await person.start();
    await this.sim.until(() => person.engine.overview().trackers.every(({ link }) => link === 'up'));
    return person;
  }

  /** Somebody whose engine runs, and knows neither trackers nor accounts. */
  async stranger(name: string): Promise<Person> {
    const machine = this.sim.machine(name, { identity: createIdentity() });
    await makeHome(homeAt('/home'), machine.world.disk);
    const person = new Person(this.sim, name, machine);
    await person.start();
    return person;
  }

  /** A group of these people; the first one owns it. */
  async group(owner: Person, ...others: readonly Person[]): Promise<void> {
    await owner.engine.handlers.createGroup({ group: GROUP }, NO_CALL);
    for (const one of others) await this.letIn(owner, one);
  }

  /** One more member of the group. */
  async letIn(owner: Person, one: Person): Promise<void> {
    await one.engine.handlers.joinGroup({ group: GROUP }, NO_CALL);
    await this.sim.until(() =>
      owner.engine.overview().groups.some(({ requests }) => requests.some(({ user }) => user === one.name)),
    );
    await owner.engine.handlers.acceptRequest({ group: GROUP, user: one.name }, NO_CALL);
    await this.sim.until(() => one.engine.overview().groups.some(({ role }) => role === 'member'));
  }

  killTracker(n: number): void {
    this.trackers[n]?.machine.kill();
  }

  async #serve(machine: Machine, config: TrackerConfig): Promise<Tracker> {
    const { world } = machine;
    return startTracker({
      world,
      config,
      opLog: openSqliteLog(':memory:', world.chance),
      version: 'test',
      onLogFailed: (error) => assert.fail(error),
    });
  }
}

export const NO_CALL = { signal: new AbortController().signal };

export class Person {
  readonly name: string;
  readonly machine: Machine;
  readonly #sim: Simulation;
  #engine: EngineApi | undefined;

  constructor(sim: Simulation, name: string, machine: Machine) {
    this.#sim = sim;
    this.name = name;
    this.machine = machine;
  }

  get engine(): EngineApi {
    assert.ok(this.#engine);
    return this.#engine;
  }

  /** Starts the engine, for the first time or anew on what the last one left on the disk. */
  async start({ world, identity }: Pick<Machine, 'world' | 'identity'> = this.machine): Promise<void> {
    assert.ok(identity);
    this.#engine = await createEngine({
      home: homeAt('/home'),
      world,
      identity,
      version: 'test',
      hasher: inlineHasher(world.disk),
    });
  }

  async write(path: string, bytes: Buffer): Promise<void> {
    await this.machine.world.disk.replaceFile(path, bytes);
  }
  read(path: string): Promise<Buffer> {
    return this.machine.world.disk.readFile(path);
  }

  async share(path: string): Promise<void> {
    const { transfer } = await this.engine.handlers.share(
      { group: GROUP, path, name: undefined, replace: false },
      NO_CALL,
    );
    await this.#sim.until(() => this.engine.transfer(transfer)?.state === 'seeding');
  }

  /** Begins a download; returns its number. */
  async download(name: string): Promise<number> {
    const { transfer } = await this.engine.handlers.download(
      { group: GROUP, name, path: '/downloads', asFile: false, rename: false, mode: 'rarest', only: [] },
      NO_CALL,
    );
    return transfer;
  }

  async whole(transfer: number): Promise<Transfer> {
    await this.#sim.until(
      () => ['seeding', 'failed', 'gone'].includes(this.engine.transfer(transfer)?.state ?? 'gone'),
      3_600_000,
    );
    const view = this.engine.transfer(transfer);
    assert.ok(view);
    assert.equal(view.state, 'seeding', view.error?.text);
    return view;
  }

  async sources(transfer: number): Promise<ReadonlyMap<string, number>> {
    const { sources } = await this.engine.handlers.sources({ transfer }, NO_CALL);
    return new Map(sources.map(({ user, pieces }) => [user, pieces]));
  }
}
