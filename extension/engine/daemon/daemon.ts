// The process that connectEngine.ts starts: log, election, engine, and leaving when it is told to.
// Never prints for people, except that it cannot start.
import { fileURLToPath } from 'node:url';
import pino from 'pino';
import { removeOldBundles } from '../../../protocol/node/detachedProcess.ts';
import { asShoalError } from '../../../protocol/base/errors.ts';
import { createIdentity } from '../../../protocol/node/identity.ts';
import { createNodeWorld } from '../../../protocol/node/nodeWorld.ts';
import { toWire } from '../../../protocol/wire/wireErrors.ts';
import type { Log, LogFields } from '../../../protocol/base/world.ts';
import { createEngine } from '../createEngine.ts';
import type { Home } from '../../../protocol/home/homeLayout.ts';
import { loadIdentity, makeHome } from './homeFiles.ts';
import { createNodeDisk } from '../../../protocol/node/nodeDisk.ts';
import { startLocalServer } from './localServer.ts';
import { wasUninstalled } from './uninstalled.ts';

/** How long what is left may keep a process whose engine has left, in ms. */
const EXIT_MS = 3_000;

/**
 * Runs the engine of a home until it leaves; returns at once when the home has one. Resolves to the
 * exit code.
 *
 * @param extensionFolder  of the extension that started it, if one did
 */
export async function runEngine(home: Home, version: string, extensionFolder?: string): Promise<number> {
  const stay = setInterval(() => {}, 2 ** 30); // the world's timers keep no process
  let log: Log | undefined;
  try {
    await makeHome(home, createNodeDisk());
    const logs = (log = logTo(home.logFile));
    // Not before the election: two processes that start at the same time would each make an
    // identity.
    const openEngine = async () => {
      const identity = await loadIdentity(home, createNodeDisk());
      return createEngine({ home, identity, version, world: createNodeWorld({ identity, log: logs }) });
    };
    // The host speaks on the local socket only, where no identity is shown.
    const isOrphan = extensionFolder === undefined ? {} : { isOrphan: () => wasUninstalled(extensionFolder) };
    const server = await startLocalServer({
      home,
      version,
      log,
      createEngine: openEngine,
      ...isOrphan,
      world: createNodeWorld({ identity: createIdentity(), log }),
    });
    if (!server) {
      log.info('another process is the engine of this home');
      return 0;
    }
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void server.leave());
    process.on('uncaughtException', (error) => {
      logs.error('the engine broke', { error, failure: toWire(asShoalError(error)) });
      process.exit(1);
    });
    try {
      removeOldBundles(home.binFolder, fileURLToPath(import.meta.url));
    } catch (error) {
      log.warn('old bundles could not be removed', { error });
    }
    await server.whenLeft;
    setTimeout(() => process.exit(), EXIT_MS).unref();
    return 0;
  } catch (error) {
    const failure = asShoalError(error);
    log?.error('the engine cannot start', { error, failure: toWire(failure) });
    process.stderr.write(`shoal: the engine cannot start: ${failure.message}\n`);
    return failure.exitCode;
  } finally {
    clearInterval(stay);
  }
}

/**
 * Lines of JSON at the end of a file. SHOAL_LOG says from which level on: debug, info (default),
 * warn, error.
 */
function logTo(file: string): Log {
  const level = process.env['SHOAL_LOG'] ?? 'info';
  const logger = pino(
    {
      level: level in pino.levels.values ? level : 'info',
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      serializers: { error: pino.stdSerializers.err },
    },
    pino.destination({ dest: file, append: true, sync: true, mode: 0o600 }),
  );
  return {
    debug: (phrase, fields: LogFields = {}) => logger.debug(fields, phrase),
    info: (phrase, fields: LogFields = {}) => logger.info(fields, phrase),
    warn: (phrase, fields: LogFields = {}) => logger.warn(fields, phrase),
    error: (phrase, fields: LogFields = {}) => logger.error(fields, phrase),
  };
}
