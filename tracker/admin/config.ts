// What makes a realm and its trackers, on disk: `init` writes it, `serve` reads it. Every file
// carries a format number; secrets are readable by their owner alone.
//   DIR/realm.json              the realm's key: needed only to change the list of trackers
//   DIR/tracker-N/tracker.json  one tracker's keys and the signed list; what goes to its host
//   DIR/tracker-N/log.sqlite    its log
//   DIR/tracker-N/last-run.json where it listened last, and that it has a log
import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import path from 'node:path';
import { ShoalError, systemCode } from '../../protocol/base/errors.ts';
import type { Identity } from '../../protocol/node/identity.ts';
import { createIdentity, identityBytes, readIdentity } from '../../protocol/node/identity.ts';
import type { Pin } from '../../protocol/base/ids.ts';
import type { Address } from '../../protocol/base/fields.ts';
import type { Descriptor, SignedDescriptor } from '../../protocol/messages/realm.ts';
import { parseAddress } from '../../protocol/base/address.ts';
import { checkDescriptor, realmUrlText, signDescriptor, TRACKERS_MAX } from '../../protocol/messages/realm.ts';
import type { TicketSigner } from '../../protocol/messages/ticket.ts';
import type { Chance, Disk } from '../../protocol/base/world.ts';

/** Format of the files written here. */
const FORMAT = 1;
export const REALM_FILE = 'realm.json';
export const TRACKER_FILE = 'tracker.json';
const LAST_RUN_FILE = 'last-run.json';
export const LOG_FILE = 'log.sqlite';

export interface TrackerConfig {
  readonly folder: string;
  /** 1 or 2. */
  readonly number: number;
  readonly realm: Pin;
  readonly identity: Identity;
  readonly signer: TicketSigner;
  readonly descriptor: Descriptor;
  readonly signedDescriptor: SignedDescriptor;
}

export interface MadeRealm {
  readonly url: string;
  /** The folder of each tracker, in their order. */
  readonly folders: readonly string[];
}

/**
 * Makes a realm: its key, the signed list of trackers, and a folder for each.
 *
 * @throws ShoalError badRealmFolder when there is one already
 */
export async function makeRealm(disk: Disk, folder: string, addresses: readonly Address[]): Promise<MadeRealm> {
  if (addresses.length === 0 || addresses.length > TRACKERS_MAX) {
    throw new ShoalError('usage', { why: `a realm has one or ${TRACKERS_MAX} trackers` });
  }
  if (await disk.stat(path.join(folder, REALM_FILE))) {
    throw new ShoalError('badRealmFolder', { path: folder, why: 'a realm was made there already' });
  }
  const realmKey = generateKeyPairSync('ed25519');
  const trackers = addresses.map((address, n) => ({
    number: n + 1,
    address,
    identity: createIdentity(),
    ticketKey: generateKeyPairSync('ed25519'),
  }));
  const content: Descriptor = {
    realmKey: publicBytes(realmKey.publicKey),
    version: 1,
    former: [],
    trackers: trackers.map(({ number, address, identity, ticketKey }) => ({
      number,
      address,
      pin: identity.pin,
      ticketKey: publicBytes(ticketKey.publicKey),
    })),
  };
  const signed = signDescriptor(content, realmKey.privateKey);
  const list = { descriptor: fileText(signed.descriptor), signature: fileText(signed.signature) };
  await disk.makeFolder(folder, 0o700);
  const folders: string[] = [];
  for (const { number, identity, ticketKey } of trackers) {
    const own = path.join(folder, `tracker-${number}`);
    await disk.makeFolder(own, 0o700);
    await writeFile(disk, path.join(own, TRACKER_FILE), {
      number,
      key: fileText(identityBytes(identity)),
      ticketKey: fileText(secretBytes(ticketKey.privateKey)),
      ...list,
    });
    folders.push(own);
  }
  // Last: with this file the realm is complete.
  await writeFile(disk, path.join(folder, REALM_FILE), { key: fileText(secretBytes(realmKey.privateKey)), ...list });
  const { realm } = checkDescriptor(signed, undefined, addresses[0] as Address);
  return { url: realmUrlText({ realm, addresses }), folders };
}

/**
 * Reads a tracker's folder.
 *
 * @throws ShoalError badRealmFolder, newerFormat
 */
