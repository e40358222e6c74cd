// The command `shoal`, and the engine that it starts: one bundle, dist/engine.js.
import { isMainThread, workerData } from 'node:worker_threads';
import { threadArguments } from '../../protocol/home/startThread.ts';

const words = isMainThread ? process.argv.slice(2) : threadArguments(workerData);
if (words) void main(words);

async function main(given: readonly string[]): Promise<void> {
  const { runCli } = await import('./cli.ts');
  process.exitCode = await runCli(given);
}
