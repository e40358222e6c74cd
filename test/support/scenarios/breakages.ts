// Rules broken on purpose: each is a place in the sources and what stands there instead. A
// simulation that does not notice is no proof of the rule. The seed is one that notices; `npm run
// sim -- --breakages` looks for new ones. Here are those of the pair; downloadBreakages.ts has
// those of downloads.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { build } from 'esbuild';
import type { Plugin } from 'esbuild';

export interface Breakage {
  readonly what: string;
  /** Below the folder of the simulation's product. */
  readonly file: string;
  readonly find: string;
  readonly put: string;
  readonly seed: number;
}

export const breakage = (what: string, file: string, find: string, put: string, seed: number): Breakage => ({
  what,
  file,
  find,
  put,
  seed,
});

export const BREAKAGES: readonly Breakage[] = [
  // What is answered.
  breakage(
    'answers before the disk has it',
    'log/ledger.ts',
    'await this.#append([line]);',
    'void this.#append([line]);',
    1,
  ),
  breakage(
    'answers a repetition before the disk has the first',
    'log/ledger.ts',
    'if ((this.#durable.get(instance.origin) ?? 0) < instance.seq) await this.#append([]);',
    '',
    1,
  ),
  breakage(
    'says "both" without asking the partner',
    'pair/partner.ts',
    'if (!replication) return Promise.resolve(false);',
    'if (!replication) return Promise.resolve(true);',
    1,
  ),
  breakage(
    'says "both" when the partner is silent',
    'pair/replication.ts',
    'PARTNER_ACK_MS_MAX, () => waiting.settle(false)',
    'PARTNER_ACK_MS_MAX, () => waiting.settle(true)',
    4,
  ),
  breakage(
    'says "both" when the link has ended',
    'pair/replication.ts',
    'for (const waiting of [...this.#waiting]) waiting.settle(false);',
    'for (const waiting of [...this.#waiting]) waiting.settle(true);',
    2,
  ),
  breakage(
    'says "both" one entry too early',
    'pair/replication.ts',
    'if (this.has(waiting.origin, waiting.seq)) waiting',
    'if (this.has(waiting.origin, waiting.seq - 1)) waiting',
    9,
  ),
  breakage(
    'believes that the partner has what was sent',
    'pair/replication.ts',
    `const { have, ...theirs } = await this.connection.call(
          'append',
          { entries: batch.entries, ...promises },
          { deadlineMs: APPEND_MS },
        );`,
    `void this.connection
          .call('append', { entries: batch.entries, ...promises }, { deadlineMs: APPEND_MS })
          .catch(() => undefined);
        await Promise.resolve();
        const [have, theirs] = [this.#vector(), { nowMs: 0, promise: undefined, heard: undefined }];`,
    1,
  ),
  breakage(
    'takes back only what could be taken in anew',
    'log/ledger.ts',
    '    if (!known) this.#checkAge(op);\n    return known',
    '    if (!known) this.check(op);\n    return known',
    1,
  ),

  // What is sent and kept.
  breakage(
    'sends before the disk has it',
    'log/ledger.ts',
    '    await this.#written(this.log.append(entries));',
    '    for (const { stamp } of entries) this.#durable.set(stamp.origin, stamp.seq);\n    this.#options.onCommitted();\n    await this.#written(this.log.append(entries));',
    1,
  ),
  breakage(
    'acknowledges what it has not written',
    'log/ledger.ts',
    'await this.#append(fresh.map(({ line }) => line));',
    'void this.#append(fresh.map(({ line }) => line)); for (const { line } of fresh) this.#durable.set(line.stamp.origin, line.stamp.seq);',
    2,
  ),
  breakage(
    'does not send what it had before the link came up',
    'pair/replication.ts',
    '    this.#learnHave(theirs.have);\n    const { log, durable }',
    '    this.#learnHave([...ledger.durable].map(([origin, seq]) => ({ origin, seq })));\n    const { log, durable }',
    1,
  ),
  breakage(
    'serves while its log is lost',
    'server/server.ts',
    "if (this.#partner.state === 'joining') {\n        throw",
    "if (this.#partner.state === 'none') {\n        throw",
    12,
  ),
  breakage(
    'believes its log is back when it has only begun',
    'pair/replication.ts',
    'return this.#compared && ![...this.#theirs].some(([origin, seq]) => (durable.get(origin) ?? 0) < seq);',
    'return this.#compared && durable.size >= 0;',
    4,
  ),

  // Where it stands in the order.
  breakage(
    'does not learn from the clock of others',
    'log/hybridClock.ts',
    '    this.#now = later(this.#now, seen);',
    '    if (seen.ms < 0) this.#now = seen;',
    1,
  ),
  breakage(
    'follows the wall clock back',
    'log/hybridClock.ts',
    'if (wallMs > ms) this.#now',
    'if (wallMs !== ms) this.#now',
    1,
  ),
  breakage(
    'applies what comes late behind all others',
    'log/replay.ts',
    'if (late.length > 0) this.#insert(late, changes);\n    for (const source of sources.slice(late.length)) this.append(source, changes);',
    'for (const source of sources) this.append(source, changes);',
    1,
  ),
  breakage(
    'does not take back what stands behind',
    'log/replay.ts',
    '    if (applied.undoLog) undo(this.state, applied.id, applied.undoLog);\n',
    '',
    1,
  ),
  breakage(
    'takes back in the wrong order',
    'log/replay.ts',
    'const newestFirst = (a: Applied, b: Applied): number => compareStamps(b.place, a.place);',
    'const newestFirst = (a: Applied, b: Applied): number => compareStamps(a.place, b.place);',
    1,
  ),
  breakage(
    'applies again in the order of arrival',
    'log/replay.ts',
    'const inOrder = [...again, ...fresh].sort((a, b) => compareStamps(a.place, b.place));',
    'const inOrder = [...again, ...fresh];',
    1,
  ),
  breakage(
    'leaves applied who reads what comes late',
    'log/replay.ts',
    "for (const list of kind === 'uses' ? [track.reads, track.writes] : [track.writes]) {",
    'for (const list of [track.writes]) {',
    1,
  ),
  breakage(
    'leaves applied who writes what the late one reads',
    'log/replay.ts',
    "for (const track of one.reads) visit(track, 'writes');",
    '',
    177,
  ),
  breakage('looks only at those that meet the late one itself', 'log/replay.ts', '      queue.push(applied);', '', 10),
  breakage(
    'cannot take back a new entry of a map',
    'fold/undoLog.ts',
    'this.#add(map.has(key) ? () => map.set(key, before as V) : () => map.delete(key));\n    map.set(key, value);\n  }\n\n  /**',
    'map.set(key, value);\n  }\n\n  /**',
    1,
  ),
  breakage('cannot take back a field', 'fold/undoLog.ts', 'this.#add(() => (object[key] = before));', '', 1),

  // What is final.
  breakage(
    'promises the time of its clock',
    'log/ledger.ts',
    '    return this.#durableMoment;',
    '    return { ms: this.#options.clock.now(), counter: 0 };',
    1,
  ),
  breakage(
    'promises before the partner has everything',
    'pair/replication.ts',
    'const promise = all ? this.#options.ledger.promise : undefined;',
    'const promise = this.#options.ledger.promise;',
    1,
  ),
  breakage(
    'calls final what the partner has not heard of',
    'pair/replication.ts',
    'if (heard) this.#heardByThem = heard;',
    'this.#heardByThem = this.#options.ledger.promise;',
    109,
  ),
  breakage(
    'replaces by a snapshot what is not final',
    'log/snapshots.ts',
    'frontier !== undefined && compareStamps(stamp, frontier) <= 0 && stamp.ms < before',
    'stamp.ms < before',
    5,
  ),
  breakage(
    'keeps no outcomes in its snapshot',
    'fold/snapshot.ts',
    'for (const [name, map] of mapsOf(state)) {',
    "for (const [name, map] of mapsOf(state)) {\n    if (name === 'operations') continue;",
    1,
  ),

  // What it comes to.
  breakage(
    'applies the same operation twice',
    'fold/fold.ts',
    "if (before?.result === 'ok' || before?.result === 'renamed') return undoLog;",
    '',
    1,
  ),
  breakage(
    'lets an acceptance win over a rejection',
    'fold/groups.ts',
    "checkInOrder: neverOwner,\n    effect: (state, op, at) => deny(state, op, 'rejected', at),",
    "checkInOrder: (state, op) => notOwner(state, op) ?? notWaiting(state, op),\n    effect: (state, op, at) => deny(state, op, 'rejected', at),",
    2374,
  ),
  breakage(
    'lets an acceptance win over a withdrawal',
    'fold/groups.ts',
    'checkInOrder: (state, op) => requestOfAnother(state, op),',
    'checkInOrder: (state, op) => notWaiting(state, op, op.account),',
    6,
  ),
  breakage(
    'leaves in whom a denial should put out',
    'fold/groups.ts',
    'if (group.members.get(request.account)?.request === op.body.request) {\n    endMembership(state, group, request.account, as, at);\n  } else if',
    'if',
    6,
  ),
  breakage(
    'leaves the shares of who has left',
    'fold/groups.ts',
    'for (const file of group.files.values()) undoLog.remove(file.sharers, id);',
    '',
    46,
  ),
  breakage(
    'leaves a group without an owner',
    'fold/groups.ts',
    "if (heir !== undefined) undoLog.assign(group, 'owner', heir);",
    'if (heir !== undefined) return;',
    9,
  ),
  breakage('gives one name twice', 'fold/rule.ts', 'if (!isTaken(nameKey(name))) return name;', 'return name;', 1),
  breakage(
    'keeps the name of a group that is gone',
    'fold/groups.ts',
    'undoLog.dropSorted(state.groupNames, nameKey(group.name));\n  for',
    'for',
    1,
  ),
  breakage('answers a request and keeps it waiting', 'fold/groups.ts', '  undoLog.delete(group.waiting, id);\n', '', 3),
];