export async function readConfig(disk: Disk, folder: string): Promise<TrackerConfig> {
  const fields = await readFile(disk, path.join(folder, TRACKER_FILE));
  try {
    const identity = readIdentity(fileBytes(fields, 'key'));
    const ticketKey = createPrivateKey({ key: fileBytes(fields, 'ticketKey'), format: 'der', type: 'pkcs8' });
    const signedDescriptor = { descriptor: fileBytes(fields, 'descriptor'), signature: fileBytes(fields, 'signature') };
    const { realm, ...descriptor } = checkDescriptor(signedDescriptor, undefined, { host: folder, port: 0 });
    const number = Number(fields['number']);
    const own = descriptor.trackers.find((tracker) => tracker.pin === identity.pin);
    const isRetired = !own && descriptor.former.includes(identity.pin);
    if (!isRetired && own?.number !== number) throw new Error('its key is not in the list of trackers');
    if (own && Buffer.compare(own.ticketKey, publicBytes(createPublicKey(ticketKey))) !== 0) {
      throw new Error('its ticket key is not in the list of trackers');
    }
    return {
      folder,
      number,
      realm,
      identity,
      signer: { tracker: identity.pin, ticketKey },
      descriptor,
      signedDescriptor,
    };
  } catch (error) {
    throw new ShoalError('badRealmFolder', { path: folder, why: (error as Error).message }, { cause: error });
  }
}

/**
 * Keeps a newer list of trackers in a tracker's folder; the caller has checked its signature.
 * @throws ShoalError badRealmFolder, newerFormat
 */
export async function saveTrackerList(
  disk: Disk,
  folder: string,
  { descriptor, signature }: SignedDescriptor,
): Promise<void> {
  const file = path.join(folder, TRACKER_FILE);
  const { format: _, ...fields } = await readFile(disk, file);
  await writeFile(disk, file, { ...fields, descriptor: fileText(descriptor), signature: fileText(signature) });
}

/** What a tracker notes about its last run. */
export interface LastRun {
  /** Where it listened: there `status` finds it. */
  readonly address: Address;
  /** False while it waits for its partner to give back a log that it has lost. */
  readonly logIsWhole: boolean;
}

export const saveLastRun = (disk: Disk, folder: string, { address, logIsWhole }: LastRun): Promise<void> =>
  writeFile(disk, path.join(folder, LAST_RUN_FILE), { ...address, logIsWhole });

/** Undefined before the first run. @throws ShoalError badRealmFolder, newerFormat */
export async function readLastRun(disk: Disk, folder: string): Promise<LastRun | undefined> {
  const file = path.join(folder, LAST_RUN_FILE);
  if (!(await disk.stat(file))) return undefined;
  const { host, port, logIsWhole } = await readFile(disk, file);
  return { address: { host: String(host), port: Number(port) }, logIsWhole: logIsWhole === true };
}

/**
 * The folder of a tracker, given that or the folder of a realm that has only one.
 *
 * @throws ShoalError badRealmFolder
 */
export async function trackerFolder(disk: Disk, folder: string): Promise<string> {
  if ((await disk.stat(path.join(folder, TRACKER_FILE))) || !(await disk.stat(path.join(folder, REALM_FILE)))) {
    return folder;
  }
  if (!(await disk.stat(path.join(folder, 'tracker-2')))) return path.join(folder, 'tracker-1');
  throw new ShoalError('badRealmFolder', {
    path: folder,
    why: 'it is the folder of a pair; name one of its two, tracker-1 or tracker-2',
  });
}

/** The URL that clients of a realm are given. */
export const urlOf = ({ realm, descriptor }: TrackerConfig): string =>
  realmUrlText({ realm, addresses: descriptor.trackers.map(({ address }) => address) });

/**
 * The trackers in a classic `tracker_info.txt`: a `host:port` on each line, `#` begins a comment.
 *
 * @throws ShoalError usage with the line that is wrong
 */
