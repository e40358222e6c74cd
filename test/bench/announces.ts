// A tracker with 10,000 registered peers: announces per second over TLS, and how long one takes. The peers are spread over 200 links'
// accounts in one group; registrations are made in this process, the tracker is the built program.
import path from 'node:path';
import { Connection } from '../../protocol/connection.ts';
import { FrameLink } from '../../protocol/frame.ts';
import { greet } from '../../protocol/greeting.ts';
import { createIdentity } from '../../protocol/identity.ts';
import type { Identity } from '../../protocol/identity.ts';
import type { AccountId, GroupId, OperationId, Pin, RequestId, Root } from '../../protocol/ids.ts';
import { nodeChance, createNodeWorld } from '../../protocol/nodeWorld.ts';
import { signOperation } from '../../protocol/operations.ts';
import type { Operation } from '../../protocol/operations.ts';
import { parseRealmUrl } from '../../protocol/realm.ts';
import { trackerLink } from '../../protocol/trackerLink.ts';
import { silentLog } from '../../protocol/world.ts';
import { RealProcesses, TRACKER_BUNDLE, freePorts } from '../support/realProcesses.ts';
import type { Figure } from './measure.ts';
import { median, percentile } from './measure.ts';

const LINKS = 20;
const SWARMS = 500;
const SECONDS = 4;

const id = <T extends string>(bytes: number): T => nodeChance.bytes(bytes).toString('hex') as T;

class Announcer {
  readonly #identity: Identity = createIdentity();
  readonly #account = id<AccountId>(16);
  readonly #realm: Pin;
  #connection: Connection<typeof trackerLink, 'engine'> | undefined;

  constructor(realm: Pin) {
    this.#realm = realm;
  }

  get link(): Connection<typeof trackerLink, 'engine'> {
    if (!this.#connection) throw new Error('not connected');
    return this.#connection;
  }

  async connect(port: number, user: string): Promise<void> {
    const world = createNodeWorld({ identity: this.#identity, log: silentLog });
    const frames = new FrameLink(await world.network.dial({ host: '127.0.0.1', port }, { timeoutMs: 5_000 }));
    await greet(frames, { role: 'engine', accepts: ['tracker'], program: 'bench', clock: world.clock, chance: world.chance });
    const ignore = (): void => {};
    this.#connection = new Connection(frames, {
      table: trackerLink, side: 'engine', heartbeatMs: 3_000, clock: world.clock, log: silentLog,
      handlers: { presenceChanged: ignore, groupChanged: ignore, groupGone: ignore, swarmChanged: ignore, revoked: ignore, dialRequest: ignore, signedOut: ignore, conflicted: ignore, pairChanged: ignore },
    });
    const password = 'a password for a bench';
    await this.link.call('createAccount', { signed: this.#sign('createAccount', { account: this.#account, name: user }), password }, { deadlineMs: 60_000 });
    await this.link.call('authenticate', { user, password }, { deadlineMs: 60_000 });
    await this.submit('signIn', { account: this.#account });
    await this.link.call('session', {});
    await this.link.call('listening', { addresses: [{ host: '127.0.0.1', port: 1024 }] });
  }

  submit(name: Operation['name'], body: unknown): Promise<unknown> {
    return this.link.call('submit', { signed: this.#sign(name, body) });
  }

  #sign(name: Operation['name'], body: unknown): ReturnType<typeof signOperation> {
    return signOperation({ realm: this.#realm, id: id<OperationId>(16), account: this.#account, createdAtMs: Date.now(), name, body } as Operation, this.#identity);
  }
}

export async function announces(): Promise<readonly Figure[]> {
  const processes = new RealProcesses();
  try {
    const [port = 0] = await freePorts(1);
    const folder = path.join(processes.folder, 'realm');
    const made = await processes.run(TRACKER_BUNDLE, ['init', folder, '--tracker', `127.0.0.1:${port}`, '--json']);
    const { realm } = parseRealmUrl((JSON.parse(made.stdout) as { url: string }).url);
    await processes.start(TRACKER_BUNDLE, ['serve', path.join(folder, 'tracker-1')], /serves/);
    const all = Array.from({ length: LINKS }, () => new Announcer(realm as Pin));
    await Promise.all(all.map((one, n) => one.connect(port, `bench-${n}`)));
    const [owner, ...others] = all as [Announcer, ...Announcer[]];
    const group = id<GroupId>(16);
    await owner.submit('createGroup', { group, name: 'bench' });
    for (const one of others) {
      const request = id<RequestId>(16);
      await one.submit('requestJoin', { group, request });
      await owner.submit('acceptRequest', { group, request });
    }
    const roots = Array.from({ length: SWARMS }, () => id<Root>(32));
    for (const one of all) await one.link.call('announce', { swarms: roots.map((root) => ({ group, root, leftBytes: 1_000, event: 'update' as const })) });

    const closed = await run(all, 1, group, roots);
    const pipelined = await run(all, 16, group, roots);
    return [
      { name: `announces, ${LINKS} links, one at a time each`, value: closed.perS, unit: '/s', note: `p50 ${closed.p50.toFixed(2)} ms, p99 ${closed.p99.toFixed(2)} ms` },
      { name: `announces, ${LINKS} links, 16 at a time each`, value: pipelined.perS, unit: '/s', note: `p50 ${pipelined.p50.toFixed(2)} ms, p99 ${pipelined.p99.toFixed(2)} ms` },
      { name: 'registered presences', value: LINKS * SWARMS, unit: '' },
    ];
  } finally {
    await processes.close();
  }
}

async function run(all: readonly Announcer[], atOnce: number, group: GroupId, roots: readonly Root[]): Promise<{ perS: number; p50: number; p99: number }> {
  const times: number[] = [];
  const until = performance.now() + SECONDS * 1000;
  await Promise.all(all.flatMap((one) => Array.from({ length: atOnce }, async () => {
    for (let n = 0; performance.now() < until; n++) {
      const root = roots[Math.floor(Math.random() * roots.length)] as Root;
      const began = performance.now();
      await one.link.call('announce', { swarms: [{ group, root, leftBytes: 500 + n % 100, event: 'update' }] });
      times.push(performance.now() - began);
    }
  })));
  return { perS: times.length / SECONDS, p50: median(times), p99: percentile(times, 0.99) };
}
