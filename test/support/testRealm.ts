// A realm of trackers in this process, and an engine's side of the link to them, as tests of the
// tracker need it: each call by its name, each notice kept until somebody waits for it. Runs in the
// real world (TLS on loopback) and in simulations.
import { generateKeyPairSync } from 'node:crypto';
import { Connection } from '../../protocol/wire/connection.ts';
import { FrameLink } from '../../protocol/wire/frame.ts';
import { greet } from '../../protocol/wire/greeting.ts';
import { createIdentity } from '../../protocol/node/identity.ts';
import type { Identity } from '../../protocol/node/identity.ts';
import type { AccountId, GroupId, OperationId, Pin, RequestId, Root, Sha256 } from '../../protocol/base/ids.ts';
import { pinOf } from '../../protocol/base/ids.ts';
import { HEARTBEAT_MS } from '../../protocol/base/limits.ts';
import { createNodeWorld, nodeChance } from '../../protocol/node/nodeWorld.ts';
import type { Address, SignedOperation } from '../../protocol/base/fields.ts';
import { signOperation } from '../../protocol/messages/operations.ts';
import type { Operation, OperationBody, OperationName } from '../../protocol/messages/operations.ts';
import type { Descriptor, SignedDescriptor } from '../../protocol/messages/realm.ts';
import { signDescriptor } from '../../protocol/messages/realm.ts';
import type { BodyOf, CallsOf, NoticesOf, ReplyOf } from '../../protocol/wire/table.ts';
import { trackerLink } from '../../protocol/messages/trackerLink.ts';
import { silentLog } from '../../protocol/base/world.ts';
import type { World } from '../../protocol/base/world.ts';
import type { TrackerConfig } from '../../tracker/admin/config.ts';
import type { OpLog } from '../../tracker/log/opLog.ts';
import { startTracker } from '../../tracker/server/server.ts';
import type { Tracker, TrackerOptions } from '../../tracker/server/server.ts';
import { emptyDisk, MemoryLog } from './simulation/memoryLog.ts';

type Link = typeof trackerLink;
type NoticeName = NoticesOf<Link, 'tracker'>;

export const PASSWORD = 'a good password';
/** A hash in a millisecond. */
export const CHEAP = { ln: 4, r: 8, p: 1 } as const;

export const newId = <T extends string>(bytes = 16): T => nodeChance.bytes(bytes).toString('hex') as T;
const der = (key: { export(options: { format: 'der'; type: 'spki' }): Buffer }): Buffer =>
  key.export({ format: 'der', type: 'spki' });

export class TestRealm {
  readonly configs: readonly TrackerConfig[];
  readonly #realmKey = generateKeyPairSync('ed25519');
  readonly #running = new Set<Tracker>();
  readonly #clients = new Set<Client>();

  /**
   * @param addresses  one for each tracker; in the real world they may listen elsewhere
   * @param createKey  of each tracker
   */
  constructor(
    addresses: readonly Address[] = [{ host: '127.0.0.1', port: 7070 }],
    createKey: () => Identity = createIdentity,
  ) {
    const realmKey = this.#realmKey;
    const parts = addresses.map((address, n) => ({
      address,
      number: n + 1,
      identity: createKey(),
      ticketKey: generateKeyPairSync('ed25519'),
    }));
    const descriptor: Descriptor = {
      realmKey: der(realmKey.publicKey),
      version: 1,
      former: [],
      trackers: parts.map(({ address, number, identity, ticketKey }) => ({
        address,
        number,
        pin: identity.pin,
        ticketKey: der(ticketKey.publicKey),
      })),
    };
    const signedDescriptor = signDescriptor(descriptor, realmKey.privateKey);
    this.configs = parts.map(({ number, identity, ticketKey }) => ({
      folder: '',
      number,
      realm: pinOf(descriptor.realmKey),
      identity,
      signer: { tracker: identity.pin, ticketKey: ticketKey.privateKey },
      descriptor,
      signedDescriptor,
    }));
  }