export async function readTrackerInfo(disk: Disk, file: string): Promise<readonly Address[]> {
  let content: string;
  try {
    content = (await disk.readFile(file)).toString('utf8');
  } catch (error) {
    throw new ShoalError(
      'usage',
      { why: `${file} cannot be read (${systemCode(error) ?? String(error)})` },
      { cause: error },
    );
  }
  const lines = content
    .split(/\r?\n/)
    .map((line, n) => ({ n: n + 1, line: line.replace(/#.*/, '').trim() }))
    .filter(({ line }) => line !== '');
  const addresses = lines.map(({ n, line }) => {
    const address = parseAddress(line.replace(/\s+/, ':'));
    if (!address) throw new ShoalError('usage', { why: `${file}, line ${n}: ${line} is not host:port` });
    return address;
  });
  if (addresses.length === 0 || addresses.length > TRACKERS_MAX) {
    throw new ShoalError('usage', {
      why: `${file} names ${addresses.length} trackers; it takes one or ${TRACKERS_MAX}`,
    });
  }
  return addresses;
}

/** Where the classic form keeps the realm of a `tracker_info.txt`: beside it. */
export const classicFolder = (file: string): string => `${file.replace(/\.txt$/i, '')}.realm`;

/**
 * The realm folder of a `tracker_info.txt`, made at the first use. Two trackers that start at the
 * same moment make one each in a folder of their own; only one of them gets the name, and both use
 * that.
 *
 * @throws ShoalError badRealmFolder when the file names other trackers than the realm that was made
 *   of it
 */
export async function classicRealm(disk: Disk, chance: Chance, file: string): Promise<string> {
  const addresses = await readTrackerInfo(disk, file);
  const folder = classicFolder(file);
  if (!(await disk.stat(folder))) {
    const mine = `${folder}.${chance.bytes(6).toString('hex')}`;
    await makeRealm(disk, mine, addresses);
    try {
      await disk.rename(mine, folder);
    } catch (error) {
      const code = systemCode(error);
      if (code !== 'ENOTEMPTY' && code !== 'EEXIST' && code !== 'EPERM') throw error;
      await disk.removeFolder(mine);
    }
  }
  const { descriptor } = await readConfig(disk, path.join(folder, 'tracker-1'));
  const made = descriptor.trackers.map(({ address }) => `${address.host}:${address.port}`).join(' ');
  const named = addresses.map(({ host, port }) => `${host}:${port}`).join(' ');
  if (made !== named) {
    throw new ShoalError('badRealmFolder', {
      path: folder,
      why: `it was made for ${made}, but ${file} now names ${named}`,
    });
  }
  return folder;
}

export const publicBytes = (key: KeyObject): Buffer => key.export({ format: 'der', type: 'spki' });
export const secretBytes = (key: KeyObject): Buffer => key.export({ format: 'der', type: 'pkcs8' });
/** Bytes as they stand in these files. */
export const fileText = (value: Uint8Array): string => Buffer.from(value).toString('base64');

/** @throws Error when it is missing */
export function fileBytes(fields: Readonly<Record<string, unknown>>, name: string): Buffer {
  const value = fields[name];
  if (typeof value !== 'string') throw new Error(`${name} is missing`);
  return Buffer.from(value, 'base64');
}

export function writeFile(disk: Disk, file: string, fields: Readonly<Record<string, unknown>>): Promise<void> {
  return disk.replaceFile(file, Buffer.from(`${JSON.stringify({ format: FORMAT, ...fields }, undefined, 2)}\n`), 0o600);
}

/** @throws ShoalError badRealmFolder, newerFormat */
export async function readFile(disk: Disk, file: string): Promise<Readonly<Record<string, unknown>>> {
  let fields: unknown;
  try {
    fields = JSON.parse((await disk.readFile(file)).toString('utf8'));
  } catch (error) {
    const why =
      systemCode(error) === 'ENOENT'
        ? `${path.basename(file)} is not there; make a realm with shoal-tracker init`
        : (error as Error).message;
    throw new ShoalError('badRealmFolder', { path: path.dirname(file), why }, { cause: error });
  }
  if (typeof fields !== 'object' || fields === null) {
    throw new ShoalError('badRealmFolder', { path: file, why: 'it is not what it should be' });
  }
  const { format } = fields as { format?: unknown };
  if (typeof format !== 'number' || format > FORMAT) {
    throw new ShoalError('newerFormat', { path: file, format: String(format) });
  }
  return fields as Readonly<Record<string, unknown>>;
}
