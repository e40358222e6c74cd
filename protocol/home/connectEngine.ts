// How a frontend gets to the engine of its home: it dials the local socket and, if nobody answers,
// starts the engine and dials again. Two that start one at the same moment meet at the same engine,
// because only the elected one stays.
import type { Backoff } from '../async/backoff.ts';
import { backoffMs } from '../async/backoff.ts';
import type { Connection } from '../wire/connection.ts';
import { engineLink } from '../messages/engineLink.ts';
import { isShoalError, ShoalError, systemCode } from '../base/errors.ts';
import type { GreetedLink } from '../wire/openConnection.ts';
import { openLink } from '../wire/openConnection.ts';
import { HEARTBEAT_MS } from '../base/limits.ts';
import type { HandlersOf } from '../wire/table.ts';
import type { ByteStream, World } from '../base/world.ts';
import type { Home } from './homeLayout.ts';
import { readAddress, readSecret } from './homeLayout.ts';
import type { EngineProcess } from './startProcess.ts';
import { programName, compareVersions, versionOf } from '../node/version.ts';
import { wait } from '../async/wait.ts';

/**
 * How long an engine may take from its start to its first answer, in ms: a slow disk and a cold
 * cache fit many times.
 */
const START_MS_MAX = 20_000;

/** How long an accepted connection may take on this machine, in ms. */
const DIAL_MS_MAX = 5_000;

/** Delay before dialling again: 20 ms, then a little longer each time, up to half a second. */
const REDIAL: Backoff = { firstMs: 20, maxMs: 500, factor: 1.3, jitterMin: 1, jitterMax: 1 };

/** How long an older engine may take to leave, in ms. */
const RETIRE_MS_MAX = 15_000;

export type FrontendHandlers = HandlersOf<typeof engineLink, 'frontend'>;

export interface FrontendOptions {
  readonly home: Home;
  readonly world: World;
  readonly version: string;
  /** What to do with what the engine tells. */
  readonly handlers: FrontendHandlers;
}

export interface ConnectOptions extends FrontendOptions {
  readonly startProcess: (home: Home) => EngineProcess;
}

export interface EngineConnection {
  readonly connection: Connection<typeof engineLink, 'frontend'>;
  /** Version of the engine. */
  readonly version: string;
  readonly processId: number;
  /** Whether this call started it. */
  readonly started: boolean;
}

/**
 * The engine of a home, started if it does not run, replaced if it is older than this frontend.
 *
 * @throws ShoalError engineUnreachable, engineNewer, homeUnusable, and what the engine said when it
 *   could not start
 */
export async function connectEngine(options: ConnectOptions): Promise<EngineConnection> {
  const {
    home,
    world: { clock },
    version,
  } = options;
  const giveUpAtMs = clock.monotonicMs() + START_MS_MAX;
  let child: EngineProcess | undefined;
  for (let attempt = 1; ; attempt++) {
    const found = await findEngine(options);
    if (found) {
      const fits = compareVersions(found.version, version);
      if (fits === 'fits') {
        const started = child !== undefined && child.processId === found.processId;
        if (!started) child?.discard();
        return { ...found, started };
      }
      if (fits === 'tooNew') {
        found.connection.close();
        throw new ShoalError('engineNewer', { home: home.folder, theirs: found.version, ours: version });
      }
      await retire(found);
      continue;
    }
    if (clock.monotonicMs() > giveUpAtMs) throw unreachable(home, `it did not answer within ${START_MS_MAX / 1000} s`);
    // One that ended without a failure was not elected: another is starting, or leaving. Then it
    // may be our turn.
    if (child === undefined || child.ended) child = options.startProcess(home);
    const delayMs = backoffMs(REDIAL, attempt, () => 0);
    const failure = await Promise.race([wait(clock, delayMs), child.whenFailed]);
    if (failure) throw failure;
  }
}

/**
 * The engine of a home if it runs, of whatever version.
 *
 * @throws ShoalError engineUnreachable when it runs and does not answer, badProof, versionMismatch
 */
export async function findEngine({
  home,
  world,
  version,
  handlers,
}: FrontendOptions): Promise<Omit<EngineConnection, 'started'> | undefined> {
  const { disk } = world;
  const address = await readAddress(home, disk);
  const secret = address && (await readSecret(home, disk));
  if (!secret) return undefined;
  const { socket } = address;
  let stream: ByteStream;
  try {
    stream = await world.network.dial({ path: socket }, { timeoutMs: DIAL_MS_MAX });
  } catch (error) {
    const why = systemCode((error as Error).cause);
    if (why === 'EACCES' || why === 'EPERM') {
      throw new ShoalError('homeUnusable', { path: socket, why: 'it belongs to another user' }, { cause: error });
    }
    return undefined; // what a killed engine leaves behind; the next one clears it
  }
  let link: GreetedLink;
  try {
    link = await openLink(stream, {
      world,
      role: 'frontend',
      accepts: ['engine'],
      program: programName(version),
      secret,
    });
  } catch (error) {
    if (isShoalError(error, 'linkClosed')) return undefined; // it is leaving
    if (isShoalError(error, 'deadline')) {
      throw unreachable(
        home,
        `its process ${address.processId} runs but does not react; end that process and try again`,
      );
    }
    throw error;
  }
  const connection = link.connect({
    table: engineLink,
    side: 'frontend',
    handlers,
    heartbeatMs: HEARTBEAT_MS.engine,
  });
  // What was read before may have been left by an engine that was killed, under the same path.
  const { processId } = (await readAddress(home, disk)) ?? address;
  return { connection, version: versionOf(link.program), processId };
}

/** Asks an engine to leave and waits until it has. */
export async function retire({ connection }: Pick<EngineConnection, 'connection'>): Promise<void> {
  try {
    await connection.call('stop', {}, { deadlineMs: RETIRE_MS_MAX });
  } catch (error) {
    if (!isShoalError(error, 'linkClosed')) throw error; // closed: another frontend asked first
  }
  await connection.whenEnded;
}

function unreachable(home: Home, why: string): ShoalError {
  return new ShoalError('engineUnreachable', { home: home.folder, why, log: home.logFile });
}
