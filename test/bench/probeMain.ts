// An extension that measures the extension host it runs in, which all extensions of a window share:
// how long its thread is kept, and how long the product took to be activated. It does so when told
// by a command, and writes each result as a line of JSON into its log.
import type { Profiler } from 'node:inspector';
import { Session } from 'node:inspector/promises';
import Module from 'node:module';
import * as vscode from 'vscode';

/** The product, as its file ends. */
const BUNDLE = /[/\\]dist[/\\]extension\.cjs$/;
/** How often it looks, in ms: as often as a timer can. */
const TICK_MS = 1;
const TICKS_MAX = 600_000;
/** How often the profiler looks whose code runs, in ms. */
const SAMPLE_MS = 0.5;

/**
 * What was seen between `Probe: start` and `Probe: stop`. A block is the time that the loop spends
 * in callbacks between two turns of it. Waiting for something to do is none, also when a busy
 * machine wakes the thread late; being pushed off a CPU in the middle of a callback does count.
 */
export interface Blocks {
  readonly is: 'blocks';
  readonly seconds: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** Most CPU time of this thread in one block. */
  readonly maxCpuMs: number;
  /** How long code of the product ran, of all these seconds. */
  readonly ownMs: number;
}

/** How long the product took to be activated: its code to be loaded, and `activate` to return. */
export interface Activation {
  readonly is: 'activation';
  readonly load: Took;
  readonly call: Took;
}
interface Took {
  readonly ms: number;
  /** Of it, how long this thread was on a CPU. */
  readonly cpuMs: number;
}

export function activate({ subscriptions }: vscode.ExtensionContext): void {
  const log = vscode.window.createOutputChannel('Probe', { log: true });
  let stop: (() => Promise<Blocks>) | undefined;
  const commands: Record<string, () => unknown> = {
    start: async () => {
      stop = await watch();
      log.info(JSON.stringify({ is: 'started' }));
    },
    stop: async () => log.info(JSON.stringify(await stop?.())),
  };
  for (const [name, run] of Object.entries(commands)) {
    subscriptions.push(vscode.commands.registerCommand(`probe.${name}`, run));
  }
  watchActivation((activation) => log.info(JSON.stringify(activation)));
}

/**
 * Measures where VS Code loads the bundle and calls it; the probe is there before, by its
 * activation event. What VS Code shows as activation times (“Show Running Extensions”) is something
 * else: it begins before other extensions are loaded that happen to start at the same moment.
 */
function watchActivation(tell: (activation: Activation) => void): void {
  const loader = Module as unknown as { _load: (request: string, ...more: unknown[]) => unknown };
  const load = loader._load;
  loader._load = function (request, ...more) {
    if (!BUNDLE.test(request)) return load.call(this, request, ...more);
    loader._load = load;
    const loaded = timed(() => load.call(this, request, ...more) as { activate: (context: unknown) => unknown });
    return {
      ...loaded.result,
      activate: (context: unknown) => {
        const called = timed(() => loaded.result.activate(context));
        tell({ is: 'activation', load: loaded.took, call: called.took });
        return called.result;
      },
    };
  };
}

function timed<T>(run: () => T): { readonly result: T; readonly took: Took } {
  const [began, cpuBefore] = [performance.now(), cpuMs()];
  const result = run();
  return { result, took: { ms: performance.now() - began, cpuMs: cpuMs() - cpuBefore } };
}

/**
 * Until the result is asked for. Not `monitorEventLoopDelay`: that cannot tell a thread that is
 * kept from one that is woken late.
 */
async function watch(): Promise<() => Promise<Blocks>> {
  const profiler = new Session();
  profiler.connect();
  await profiler.post('Profiler.enable');
  await profiler.post('Profiler.setSamplingInterval', { interval: SAMPLE_MS * 1000 });
  await profiler.post('Profiler.start');
  // Numbers in place: garbage of the measure would be part of what it measures.
  const [blocks, cpus] = [new Float64Array(TICKS_MAX), new Float64Array(TICKS_MAX)];
  const began = performance.now();
  let ticks = 0;
  let [lastActive, lastCpu] = [performance.eventLoopUtilization().active, cpuMs()];
  const timer = setInterval(() => {
    if (ticks === TICKS_MAX) return;
    const [active, cpu] = [performance.eventLoopUtilization().active, cpuMs()];
    blocks[ticks] = active - lastActive;
    cpus[ticks++] = cpu - lastCpu;
    [lastActive, lastCpu] = [active, cpu];
  }, TICK_MS);
  return async () => {
    clearInterval(timer);
    const seconds = (performance.now() - began) / 1000;
    const { profile } = await profiler.post('Profiler.stop');
    profiler.disconnect();
    const sorted = blocks.subarray(0, ticks).sort();
    return {
      is: 'blocks',
      seconds,
      p99Ms: sorted[Math.floor(ticks * 0.99)] ?? 0,
      maxMs: sorted[ticks - 1] ?? 0,
      maxCpuMs: cpus.subarray(0, ticks).sort()[ticks - 1] ?? 0,
      ownMs: ownMs(profile),
    };
  };
}

function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

/**
 * How long code of the product ran: while a function of its bundle is on the stack. Collections of
 * garbage are nobody's, and of the time between two samples only what a machine that is not busy
 * would let pass.
 */
function ownMs({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile): number {
  const own = new Set<number>();
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const visit = (id: number, isOwn: boolean): void => {
    const {
      callFrame: { url, functionName },
      children = [],
    } = byId.get(id) as Profiler.ProfileNode;
    const isOwnHere = isOwn || BUNDLE.test(url);
    if (isOwnHere && functionName !== '(garbage collector)') own.add(id);
    for (const child of children) visit(child, isOwnHere);
  };
  if (nodes[0]) visit(nodes[0].id, false);
  return samples.reduce(
    (sum, id, index) => sum + (own.has(id) ? Math.min((timeDeltas[index + 1] ?? 0) / 1000, 2 * SAMPLE_MS) : 0),
    0,
  );
}
