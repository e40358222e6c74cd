// The home: the folder in which an engine keeps everything, as far as those who look for its engine
// must know it. Knows where each file is, how a small one is read and written, and where the engine
// can be spoken to; every file carries a format number, so that an older program never misreads a
// newer one's.
import path from 'node:path';
import { isShoalError, ShoalError, systemCode } from '../base/errors.ts';
import type { Disk } from '../base/world.ts';

/** Format of all files of the home that this program writes. */
export const HOME_FORMAT = 1;

export interface Home {
  readonly folder: string;
  /** This device's key. */
  readonly identityFile: string;
  /** What frontends and the engine of this home both know (greeting.ts). */
  readonly secretFile: string;
  /** Where the engine of this home can be spoken to, as long as it runs. */
  readonly addressFile: string;
  /** An exclusive transaction on it elects the one engine. */
  readonly lockFile: string;
  readonly trackerFile: string;
  readonly accountFile: string;
  readonly settingsFile: string;
  readonly outboxFile: string;
  /** Conflicts that the person was told of. */
  readonly conflictsFile: string;
  /** Who was downloading from here when the last engine left. */
  readonly interruptedUploadsFile: string;
  /** One record and one piece layer for each file shared or downloaded. */
  readonly transfersFolder: string;
  /** What was read of files that are not downloaded; emptied at every start. */
  readonly previewsFolder: string;
  /** Bundles that engines were started from, by version. */
  readonly binFolder: string;
  readonly logFile: string;
}

export function homeAt(folder: string): Home {
  const at = (name: string): string => path.join(folder, name);
  return {
    folder,
    identityFile: at('identity.json'),
    secretFile: at('secret.json'),
    addressFile: at('engine.json'),
    lockFile: at('engine.lock'),
    trackerFile: at('tracker.json'),
    accountFile: at('account.json'),
    settingsFile: at('settings.json'),
    outboxFile: at('outbox.json'),
    conflictsFile: at('conflicts.json'),
    interruptedUploadsFile: at('cut-off.json'),
    transfersFolder: at('transfers'),
    previewsFolder: at('previews'),
    binFolder: at('bin'),
    logFile: at('engine.log'),
  };
}

/**
 * Reads a small file; undefined when there is none. `read` turns its fields into what the caller
 * wants and may throw.
 *
 * @throws ShoalError newerFormat, damagedFile; the file is left as it is
 */
export async function readSmallFile<T>(
  disk: Disk,
  file: string,
  read: (fields: Readonly<Record<string, unknown>>) => T,
): Promise<T | undefined> {
  let bytes: Buffer;
  try {
    bytes = await disk.readFile(file);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
  let fields: Record<string, unknown>;
  try {
    fields = JSON.parse(bytes.toString('utf8')) as Record<string, unknown>;
    if (typeof fields !== 'object' || fields === null || typeof fields['format'] !== 'number') {
      throw new Error('it has no format number');
    }
  } catch (error) {
    throw new ShoalError('damagedFile', { path: file, why: (error as Error).message }, { cause: error });
  }
  if (fields['format'] > HOME_FORMAT) {
    throw new ShoalError('newerFormat', { path: file, format: String(fields['format']) });
  }
  try {
    return read(fields);
  } catch (error) {
    throw new ShoalError('damagedFile', { path: file, why: (error as Error).message }, { cause: error });
  }
}

/** Writes a small file whole or not at all, readable by its owner alone. */
export function writeSmallFile(disk: Disk, file: string, fields: Readonly<Record<string, unknown>>): Promise<void> {
  return disk.replaceFile(
    file,
    Buffer.from(`${JSON.stringify({ format: HOME_FORMAT, ...fields }, undefined, 2)}\n`),
    0o600,
  );
}

/** A field that must be a text. */
export function textField(fields: Readonly<Record<string, unknown>>, name: string): string {
  const value = fields[name];
  if (typeof value !== 'string') throw new Error(`${name} is not a text`);
  return value;
}

/** The home's secret, if an engine was ever started there. */
export function readSecret(home: Home, disk: Disk): Promise<Buffer | undefined> {
  return readSmallFile(disk, home.secretFile, (fields) => {
    const secret = Buffer.from(textField(fields, 'secret'), 'base64');
    if (secret.length !== 32) throw new Error('the secret has the wrong length');
    return secret;
  });
}

/** Who is, or was, the engine of a home. */
export interface EngineAddress {
  readonly socket: string;
  readonly processId: number;
}

/**
 * Undefined when no engine has been there, or it has left. @throws ShoalError homeUnusable,
 * newerFormat
 */
export async function readAddress(home: Home, disk: Disk): Promise<EngineAddress | undefined> {
  try {
    return await readSmallFile(disk, home.addressFile, (fields) => ({
      socket: textField(fields, 'socket'),
      processId: Number(fields['processId']),
    }));
  } catch (error) {
    if (isShoalError(error, 'damagedFile')) return undefined; // the next engine writes it anew
    if (isShoalError(error)) throw error;
    throw new ShoalError(
      'homeUnusable',
      { path: home.folder, why: systemCode(error) ?? String(error) },
      { cause: error },
    );
  }
}