const TRACKER = fileURLToPath(new URL('../../../tracker/', import.meta.url));

/** A simulation that breakages can be made in. */
export interface Simulated {
  /** Its module, and the function in it that runs one seed. */
  readonly module: string;
  readonly run: string;
  /** Where the sources are that are broken. */
  readonly folder: string;
}
const PAIR: Simulated = {
  module: fileURLToPath(new URL('./nemesis.ts', import.meta.url)),
  run: 'nemesis',
  folder: TRACKER,
};

/**
 * Makes the simulation with a rule broken in it. It runs in a thread of its own, where what nobody
 * catches does not end the others; it rejects when it notices.
 *
 * @throws Error when the sources no longer have that place
 */
export async function broken(
  breakage: Breakage,
  folder: string,
  n: number,
  { module, run, folder: sources } = PAIR,
): Promise<(seed: number) => Promise<void>> {
  const outfile = path.join(folder, `breakage-${n}.mjs`);
  await build({
    entryPoints: [module],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node22',
    logLevel: 'error',
    packages: 'external',
    plugins: [breaking(breakage, sources)],
  });
  return (seed) =>
    new Promise((resolve, reject) => {
      const worker = new Worker(
        `const { workerData: { file, seed, run } } = require('node:worker_threads'); import(file).then((all) => all[run](seed))`,
        { eval: true, workerData: { file: pathToFileURL(outfile).href, seed, run } },
      );
      worker.once('error', reject).once('exit', () => resolve());
    });
}

