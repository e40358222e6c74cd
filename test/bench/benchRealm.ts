// A realm of built trackers whose accounts and groups stand in its log before the first tracker
// starts: 200 passwords would take a minute to hash. And an engine's end of a link that costs next
// to nothing: its requests are encoded before they are needed, its answers are only counted.
import path from 'node:path';
import { FrameLink } from '../../protocol/wire/frame.ts';
import type { Frame } from '../../protocol/wire/frame.ts';
import { greet } from '../../protocol/wire/greeting.ts';
import { createIdentity } from '../../protocol/node/identity.ts';
import type { Identity } from '../../protocol/node/identity.ts';
import type { AccountId, GroupId, OperationId, Pin, RequestId } from '../../protocol/base/ids.ts';
import { FRAME_PAYLOAD_BYTES_MAX } from '../../protocol/base/limits.ts';
import { createNodeDisk } from '../../protocol/node/nodeDisk.ts';
import { createNodeWorld, nodeChance, nodeClock } from '../../protocol/node/nodeWorld.ts';
import type { SignedOperation } from '../../protocol/base/fields.ts';
import { signOperation } from '../../protocol/messages/operations.ts';
import type { Operation, OperationBody, OperationName } from '../../protocol/messages/operations.ts';
import type { AnySchema } from '../../protocol/base/schema.ts';
import { decode, encode } from '../../protocol/base/schema.ts';
import type { BodyOf, CallsOf, ReplyOf } from '../../protocol/wire/table.ts';
import { trackerLink } from '../../protocol/messages/trackerLink.ts';
import { silentLog } from '../../protocol/base/world.ts';
import { LOG_FILE, readConfig } from '../../tracker/admin/config.ts';
import { Ledger } from '../../tracker/log/ledger.ts';
import { openSqliteLog } from '../../tracker/log/sqliteLog.ts';
import { freePorts, RealPair, TRACKER_BUNDLE } from '../support/processes/realProcesses.ts';
import type { RealProcesses } from '../support/processes/realProcesses.ts';

type Link = typeof trackerLink;

export const newId = <T extends string>(bytes = 16): T => nodeChance.bytes(bytes).toString('hex') as T;

/** How often a link that has nothing to say shows that it lives, in ms. */
const PING_MS = 3_000;

/**
 * One device, signed in to an account of its own, which owns a group of its own and is a member of
 * the one that all are in.
 */
export interface Person {
  readonly identity: Identity;
  readonly account: AccountId;
  readonly group: GroupId;
  readonly sign: <N extends OperationName>(name: N, body: OperationBody<N>) => SignedOperation;
}

export interface BenchRealm {
  readonly url: string;
  readonly folder: string;
  readonly ports: readonly number[];
  readonly people: readonly Person[];
  /** All people are members. */
  readonly common: GroupId;
}

/** Makes a realm in which so many people are signed in; its trackers do not run yet. */
export async function makeBenchRealm(
  processes: RealProcesses,
  trackers: 1 | 2,
  peopleCount: number,
): Promise<BenchRealm> {
  const ports = await freePorts(trackers);
  const folder = path.join(processes.folder, `realm-${newId(4)}`);
  const made = await processes.run(TRACKER_BUNDLE, [
    'init',
    folder,
    ...ports.flatMap((port) => ['--tracker', `127.0.0.1:${port}`]),
    '--json',
  ]);
  const { url } = JSON.parse(made.stdout) as { url: string };
  const first = path.join(folder, 'tracker-1');
  const { realm } = await readConfig(createNodeDisk(), first);
  const log = openSqliteLog(path.join(first, LOG_FILE), nodeChance);
  const fail = (error: Error): never => {
    throw error;
  };
  const ledger = new Ledger({
    log,
    realm,
    clock: nodeClock,
    logger: silentLog,
    isTracker: () => false,
    whenOnBoth: () => Promise.resolve(true),
    onCommitted: () => {},
    onLogFailed: fail,
  });
  const take = (signed: SignedOperation): Promise<unknown> => ledger.ingest(signed, ledger.read(signed));
  const people = Array.from({ length: peopleCount }, () => makePerson(realm));
  const common = newId<GroupId>();
  // Not one after the other: what is taken in at once shares a commit.
  const done: Promise<unknown>[] = [];
  for (const [n, { account, group, sign }] of people.entries()) {
    done.push(
      take(sign('createAccount', { account, name: `person-${n}` })),
      take(sign('signIn', { account })),
      take(sign('createGroup', { group, name: `group-${n}` })),
    );
  }
  const [owner, ...others] = people as [Person, ...Person[]];
  done.push(take(owner.sign('createGroup', { group: common, name: 'common' })));
  for (const one of others) {
    const request = newId<RequestId>();
    done.push(
      take(one.sign('requestJoin', { group: common, request })),
      take(owner.sign('acceptRequest', { group: common, request })),
    );
  }
  await Promise.all(done);
  log.close();
  return { url, folder, ports, people, common };
}

function makePerson(realm: Pin): Person {
  const identity = createIdentity();
  const account = newId<AccountId>();
  return {
    identity,
    account,
    group: newId<GroupId>(),
    sign: (name, body) =>
      signOperation(
        { realm, id: newId<OperationId>(), account, createdAtMs: Date.now(), name, body } as Operation,
        identity,
      ),
  };
}

