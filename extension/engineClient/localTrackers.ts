// A pair of trackers on this computer, for a person or a team without a server: the bundled
// tracker, started as processes that outlive VS Code. The tracker's own command line does the work;
// this runs it and reads what it prints.
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { nodeInElectron } from '../../protocol/node/detachedProcess.ts';
import { isErrorCode, ShoalError } from '../../protocol/base/errors.ts';
import type { ErrorFields } from '../../protocol/base/errors.ts';
import type { Log } from '../../protocol/base/world.ts';

/** How long the tracker's command line may take, in ms: two starts on a slow machine. */
const RUN_MS_MAX = 45_000;

/**
 * For this computer alone, or for others in its network: two realms, because a realm names its
 * trackers' addresses.
 */
export type Reach = 'computer' | 'network';
const REACHES: readonly Reach[] = ['computer', 'network'];

export interface LocalTrackerPair {
  readonly reach: Reach;
  readonly url: string;
}

export class LocalTrackers {
  readonly #bundle: string;
  readonly #folder: string;
  readonly #log: Log;

  /** @param home  folder of the home; the pairs lie in it */
  constructor(extensionFolder: string, home: string, log: Log) {
    this.#bundle = path.join(extensionFolder, 'dist', 'tracker.js');
    this.#folder = path.join(home, 'trackers');
    this.#log = log;
  }

  /** Pairs that were made here, running or not. */
  async known(): Promise<readonly LocalTrackerPair[]> {
    const existing = REACHES.filter((reach) => this.isMade(reach));
    const pairs = await Promise.all(
      existing.map(async (reach) => {
        const { url } = await this.#run('pair_status', reach).catch(() => ({ url: undefined }));
        return typeof url === 'string' ? [{ reach, url }] : [];
      }),
    );
    return pairs.flat();
  }

  /** Whether it was made here once: then it keeps the address it was made for. */
  isMade(reach: Reach): boolean {
    return fs.existsSync(path.join(this.#folderOf(reach), 'realm.json'));
  }

  /**
   * The pair, started where it does not run.
   *
   * @param host  by which others reach this computer; undefined: as it was made, or nobody
   * @throws ShoalError as the tracker says
   */
  async start(reach: Reach, host?: string): Promise<LocalTrackerPair> {
    const { url } = await this.#run('start_pair', reach, ...(host === undefined ? [] : ['--host', host]));
    this.#log.info('local trackers started', { reach, host: host ?? '' });
    return { reach, url: String(url) };
  }

  /** Whether one of them was running. */
  async stop({ reach }: LocalTrackerPair): Promise<boolean> {
    const { stopped } = await this.#run('stop_pair', reach);
    return Array.isArray(stopped) && stopped.length > 0;
  }

  #folderOf(reach: Reach): string {
    return path.join(this.#folder, reach);
  }

  /** Runs a verb of the tracker and gives what it prints. @throws ShoalError */
  #run(verb: string, reach: Reach, ...options: readonly string[]): Promise<Readonly<Record<string, unknown>>> {
    const env = { ...process.env, ...nodeInElectron() };
    return new Promise((resolve, reject) => {
      execFile(
        process.execPath,
        [this.#bundle, verb, this.#folderOf(reach), ...options, '--json'],
        { env, timeout: RUN_MS_MAX, windowsHide: true },
        (error, stdout, stderr) => {
          const output = lastJson(stdout);
          const { error: failure } = (output ?? {}) as {
            error?: { code?: string; message?: string; fields?: ErrorFields };
          };
          if (failure?.code !== undefined && isErrorCode(failure.code)) {
            reject(new ShoalError(failure.code, failure.fields));
          } else if (error && (verb !== 'pair_status' || !output)) {
            reject(
              new ShoalError('internal', { why: stderr.trim().split('\n').at(-1) || error.message }, { cause: error }),
            );
          } else resolve(output ?? {});
        },
      );
    });
  }
}

function lastJson(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return JSON.parse(text.trim().split('\n').at(-1) ?? '') as Readonly<Record<string, unknown>>;
  } catch {
    return undefined;
  }
}

/** Addresses by which others in the network may reach this computer. */
export const networkHosts = (): readonly string[] =>
  Object.values(os.networkInterfaces())
    .flatMap((all) => all ?? [])
    .filter(({ internal, family }) => !internal && family === 'IPv4')
    .map(({ address }) => address);
