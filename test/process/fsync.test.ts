// Before a tracker answers, its disk has what it answers for: not believed, but seen in the system
// calls of the real program.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { createIdentity } from '../../protocol/node/identity.ts';
import type { AccountId, GroupId, OperationId, Pin, Root, Sha256 } from '../../protocol/base/ids.ts';
import { createNodeDisk } from '../../protocol/node/nodeDisk.ts';
import { createNodeWorld } from '../../protocol/node/nodeWorld.ts';
import { parseRealmUrl } from '../../protocol/messages/realm.ts';
import { silentLog } from '../../protocol/base/world.ts';
import { readConfig } from '../../tracker/admin/config.ts';
import { askStatus, stopTracker } from '../../tracker/admin/operatorClient.ts';
import { BREAKAGES, brokenTracker } from '../support/scenarios/breakages.ts';
import type { Breakage } from '../support/scenarios/breakages.ts';
import { tooEarly } from '../support/processes/diskOrder.ts';
import type { Answered } from '../support/processes/diskOrder.ts';
import { readLog } from '../support/processes/logReader.ts';
import { freePorts, RealProcesses, TRACKER_BUNDLE } from '../support/processes/realProcesses.ts';
import { readStrace, straceOf, whyNoStrace } from '../support/processes/strace.ts';
import { Client, newId, PASSWORD } from '../support/testRealm.ts';

const OPERATIONS = 208;
const LINKS = 8;
/**
 * The partner's links are told from all others by the addresses of this machine that they go to; so
 * is each engine's.
 */
const PARTNER_HOST = '127.0.2';
const ENGINE_HOST = '127.0.1';

interface Run {
  readonly bundle?: string;
  readonly trackers: 1 | 2;
  /** To which of them the operations are sent. */
  readonly at: 1 | 2;
  readonly links: number;
  readonly operations?: number;
}