/** Its trackers, running; of a pair, with all of the log on both disks. */
export async function startBenchRealm(processes: RealProcesses, { folder, url, ports }: BenchRealm): Promise<RealPair> {
  const pair = new RealPair(processes, folder, url);
  await Promise.all(ports.map((_, n) => pair.start(n === 0 ? 1 : 2)));
  if (ports.length === 2) await untilPaired(pair);
  return pair;
}

/** Waits until both trackers run and have the same. */
export async function untilPaired(pair: RealPair): Promise<void> {
  for (;;) {
    const states = await Promise.all([pair.status(1), pair.status(2)]);
    if (states.every(({ partner }) => partner === 'paired')) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** A request in its bytes. */
export interface Request {
  readonly type: string;
  readonly body: Uint8Array;
}
export const request = <K extends CallsOf<Link, 'engine'>>(type: K, body: BodyOf<Link, K>): Request => ({
  type,
  body: encode(trackerLink.rows[type].body, body),
});

/** Everything that an answer is used for here. */
type Answered = (frame: Frame) => void;

export class RawLink {
  readonly #frames: FrameLink;
  readonly #pending = new Map<number, Answered>();
  readonly #timer: NodeJS.Timeout;
  #calls = 0;
  #failed: ((error: Error) => void) | undefined;

  private constructor(frames: FrameLink) {
    this.#frames = frames;
    frames.receive({
      payloadBytesMax: () => FRAME_PAYLOAD_BYTES_MAX,
      rawTarget: () => undefined,
      drained() {},
      ended: (error) => this.#failed?.(error ?? new Error('the link has ended')),
      frame: (frame) => {
        const answered = this.#pending.get(frame.call);
        if (frame.kind === 'notice' || !answered) return;
        this.#pending.delete(frame.call);
        answered(frame);
      },
    });
    this.#timer = setInterval(() => frames.send({ type: 'ping', kind: 'notice', call: 0 }, new Uint8Array(0)), PING_MS);
  }

  /** @param greets  whether the other side speaks the protocol; an echo does not */
  static async dial(port: number, identity: Identity, { greets = true } = {}): Promise<RawLink> {
    const world = createNodeWorld({ identity, log: silentLog });
    const frames = new FrameLink(await world.network.dial({ host: '127.0.0.1', port }, { timeoutMs: 10_000 }));
    if (greets) {
      await greet(frames, {
        role: 'engine',
        accepts: ['tracker'],
        program: 'bench',
        clock: world.clock,
        chance: world.chance,
      });
    }
    return new RawLink(frames);
  }

  get framesIn(): number {
    return this.#frames.counts.framesIn;
  }

  /** A link of somebody who is told of changes and may announce. */
  static async signedIn(port: number, { identity }: Person): Promise<RawLink> {
    const link = await RawLink.dial(port, identity);
    await link.call('session', {});
    await link.call('listening', { addresses: [{ host: '127.0.0.1', port: 1024 }] });
    return link;
  }

  async call<K extends CallsOf<Link, 'engine'>>(type: K, body: BodyOf<Link, K>): Promise<ReplyOf<Link, K>> {
    const { kind, body: bytes } = await new Promise<Frame>((resolve, reject) => {
      this.#failed = reject;
      this.#send(request(type, body), (frame) => resolve({ ...frame, body: Buffer.from(frame.body) }));
    });
    if (kind === 'error') throw new Error(`${type} was refused: ${Buffer.from(bytes).toString('latin1')}`);
    return decode(trackerLink.rows[type].reply as AnySchema, bytes, type) as ReplyOf<Link, K>;
  }

  /** Keeps so many requests under way until there are no more; tells how long each took, in ms. */
  keepBusy(
    atOnce: number,
    next: () => Request | undefined,
    took: (ms: number, body: Uint8Array) => void,
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#failed = reject;
      let underWay = 0;
      const go = (): void => {
        const what = next();
        if (!what) {
          if (underWay === 0) resolve();
          return;
        }
        underWay++;
        const began = performance.now();
        this.#send(what, ({ kind, body }) => {
          underWay--;
          if (kind === 'error') {
            return reject(new Error(`${what.type} was refused: ${Buffer.from(body).toString('latin1')}`));
          }
          took(performance.now() - began, body);
          go();
        });
      };
      for (let n = 0; n < atOnce; n++) go();
    });
  }

  close(): void {
    clearInterval(this.#timer);
    this.#failed = undefined;
    this.#frames.stream.destroy();
  }

  #send({ type, body }: Request, answered: Answered): void {
    const call = (this.#calls = (this.#calls % 0xffff_ffff) + 1);
    this.#pending.set(call, answered);
    this.#frames.send({ type, kind: 'request', call }, body);
  }
}

/** What a load came to. */
export interface Load {
  readonly perS: number;
  /** Of each request, in ms. */
  readonly times: readonly number[];
}

/**
 * All links at once, each with so many requests under way, for so long or until each has no more.
 */
export async function load(
  links: readonly RawLink[],
  atOnce: number,
  seconds: number,
  next: (link: number) => Request | undefined,
  look: (body: Uint8Array) => void = () => {},
): Promise<Load> {
  const times: number[] = [];
  const began = performance.now();
  const until = began + seconds * 1000;
  await Promise.all(
    links.map((link, n) =>
      link.keepBusy(
        atOnce,
        () => (performance.now() < until ? next(n) : undefined),
        (ms, body) => {
          times.push(ms);
          look(body);
        },
      ),
    ),
  );
  return { perS: times.length / ((performance.now() - began) / 1000), times };
}