  /**
   * The next version of the list: these trackers, of which the last may be a new one with keys of
   * its own. Returns it, and what a tracker of a number is then.
   */
  relist(
    numbers: readonly number[],
    added?: { readonly number: number; readonly address: Address },
  ): { readonly list: SignedDescriptor; readonly config: (number: number) => TrackerConfig } {
    const { descriptor: before } = this.config(1);
    const kept = before.trackers.filter(({ number }) => numbers.includes(number));
    const [identity, ticketKey] = [createIdentity(), generateKeyPairSync('ed25519')];
    const descriptor: Descriptor = {
      ...before,
      version: before.version + 1,
      trackers: [...kept, ...(added ? [{ ...added, pin: identity.pin, ticketKey: der(ticketKey.publicKey) }] : [])],
      former: [
        ...before.former,
        ...before.trackers.filter(({ number }) => !numbers.includes(number)).map(({ pin }) => pin),
      ],
    };
    const list = signDescriptor(descriptor, this.#realmKey.privateKey);
    return {
      list,
      config: (number) =>
        number === added?.number
          ? {
              ...this.config(1),
              number,
              identity,
              signer: { tracker: identity.pin, ticketKey: ticketKey.privateKey },
              descriptor,
              signedDescriptor: list,
            }
          : { ...this.config(number), descriptor, signedDescriptor: list },
    };
  }

  get realm(): Pin {
    return this.config(1).realm;
  }

  config(number: number): TrackerConfig {
    const config = this.configs[number - 1];
    if (!config) throw new Error(`no tracker ${number}`);
    return config;
  }

  /** Starts a tracker on loopback, at a port that is free unless `options` say more. */
  async start(number = 1, options: Partial<TrackerOptions> & { readonly opLog?: OpLog } = {}): Promise<Tracker> {
    const config = this.config(number);
    const world = createNodeWorld({ identity: config.identity, log: silentLog });
    const tracker = await startTracker({
      world,
      config,
      opLog: new MemoryLog(emptyDisk(nodeChance), world.clock, nodeChance),
      version: 'test',
      listen: { host: '127.0.0.1', port: 0 },
      passwordCost: CHEAP,
      onLogFailed: (error) => {
        throw error;
      },
      ...options,
    });
    this.#running.add(tracker);
    return tracker;
  }

  /** An engine with a key of its own, linked to a tracker. */
  async connect(
    tracker: Pick<Tracker, 'address'>,
    {
      identity = createIdentity(),
      world = createNodeWorld({ identity, log: silentLog }),
    }: { identity?: Identity; world?: World } = {},
  ): Promise<Client> {
    const client = new Client(this.realm, identity, world);
    await client.connect(tracker.address);
    this.#clients.add(client);
    return client;
  }

  /** An engine whose person is signed in under a new name. */
  async join(tracker: Pick<Tracker, 'address'>, user: string): Promise<Client> {
    const client = await this.connect(tracker);
    await client.signUp(user);
    return client;
  }

  async stop(tracker: Tracker): Promise<void> {
    this.#running.delete(tracker);
    await tracker.close();
  }

  async close(): Promise<void> {
    for (const client of this.#clients) client.connection.destroy();
    await Promise.all([...this.#running].map((tracker) => this.stop(tracker)));
  }
}

export class Client {
  readonly identity: Identity;
  readonly world: World;
  readonly realm: Pin;
  account = newId<AccountId>();
  user = '';
  readonly #notices: { readonly name: string; readonly body: unknown }[] = [];
  readonly #waiting: (() => void)[] = [];
  #connection: Connection<Link, 'engine'> | undefined;

  constructor(realm: Pin, identity: Identity, world: World) {
    this.realm = realm;
    this.identity = identity;
    this.world = world;
  }

  get connection(): Connection<Link, 'engine'> {
    if (!this.#connection) throw new Error('not connected');
    return this.#connection;
  }

  async connect(address: Address): Promise<void> {
    const { clock, chance, network } = this.world;
    const link = new FrameLink(await network.dial(address, { timeoutMs: 5_000 }));
    await greet(link, { role: 'engine', accepts: ['tracker'], program: 'test', clock, chance });
    const keep =
      (name: NoticeName) =>
      (body: unknown): void => {
        this.#notices.push({ name, body });
        for (const look of this.#waiting.splice(0)) look();
      };
    this.#connection = new Connection(link, {
      table: trackerLink,
      side: 'engine',
      heartbeatMs: HEARTBEAT_MS.tracker,
      clock,
      log: silentLog,
      handlers: {
        presenceChanged: keep('presenceChanged'),
        groupChanged: keep('groupChanged'),
        groupGone: keep('groupGone'),
        swarmChanged: keep('swarmChanged'),
        revoked: keep('revoked'),
        dialRequest: keep('dialRequest'),
        signedOut: keep('signedOut'),
        conflicted: keep('conflicted'),
        pairChanged: keep('pairChanged'),
      },
    });
  }

  call<K extends CallsOf<Link, 'engine'>>(name: K, body: BodyOf<Link, K>): Promise<ReplyOf<Link, K>> {
    return this.connection.call(name, body, { deadlineMs: 10_000 });
  }

  sign<N extends OperationName>(
    name: N,
    body: OperationBody<N>,
    { account = this.account, realm = this.realm, id = newId<OperationId>(), signer = this.identity } = {},
  ): SignedOperation {
    return signOperation({ realm, id, account, createdAtMs: this.world.clock.now(), name, body } as Operation, signer);
  }

  submit<N extends OperationName>(name: N, body: OperationBody<N>): Promise<ReplyOf<Link, 'submit'>> {
    return this.call('submit', { signed: this.sign(name, body) });
  }

  async createAccount(user: string, password = PASSWORD): Promise<ReplyOf<Link, 'createAccount'>> {
    this.user = user;
    return this.call('createAccount', {
      signed: this.sign('createAccount', { account: this.account, name: user }),
      password,
    });
  }

  /** Shows the password, signs in, and listens to what the tracker tells. */
  async signIn(user = this.user, password = PASSWORD): Promise<void> {
    const shown = await this.call('authenticate', { user, password });
    this.account = shown.account;
    await this.submit('signIn', { account: this.account });
    await this.call('session', {});
  }

  async signUp(user: string): Promise<void> {
    await this.createAccount(user);
    await this.signIn();
  }

  async createGroup(name: string): Promise<GroupId> {
    const group = newId<GroupId>();
    await this.submit('createGroup', { group, name });
    return group;
  }

  async ask(group: GroupId): Promise<RequestId> {
    const request = newId<RequestId>();
    await this.submit('requestJoin', { group, request });
    return request;
  }

  /** Becomes a member of a group, which its owner allows. */
  async enter(group: GroupId, owner: Client): Promise<void> {
    await owner.submit('acceptRequest', { group, request: await this.ask(group) });
  }

  /** Shares a file of which only the size is true. */
  async share(group: GroupId, name: string, content: number, { replace = false } = {}): Promise<Root> {
    const root = content.toString(16).padStart(64, '0') as Root;
    await this.submit('shareFile', {
      group,
      name,
      root,
      sizeBytes: 1000 + content,
      pieceBytes: 16_384,
      sha256: root as string as Sha256,
      replace,
      content: 'file',
    });
    return root;
  }

  /** The next notice of this name that fits; it and all before it are forgotten. */
  async notice<K extends NoticeName>(
    name: K,
    fits: (body: BodyOf<Link, K>) => boolean = () => true,
  ): Promise<BodyOf<Link, K>> {
    for (;;) {
      const at = this.#notices.findIndex((notice) => notice.name === name && fits(notice.body as BodyOf<Link, K>));
      const [found] = at < 0 ? [] : this.#notices.splice(0, at + 1).slice(-1);
      if (found) return found.body as BodyOf<Link, K>;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** Names of all notices that came and were not waited for. */
  async heard(): Promise<string[]> {
    await this.call('descriptor', {}); // what was sent before this answer has come
    return this.#notices.splice(0).map(({ name }) => name);
  }
}