describe('a tracker answers only for what its disk has', function () {
  this.timeout(180_000);
  let processes: RealProcesses;
  let tracers: Tracer[];
  let clients: Client[];

  before(function () {
    const why = whyNoStrace();
    if (why === undefined) return;
    if (process.env['CI'] !== undefined && process.platform === 'linux') throw new Error(why);
    process.stderr.write(`skipped: ${why}\n`);
    this.skip();
  });
  beforeEach(() => {
    processes = new RealProcesses();
    tracers = [];
    clients = [];
  });
  afterEach(async () => {
    for (const { connection } of clients) connection.destroy();
    for (const tracer of tracers) tracer.kill();
    await processes.close();
  });

  /**
   * Operations on so many links, each of which waits for its answer before it sends the next; then
   * what the system saw of it.
   */
  async function look({
    bundle = TRACKER_BUNDLE,
    trackers,
    at,
    links,
    operations = OPERATIONS,
  }: Run): Promise<ReturnType<typeof tooEarly>> {
    const folder = processes.makeFolder(`realm ${tracers.length}`);
    const ports = await freePorts(trackers);
    const made = await processes.run(TRACKER_BUNDLE, [
      'init',
      folder,
      ...ports.flatMap((port, n) => ['--tracker', `${PARTNER_HOST}.${n + 1}:${port}`]),
    ]);
    assert.equal(made.code, 0, made.stderr);
    const folders = ports.map((_, n) => path.join(folder, `tracker-${n + 1}`));
    const configs = await Promise.all(folders.map((each) => readConfig(disk, each)));
    const tracer = await Tracer.start(processes, bundle, folders, `${folder} trace`);
    tracers.push(tracer);
    const whole = async (): Promise<void> => {
      for (const config of configs) while (!['none', 'paired'].includes((await askStatus(disk, config)).partner));
    };

    const { realm } = parseRealmUrl(/shoal:\/\/\S+/.exec(made.stdout)?.[0] ?? '');
    const port = ports[at - 1] ?? 0;
    const devices = await people(realm as Pin, links, port);
    const group = await (devices[0] as Client).createGroup('team');
    await whole(); // the operator's answer marks in the trace that from here on there are operations alone
    const ids = Array.from({ length: operations }, () => newId<OperationId>());
    const answered = await Promise.all(
      devices.map((client, n) =>
        shareAll(
          client,
          group,
          ids.filter((_, each) => each % links === n),
        ),
      ),
    );
    assert.ok(
      answered.flat().filter(({ isOnBoth }) => isOnBoth).length > operations / 2,
      'most answers speak for one disk alone',
    );
    await whole();
    for (const { connection } of devices) connection.destroy();
    await Promise.all(configs.map((config) => stopTracker(disk, config)));

    const log = readLog(folders[at - 1] ?? '');
    const wal = (n: number): string => path.join(realpathSync(folders[n - 1] ?? ''), 'log.sqlite-wal');
    // The second tracker dials the first.
    const toPartner = at === 1 ? `[[:]${PARTNER_HOST}\\.1\\]?:\\d+->` : `->(?:\\[::ffff:)?${PARTNER_HOST}\\.1\\]?:\\d+`;
    return tooEarly({
      calls: await tracer.calls(),
      wal: wal(at),
      partnerWal: trackers === 1 ? undefined : wal(3 - at),
      operator: new RegExp(`[[:]127\\.0\\.0\\.1\\]?:${port}->`),
      toPartner: new RegExp(toPartner),
      links: answered.map((each, n) => ({
        socket: new RegExp(`[[:]${ENGINE_HOST}\\.${n + 1}\\]?:${port}->`),
        answered: each,
      })),
      entryBytes: ids.reduce((sum, id) => sum + (log.get(id)?.length ?? 0), 0) / ids.length,
    });
  }

  /**
   * One person with so many devices. They do not ask for news: what the tracker sends them are
   * answers.
   */
  async function people(realm: Pin, links: number, port: number): Promise<readonly Client[]> {
    const account = newId<AccountId>();
    const devices: Client[] = [];
    for (let n = 1; n <= links; n++) {
      const identity = createIdentity();
      const client = new Client(realm, identity, createNodeWorld({ identity, log: silentLog }));
      client.account = account;
      await client.connect({ host: `${ENGINE_HOST}.${n}`, port });
      clients.push(client);
      devices.push(client);
      if (n === 1) await client.createAccount('alice');
      await client.call('authenticate', { user: 'alice', password: PASSWORD });
      await client.submit('signIn', { account });
    }
    return devices;
  }

  async function shareAll(client: Client, group: GroupId, ids: readonly OperationId[]): Promise<Answered[]> {
    const answered: Answered[] = [];
    for (const id of ids) {
      const signed = client.sign(
        'shareFile',
        {
          group,
          name: id,
          root: '7'.repeat(64) as Root,
          sizeBytes: 1000,
          pieceBytes: 16_384,
          sha256: '7'.repeat(64) as Sha256,
          replace: false,
          content: 'file',
        },
        { id },
      );
      const { durability } = await client.call('submit', { signed });
      // a partner may take too long on a machine that has more to do
      answered.push({ id, isOnBoth: durability === 'both' });
    }
    return answered;
  }

  const cases: readonly (readonly [string, Run])[] = [
    ['one tracker, one operation at a time', { trackers: 1, at: 1, links: 1 }],
    ['one tracker, many at once', { trackers: 1, at: 1, links: LINKS }],
    ['the first of a pair, one operation at a time', { trackers: 2, at: 1, links: 1 }],
    ['the first of a pair, many at once', { trackers: 2, at: 1, links: LINKS }],
    ['the second of a pair, one operation at a time', { trackers: 2, at: 2, links: 1 }],
    ['the second of a pair, many at once', { trackers: 2, at: 2, links: LINKS }],
  ];
  for (const [what, run] of cases) {
    it(`${what}: an fsync was over between each write and its answer`, async () => {
      const { early, commits } = await look(run);
      assert.deepEqual(early, []);
      if (run.links === 1) assert.equal(commits, OPERATIONS);
      else assert.ok(commits < OPERATIONS, 'many at once share an fsync, and here none did');
    });
  }

  describe('and it would be noticed if', () => {
    const known = (what: string): Breakage => BREAKAGES.find((breakage) => breakage.what === what) as Breakage;
    const noFsync: Breakage = {
      what: 'does not wait for its disk',
      file: 'log/sqliteLog.ts',
      find: 'synchronous = FULL',
      put: 'synchronous = OFF',
      seed: 0,
    };
    const breakages: readonly (readonly [Breakage, Run['trackers'], readonly RegExp[]])[] = [
      [noFsync, 1, [/was answered before it was on the disk/]],
      [
        noFsync,
        2,
        [
          /was answered before/,
          /went to the partner before/,
          /was confirmed by the partner before/,
          /was answered with “both” before/,
        ],
      ],
      [known('answers before the disk has it'), 1, [/was answered before it was on the disk/]],
      [
        known('acknowledges what it has not written'),
        2,
        [/was answered with “both” before it was on the partner's disk/],
      ],
    ];
    for (const [breakage, trackers, complaints] of breakages) {
      it(`${trackers === 1 ? 'one tracker' : 'a pair'} ${breakage.what}`, async () => {
        const bundle = path.join(processes.folder, 'tracker.cjs');
        await brokenTracker(breakage, bundle);
        for (const links of [1, LINKS]) {
          const { early } = await look({ bundle, trackers, at: 1, links, operations: 24 });
          for (const complaint of complaints) {
            assert.ok(
              early.some((text) => complaint.test(text)),
              `nothing ${complaint.source}, on ${links} links`,
            );
          }
        }
      });
    }
  });
});

const disk = createNodeDisk();

/** Trackers under one strace, so that what they did is in one order. */
class Tracer {
  readonly #file: string;
  readonly #strace: ChildProcess;
  readonly #ended: Promise<unknown>;
  readonly #processIds: readonly number[];

  constructor(file: string, strace: ChildProcess, ended: Promise<unknown>, processIds: readonly number[]) {
    this.#file = file;
    this.#strace = strace;
    this.#ended = ended;
    this.#processIds = processIds;
  }

  /** Resolves when all of them serve. */
  static async start(
    processes: RealProcesses,
    bundle: string,
    folders: readonly string[],
    file: string,
  ): Promise<Tracer> {
    const script =
      'node=$0; bundle=$1; shift; for folder; do "$node" "$bundle" serve "$folder" & echo "process $!"; done; wait';
    const [command = '', ...args] = straceOf(file, script, [process.execPath, bundle, ...folders]);
    const strace = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], cwd: processes.folder });
    processes.adopt(strace);
    const ended = once(strace, 'exit');
    const processIds: number[] = [];
    let [serving, complaints] = [0, ''];
    strace.stderr.on('data', (chunk: Buffer) => (complaints += chunk.toString()));
    for await (const line of createInterface(strace.stdout)) {
      const [, processId] = /^process (\d+)$/.exec(line) ?? [];
      if (processId !== undefined) processIds.push(Number(processId));
      if (/serves shoal:\/\//.test(line)) serving++;
      if (serving === folders.length) return new Tracer(file, strace, ended, processIds);
    }
    throw new Error(`the trackers do not serve:\n${complaints}`);
  }

  /** All they did; resolves when they have ended. */
  async calls(): Promise<ReturnType<typeof readStrace>> {
    await this.#ended;
    return readStrace(readFileSync(this.#file, 'latin1'));
  }

  /** Strace first lets go of what it traces: these have to be ended by themselves. */
  kill(): void {
    if (this.#strace.exitCode !== null) return;
    for (const processId of this.#processIds) {
      try {
        process.kill(processId, 'SIGKILL');
      } catch {
        /* it has ended */
      }
    }
  }
}