/**
 * Makes the tracker's program with a rule broken in it.
 *
 * @throws Error when the sources no longer have that place
 */
export async function brokenTracker(breakage: Breakage, outfile: string): Promise<void> {
  await build({
    entryPoints: [path.join(TRACKER, 'main.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node22',
    logLevel: 'error',
    define: { __SHOAL_VERSION__: '"0.0.0"', 'import.meta.url': '__shoalUrl' },
    banner: { js: "var __shoalUrl = require('url').pathToFileURL(__filename).href;" },
    plugins: [breaking(breakage, TRACKER)],
  });
}

function breaking({ what, file, find, put }: Breakage, sources: string): Plugin {
  const target = path.join(sources, file);
  const source = readFileSync(target, 'utf8');
  if (source.split(find).length !== 2) {
    throw new Error(`“${what}”: ${file} has ${source.split(find).length - 1} places like\n${find}`);
  }
  return {
    name: 'breakage',
    setup: (bundle) =>
      bundle.onLoad({ filter: /\.ts$/ }, ({ path: loaded }) =>
        loaded === target ? { contents: source.replace(find, () => put), loader: 'ts' } : undefined,
      ),
  };
}

/** The first seed that notices; undefined when none does. */
export async function firstSeed(
  simulation: (seed: number) => Promise<unknown>,
  max: number,
): Promise<number | undefined> {
  for (let seed = 1; seed <= max; seed++) {
    if (
      await simulation(seed).then(
        () => false,
        () => true,
      )
    ) {
      return seed;
    }
  }
  return undefined;
}
