// An extension that measures the extension host it runs in, which all extensions of a window share: how long its thread is kept, and how long
// the product took to be activated. It does so when told by a command, and writes each result as a line of JSON into its log.
import * as vscode from 'vscode';

/** How often it looks, in ms: as often as a timer can. */
const TICK_MS = 1;

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
  /** The ten longest, and when each began. */
  readonly longest: readonly Block[];
}
interface Block {
  readonly atMs: number;
  readonly blockMs: number;
  readonly cpuMs: number;
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

/** Until the result is asked for. Not `monitorEventLoopDelay`: that cannot tell a thread that is kept from one that is woken late. */
function watch(): () => Blocks {
  const blocks: Block[] = [];
  const look = (): Block => {
    const { user, system } = process.threadCpuUsage();
    return { atMs: performance.now(), blockMs: performance.eventLoopUtilization().active, cpuMs: (user + system) / 1000 };
  };
  const first = look();
  let last = first;
  const timer = setInterval(() => {
    const now = look();
    blocks.push({ atMs: last.atMs - first.atMs, blockMs: now.blockMs - last.blockMs, cpuMs: now.cpuMs - last.cpuMs });
    last = now;
  }, TICK_MS);
  return () => {
    clearInterval(timer);
    const sorted = blocks.toSorted((a, b) => b.blockMs - a.blockMs);
    const at = (index: number): number => sorted[index]?.blockMs ?? 0;
    return {
      is: 'blocks', seconds: (last.atMs - first.atMs) / 1000, p99Ms: at(Math.floor(sorted.length / 100)), maxMs: at(0),
      maxCpuMs: Math.max(0, ...blocks.map(({ cpuMs }) => cpuMs)), longest: sorted.slice(0, 10),
    };
  };
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
