// Mocha is not told to exit: a process that stays after its last test has leaked something (a
// socket, a timer, a child), and this says what. Loaded into every run of mocha by .mocharc.json.
import type { ChildProcess } from 'node:child_process';
import { Server, Socket } from 'node:net';

const EXIT_WITHIN_MS = 10_000;

export const mochaHooks = {
  afterAll() {
    setTimeout(tellAndExit, EXIT_WITHIN_MS).unref(); // fires only if something else keeps the process
  },
};

function tellAndExit(): void {
  const held = process.getActiveResourcesInfo().join(', ');
  process.stderr.write(
    `the tests are over, but after ${EXIT_WITHIN_MS / 1000} s this process is still held by: ${held}\n`,
  );
  for (const handle of openHandles()) process.stderr.write(`  ${describe(handle)}\n`);
  process.once('exit', () => {
    process.exitCode = 1;
  }); // mocha has a listener, too, which sets the code of the tests; this one is later
  process.exit();
}

/** Undocumented, and the only way to learn which socket or which child it is. */
function openHandles(): object[] {
  const { _getActiveHandles: handles } = process as { _getActiveHandles?: () => object[] };
  return handles?.call(process) ?? [];
}

function describe(handle: object): string {
  if (handle instanceof Server) return `server listening on ${JSON.stringify(handle.address())}`;
  if (handle instanceof Socket) {
    return `socket ${handle.localAddress}:${handle.localPort} to ${handle.remoteAddress}:${handle.remotePort}`;
  }
  if ('spawnargs' in handle) {
    return `child ${(handle as ChildProcess).pid}: ${(handle as ChildProcess).spawnargs.join(' ')}`;
  }
  return handle.constructor.name;
}
