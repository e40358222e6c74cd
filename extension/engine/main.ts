// The command `shoal`, and the engine that it starts: one bundle, dist/engine.js. A worker thread that hashes loads it too and becomes
// what hashWorker.ts makes of it.
import { isMainThread } from 'node:worker_threads';
import './hashWorker.ts';

if (isMainThread) void main();

async function main(): Promise<void> {
  const { runCli } = await import('./cli.ts');
  process.exitCode = await runCli(process.argv.slice(2));
}
