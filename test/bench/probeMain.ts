// An extension that measures the extension host it runs in, which all extensions of a window share: how long its thread is kept, and how long
// the product took to be activated. It does so when told by a command, and writes each result as a line of JSON into its log.
import type { Profiler } from 'node:inspector';
import { Session } from 'node:inspector/promises';
import * as vscode from 'vscode';

/** How often it looks, in ms: as often as a timer can. */
const TICK_MS = 1;
const TICKS_MAX = 600_000;
/** How often the profiler looks whose code runs, in ms. */
const SAMPLE_MS = 0.5;

/**
 * What was seen between `Probe: start` and `Probe: stop`. A block is the time that the loop spends in callbacks between two turns of it. Waiting for
 * something to do is none, also when a busy machine wakes the thread late; being pushed off a CPU in the middle of a callback does count.
 */
export interface Blocks {
  readonly is: 'blocks';
  readonly seconds: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** Most CPU time of this thread in one block. */
  readonly maxCpuMs: number;
  /** The longest that code of the product ran without a break, and all of it. */
  readonly ownMaxMs: number;
  readonly ownMs: number;
}

/** What VS Code itself has noted of an extension's activation, in whole ms. */
export interface Activation {
  readonly is: 'activation';
  /** From before to after its code is loaded, and from before to after `activate` is called. */
  readonly loadMs: number;
  readonly callMs: number;
  /** What “Show Running Extensions” says: also counts what other extensions do between its beginning and the loading. */
  readonly shownMs: number;
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
    activation: async () => log.info(JSON.stringify(await activationOf('shoal.shoal'))),
  };
  for (const [name, run] of Object.entries(commands)) subscriptions.push(vscode.commands.registerCommand(`probe.${name}`, run));
}

/** Until the result is asked for. Not `monitorEventLoopDelay`: that cannot tell a thread that is kept from one that is woken late. */
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
      is: 'blocks', seconds, p99Ms: sorted[Math.floor(ticks * 0.99)] ?? 0, maxMs: sorted[ticks - 1] ?? 0,
      maxCpuMs: cpus.subarray(0, ticks).sort()[ticks - 1] ?? 0, ...ownTimes(profile),
    };
  };
}

function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

/** Code is the product's while a function of its bundle is on the stack; a collection of garbage in the midst of it is its, too. */
function ownTimes({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile): Pick<Blocks, 'ownMs' | 'ownMaxMs'> {
  const kinds = new Map<number, 'own' | 'garbage' | 'other'>();
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const visit = (id: number, isOwn: boolean): void => {
    const { callFrame: { url, functionName }, children = [] } = byId.get(id) as Profiler.ProfileNode;
    const isOwnHere = isOwn || url.endsWith('/dist/extension.cjs');
    kinds.set(id, functionName === '(garbage collector)' ? 'garbage' : isOwnHere ? 'own' : 'other');
    for (const child of children) visit(child, isOwnHere);
  };
  if (nodes[0]) visit(nodes[0].id, false);
  let [ownMs, ownMaxMs, run] = [0, 0, 0];
  for (const [index, id] of samples.entries()) {
    const kind = kinds.get(id);
    const isOwn = kind === 'own' || (kind === 'garbage' && run > 0);
    const ms = isOwn ? (timeDeltas[index + 1] ?? 0) / 1000 : 0;
    run = isOwn ? run + ms : 0;
    ownMs += ms;
    ownMaxMs = Math.max(ownMaxMs, run);
  }
  return { ownMs, ownMaxMs };
}

/** Of the time in which the extension was activated. */
async function activationOf(id: string): Promise<Activation> {
  // The marks that VS Code sets around what it does; they are in “Developer: Startup Performance”, too, which has no API either.
  const { MonacoPerformanceMarks: marks } = globalThis as unknown as { MonacoPerformanceMarks: { getMarks(): readonly { readonly name: string; readonly startTime: number }[] } };
  const at = (name: string): number => {
    const mark = marks.getMarks().find((one) => one.name === `code/extHost/${name}/${id}`);
    if (!mark) throw new Error(`VS Code has no mark ${name}`);
    return mark.startTime;
  };
  const [, , load, call] = (await shownRow(id)).split('|').slice(1).map(Number);
  if (load === undefined || call === undefined || Number.isNaN(load + call)) throw new Error('the table is not as expected');
  return { is: 'activation', loadMs: at('didLoadExtensionCode') - at('willLoadExtensionCode'), callMs: call, shownMs: load + call };
}

/** The extension's row in “Developer: Startup Performance”. */
async function shownRow(id: string): Promise<string> {
  await vscode.commands.executeCommand('perfview.show');
  const row = await new Promise<string>((resolve) => {
    const look = (): void => {
      const line = vscode.workspace.textDocuments.find(({ uri }) => uri.scheme === 'perf')?.getText().split('\n').find((text) => text.startsWith(`| ${id} `));
      if (line === undefined) return;
      listener.dispose();
      resolve(line);
    };
    const listener = vscode.Disposable.from(vscode.workspace.onDidChangeTextDocument(look), vscode.workspace.onDidOpenTextDocument(look));
    look();
  });
  await vscode.commands.executeCommand('workbench.action.closeActiveEditor');
  return row;
}
