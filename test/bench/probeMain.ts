// An extension that measures the extension host it runs in, which all extensions of a window share: how long its thread is kept, and how long
// the product took to be activated. It does so when told by a command, and writes each result as a line of JSON into its log.
import { readFileSync } from 'node:fs';
import * as vscode from 'vscode';

/** Between two turns of the loop, at best, in ms: what a timer can. */
const TICK_MS = 1;

/** What was seen between `Probe: start` and `Probe: stop`. A block is a time in which the loop did not turn, in ms beyond the tick. */
export interface Blocks {
  readonly is: 'blocks';
  readonly seconds: number;
  /** The longest by the clock, and the longest without the time in which another process had the CPU. */
  readonly maxWallMs: number;
  readonly maxMs: number;
  readonly p99Ms: number;
  /** The ten longest, and when each began. */
  readonly longest: readonly Block[];
}
interface Block {
  readonly atMs: number;
  readonly wallMs: number;
  /** Of it, how long this thread ran, and how long it was ready to run and did not get a CPU. */
  readonly cpuMs: number;
  readonly queuedMs: number;
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
  let stop: (() => Blocks) | undefined;
  const commands: Record<string, () => unknown> = {
    start: () => {
      stop?.();
      stop = watch();
      log.info(JSON.stringify({ is: 'started' }));
    },
    stop: () => {
      if (stop) log.info(JSON.stringify(stop()));
      stop = undefined;
    },
    activation: async () => log.info(JSON.stringify(await activationOf('shoal.shoal'))),
  };
  for (const [name, run] of Object.entries(commands)) subscriptions.push(vscode.commands.registerCommand(`probe.${name}`, run));
  log.info(JSON.stringify({ is: 'ready' }));
}

/** Until the result is asked for. Own timers and not `monitorEventLoopDelay`: that one cannot tell a busy thread from a busy machine. */
function watch(): () => Blocks {
  const blocks: Block[] = [];
  const began = performance.now();
  let last = { now: began, ...threadTimes() };
  const timer = setInterval(() => {
    const here = { now: performance.now(), ...threadTimes() };
    blocks.push({ atMs: last.now - began, wallMs: Math.max(0, here.now - last.now - TICK_MS), cpuMs: here.cpuMs - last.cpuMs, queuedMs: here.queuedMs - last.queuedMs });
    last = here;
  }, TICK_MS);
  return () => {
    clearInterval(timer);
    const own = ({ wallMs, queuedMs }: Block): number => Math.max(0, wallMs - queuedMs);
    const sorted = blocks.toSorted((a, b) => own(b) - own(a));
    const at = (index: number): number => (sorted[index] ? own(sorted[index]) : 0);
    return {
      is: 'blocks', seconds: (last.now - began) / 1000, maxWallMs: Math.max(0, ...blocks.map(({ wallMs }) => wallMs)),
      maxMs: at(0), p99Ms: at(Math.floor(sorted.length / 100)), longest: sorted.slice(0, 10),
    };
  };
}

/** How long this thread has run, and has waited for a CPU (Linux tells). */
function threadTimes(): { readonly cpuMs: number; readonly queuedMs: number } {
  if (process.platform === 'linux') {
    const [cpuNs, queuedNs] = readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ').map(Number) as [number, number];
    return { cpuMs: cpuNs / 1e6, queuedMs: queuedNs / 1e6 };
  }
  const { user, system } = process.threadCpuUsage();
  return { cpuMs: (user + system) / 1000, queuedMs: 0 };
}

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
