// The home: the folder in which an engine keeps everything. Knows where each file is and how a small file is read and written;
// every one carries a format number, so that an older program never misreads a newer one's.
import path from 'node:path';
import { ShoalError, systemCode } from '../../protocol/errors.ts';
import type { Identity } from '../../protocol/identity.ts';
import { createIdentity, identityBytes, readIdentity } from '../../protocol/identity.ts';
import type { Chance, Disk } from '../../protocol/world.ts';
import { makeDurableFolder } from './durableFolder.ts';

/** Format of all files of the home that this program writes. */
export const HOME_FORMAT = 1;

export interface Home {
  readonly folder: string;
  /** This device's key. */
  readonly identityFile: string;
  /** What frontends and the engine of this home both know (greeting.ts). */
  readonly secretFile: string;
  /** An exclusive transaction on it elects the one engine. */
  readonly lockFile: string;
  readonly trackerFile: string;
  readonly accountFile: string;
  readonly settingsFile: string;
  readonly outboxFile: string;
  /** One record and one piece layer for each file shared or downloaded. */
  readonly transfersFolder: string;
  /** Bundles that engines were started from, by version. */
  readonly binFolder: string;
  readonly logFile: string;
}

export function homeAt(folder: string): Home {
  const at = (name: string): string => path.join(folder, name);
  return {
    folder,
    identityFile: at('identity.json'), secretFile: at('secret.json'), lockFile: at('engine.lock'), trackerFile: at('tracker.json'),
    accountFile: at('account.json'), settingsFile: at('settings.json'), outboxFile: at('outbox.json'),
    transfersFolder: at('transfers'), binFolder: at('bin'), logFile: at('engine.log'),
  };
}

/** Makes the home's folders, readable by their owner alone. @throws ShoalError homeUnusable */
export async function makeHome(home: Home, disk: Disk): Promise<void> {
  try {
    await makeDurableFolder(disk, home.folder, 0o700);
    await makeDurableFolder(disk, home.transfersFolder, 0o700);
  } catch (error) {
    throw new ShoalError('homeUnusable', { path: home.folder, why: systemCode(error) ?? String(error) }, { cause: error });
  }
}

/**
 * Reads a small file; undefined when there is none. `read` turns its fields into what the caller wants and may throw.
 *
 * @throws ShoalError newerFormat, damagedFile; the file is left as it is
 */
export async function readSmallFile<T>(disk: Disk, file: string, read: (fields: Readonly<Record<string, unknown>>) => T): Promise<T | undefined> {
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
    if (typeof fields !== 'object' || fields === null || typeof fields['format'] !== 'number') throw new Error('it has no format number');
  } catch (error) {
    throw new ShoalError('damagedFile', { path: file, why: (error as Error).message }, { cause: error });
  }
  if (fields['format'] > HOME_FORMAT) throw new ShoalError('newerFormat', { path: file, format: String(fields['format']) });
  try {
    return read(fields);
  } catch (error) {
    throw new ShoalError('damagedFile', { path: file, why: (error as Error).message }, { cause: error });
  }
}

/** Writes a small file whole or not at all, readable by its owner alone. */
export function writeSmallFile(disk: Disk, file: string, fields: Readonly<Record<string, unknown>>): Promise<void> {
  return disk.replaceFile(file, Buffer.from(`${JSON.stringify({ format: HOME_FORMAT, ...fields }, undefined, 2)}\n`), 0o600);
}

/** A field that must be a text. */
export function textField(fields: Readonly<Record<string, unknown>>, name: string): string {
  const value = fields[name];
  if (typeof value !== 'string') throw new Error(`${name} is not a text`);
  return value;
}

/** This home's identity, made at the first start. */
export async function loadIdentity(home: Home, disk: Disk): Promise<Identity> {
  const held = await readSmallFile(disk, home.identityFile, (fields) => readIdentity(Buffer.from(textField(fields, 'key'), 'base64')));
  if (held) return held;
  const made = createIdentity();
  await writeSmallFile(disk, home.identityFile, { key: identityBytes(made).toString('base64') });
  return made;
}

/** What frontends of this home prove to know, 32 bytes, made at the first start. */
export async function loadSecret(home: Home, disk: Disk, chance: Chance): Promise<Buffer> {
  const held = await readSecret(home, disk);
  if (held) return held;
  const made = chance.bytes(32);
  await writeSmallFile(disk, home.secretFile, { secret: made.toString('base64') });
  return made;
}

/** The home's secret, if an engine was ever started there. */
export function readSecret(home: Home, disk: Disk): Promise<Buffer | undefined> {
  return readSmallFile(disk, home.secretFile, (fields) => {
    const secret = Buffer.from(textField(fields, 'secret'), 'base64');
    if (secret.length !== 32) throw new Error('the secret has the wrong length');
    return secret;
  });
}
