// Changes of a realm's list of trackers, made with the realm's key: a tracker moves, is
// replaced, is added to a single one, or is retired. Each makes the next version of the list, signs
// it, and leaves it where every tracker's folder of this machine, and list.json for the others, has
// it.
import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import path from 'node:path';
import { ShoalError } from '../../protocol/base/errors.ts';
import { createIdentity, identityBytes } from '../../protocol/node/identity.ts';
import type { Pin } from '../../protocol/base/ids.ts';
import type { Address } from '../../protocol/base/fields.ts';
import type { Descriptor, SignedDescriptor } from '../../protocol/messages/realm.ts';
import { checkDescriptor, realmUrlText, signDescriptor, TRACKERS_MAX } from '../../protocol/messages/realm.ts';
import type { Disk } from '../../protocol/base/world.ts';
import {
  fileBytes,
  fileText,
  saveTrackerList,
  LOG_FILE,
  saveLastRun,
  publicBytes,
  readFile,
  REALM_FILE,
  secretBytes,
  TRACKER_FILE,
  writeFile,
} from './config.ts';

/** The list alone, which holds nothing secret: for trackers on other machines. */
export const LIST_FILE = 'list.json';

export interface ListChange {
  readonly url: string;
  readonly version: number;
  /** Trackers that the list has now. */
  readonly trackers: Descriptor['trackers'];
  /** The list, for those on other machines. */
  readonly file: string;
}

type Realm = Descriptor & { readonly realm: Pin };

/**
 * Says where a tracker is reached from now on; one that the realm has not had yet is added. Its
 * folder is `DIR/tracker-N`, with new keys where it has none or `newKey` asks for it. If there is
 * no log in it, it waits for its partner to give it everything before it serves.
 *
 * @throws ShoalError badRealmFolder, newerFormat, usage
 */
export async function replaceTracker(
  disk: Disk,
  folder: string,
  number: number,
  address: Address,
  { newKey = false } = {},
): Promise<ListChange> {
  if (number < 1 || number > TRACKERS_MAX) {
    throw new ShoalError('usage', { why: `a realm has trackers 1 to ${TRACKERS_MAX}` });
  }
  const before = await readRealm(disk, folder);
  const own = path.join(folder, `tracker-${number}`);
  const old = before.trackers.find((tracker) => tracker.number === number);
  if (!old && before.trackers.length === 0) {
    throw new ShoalError('badRealmFolder', { path: folder, why: 'its list is empty' });
  }
  const kept =
    old && !newKey && (await disk.stat(path.join(own, TRACKER_FILE)))
      ? await readFile(disk, path.join(own, TRACKER_FILE))
      : undefined;
  let entry = old;
  if (!kept) {
    const identity = createIdentity();
    const ticketKey = generateKeyPairSync('ed25519');
    entry = { number, address, pin: identity.pin, ticketKey: publicBytes(ticketKey.publicKey) };
    await disk.makeFolder(own, 0o700);
    // Complete only with the list, which is written last.
    await writeFile(disk, path.join(own, TRACKER_FILE), {
      number,
      key: fileText(identityBytes(identity)),
      ticketKey: fileText(secretBytes(ticketKey.privateKey)),
      descriptor: '',
      signature: '',
    });
  }
  const trackers = [
    ...before.trackers.filter((tracker) => tracker.number !== number),
    { ...(entry as Descriptor['trackers'][number]), address },
  ].sort((a, b) => a.number - b.number);
  const former = old && !kept ? [...before.former, old.pin] : before.former;
  if (!(await disk.stat(path.join(own, LOG_FILE)))) await saveLastRun(disk, own, { address, logIsWhole: false });
  return writeList(disk, folder, { ...before, trackers, former });
}

/**
 * Takes a tracker out of the list for good. The other one stands alone from then on.
 *
 * @throws ShoalError badRealmFolder, newerFormat, usage
 */
export async function retireTracker(disk: Disk, folder: string, number: number): Promise<ListChange> {
  const before = await readRealm(disk, folder);
  const old = before.trackers.find((tracker) => tracker.number === number);
  if (!old) throw new ShoalError('usage', { why: `the realm has no tracker ${number}` });
  if (before.trackers.length === 1) throw new ShoalError('usage', { why: `tracker ${number} is the only one` });
  return writeList(disk, folder, {
    ...before,
    trackers: before.trackers.filter((tracker) => tracker !== old),
    former: [...before.former, old.pin],
  });
}

/**
 * Says by which host all trackers are reached from now on; their ports stay. @throws ShoalError
 * badRealmFolder, newerFormat
 */
export async function moveTrackers(disk: Disk, folder: string, host: string): Promise<ListChange> {
  const before = await readRealm(disk, folder);
  return writeList(disk, folder, {
    ...before,
    trackers: before.trackers.map((tracker) => ({ ...tracker, address: { ...tracker.address, host } })),
  });
}

/**
 * A list in a file (`list.json`, or any file that holds one). @throws
 * ShoalError badRealmFolder, newerFormat
 */
export async function readList(disk: Disk, file: string): Promise<SignedDescriptor> {
  const fields = await readFile(disk, file);
  try {
    return { descriptor: fileBytes(fields, 'descriptor'), signature: fileBytes(fields, 'signature') };
  } catch (error) {
    throw new ShoalError('badRealmFolder', { path: file, why: 'it holds no list of trackers' }, { cause: error });
  }
}

async function readRealm(disk: Disk, folder: string): Promise<Realm> {
  const list = await readList(disk, path.join(folder, REALM_FILE));
  return checkDescriptor(list, undefined, { host: folder, port: 0 });
}

async function writeList(disk: Disk, folder: string, { realm, ...content }: Realm): Promise<ListChange> {
  const file = path.join(folder, REALM_FILE);
  const fields = await readFile(disk, file);
  const key = createPrivateKey({ key: fileBytes(fields, 'key'), format: 'der', type: 'pkcs8' });
  const next = { ...content, version: content.version + 1 };
  const signed = signDescriptor(next, key);
  const { format: _, ...rest } = fields;
  const list = { descriptor: fileText(signed.descriptor), signature: fileText(signed.signature) };
  // First where the next change begins: a version is never given twice.
  await writeFile(disk, file, { ...rest, ...list });
  await writeFile(disk, path.join(folder, LIST_FILE), list);
  for (const { number } of next.trackers) {
    const own = path.join(folder, `tracker-${number}`);
    if (await disk.stat(path.join(own, TRACKER_FILE))) await saveTrackerList(disk, own, signed);
  }
  return {
    url: realmUrlText({ realm, addresses: next.trackers.map(({ address }) => address) }),
    version: next.version,
    trackers: next.trackers,
    file: path.join(folder, LIST_FILE),
  };
}
