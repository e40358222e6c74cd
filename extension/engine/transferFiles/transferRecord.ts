// What the home keeps of one file that is shared or downloaded, so that it goes on after a restart:
// a small record and the piece layer beside it. Reads and writes those two; runs nothing.
import path from 'node:path';
import { ShoalError, systemCode } from '../../../protocol/base/errors.ts';
import type { PickerMode, Priority } from '../../../protocol/messages/engineLink.ts';
import type { AccountId, GroupId, Root, Sha256 } from '../../../protocol/base/ids.ts';
import { HASH_BYTES, isHexOf } from '../../../protocol/base/ids.ts';
import type { Disk, Log } from '../../../protocol/base/world.ts';
import type { FileIdentity } from '../hashing/fileIdentity.ts';
import { folderFileOf } from './folderRecord.ts';
import type { Shape } from '../hashing/merkleTree.ts';
import { pieceHashesOfRoot, rootOf } from '../hashing/merkleTree.ts';
import { Sequencer } from '../../../protocol/async/sequencer.ts';
import type { Home } from '../../../protocol/home/homeLayout.ts';
import { readSmallFile, writeSmallFile } from '../../../protocol/home/homeLayout.ts';

export interface TransferRecord {
  readonly id: number;
  readonly account: AccountId;
  readonly group: GroupId;
  readonly groupName: string;
  readonly name: string;
  readonly kind: 'share' | 'download';
  /** Source of a share; final path of a download. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly pieceBytes: number;
  /** '' while a share is not hashed yet. */
  readonly root: Root | '';
  readonly sha256: Sha256 | '';
  readonly mode: PickerMode;
  readonly rename: boolean;
  readonly replace: boolean;
  readonly paused: boolean;
  readonly content: 'file' | 'folder';
  /**
   * Which version of the group's file a download is; 0 for a share, which becomes one only when it
   * is told of.
   */
  readonly version: number;
  /** Patterns of the files of a folder that were chosen; empty for all. */
  readonly only: readonly string[];
  /** Whether it has yet to be said which files of a folder are wanted: then only its list is. */
  readonly choosing: boolean;
  /** Bytes of the files that were chosen, once they are made. */
  readonly chosenBytes: number;
  /** Whether the tracker knows of the share. */
  readonly told: boolean;
  /** The part file of a download; kept when it is finished, until the file is gone for certain. */
  readonly part: string;
  /** The final name that was about to be taken, where that takes two steps (finalize.ts). */
  readonly claimed: string;
  /** The damaged file that this download shall stand in for. */
  readonly replaces: FileIdentity | undefined;
  /** Its own limits, beside those of all together; 0 for none. */
  readonly downLimitBytesPerS: number;
  readonly upLimitBytesPerS: number;
  readonly priority: Priority;
  /** Where a download stands among those of its priority: the smallest first. */
  readonly place: number;
  /** The whole file as it was when it was hashed or finished. */
  readonly identity: FileIdentity | undefined;
}

/** The record of a transfer, and the only way to change it. */
export interface RecordStore {
  readonly record: TransferRecord;
  save(changes: Partial<TransferRecord>): Promise<void>;
}

const recordFile = (home: Home, id: number): string => path.join(home.transfersFolder, `${id}.json`);
const pieceHashFile = (home: Home, id: number): string => path.join(home.transfersFolder, `${id}.layer`);

/** First bytes of a layer file: what it is and its format. */
const PIECE_HASH_FILE_HEAD = Buffer.from('shoal-layer-1\0\0\0', 'latin1');

export function saveRecord(disk: Disk, home: Home, record: TransferRecord): Promise<void> {
  return writeSmallFile(disk, recordFile(home, record.id), { ...record });
}

export async function removeRecord(disk: Disk, home: Home, id: number): Promise<void> {
  await disk.remove(recordFile(home, id));
  await disk.remove(pieceHashFile(home, id));
  await disk.remove(folderFileOf(home, id));
}

export function savePieceHashes(disk: Disk, home: Home, id: number, pieceHashes: Uint8Array): Promise<void> {
  return disk.replaceFile(pieceHashFile(home, id), Buffer.concat([PIECE_HASH_FILE_HEAD, pieceHashes]));
}

/**
 * The piece layer; undefined when there is none, or it does not lead to the root: a damaged one
 * would make every good piece a wrong one.
 */
export async function loadPieceHashes(
  disk: Disk,
  home: Home,
  id: number,
  root: Root,
  shape: Shape,
): Promise<Uint8Array | undefined> {
  const known = pieceHashesOfRoot(root, shape);
  if (known) return known;
  try {
    const bytes = await disk.readFile(pieceHashFile(home, id));
    const pieceHashes = bytes.subarray(PIECE_HASH_FILE_HEAD.length);
    const isOne =
      bytes.subarray(0, PIECE_HASH_FILE_HEAD.length).equals(PIECE_HASH_FILE_HEAD) &&
      pieceHashes.length === shape.pieces * HASH_BYTES;
    return isOne && rootOf(pieceHashes, shape) === root ? pieceHashes : undefined;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * All records of the home, the oldest first. One that cannot be read is left where it is and said
 * in the log: the others go on.
 */
export async function loadRecords(disk: Disk, home: Home, log: Log): Promise<readonly TransferRecord[]> {
  const records: TransferRecord[] = [];
  for (const name of await disk.listFolder(home.transfersFolder)) {
    const id = Number(/^(\d+)\.json$/.exec(name)?.[1] ?? NaN);
    if (!Number.isSafeInteger(id)) continue;
    try {
      const record = await readSmallFile(disk, recordFile(home, id), readRecord);
      if (record) records.push(record);
    } catch (error) {
      log.error('a record cannot be read', {
        file: name,
        why: error instanceof ShoalError ? error.message : String(error),
      });
    }
  }
  return records.sort((a, b) => a.id - b.id);
}

/** Of fields that records of older versions lack. A download's place is then when it began. */
const LATER_FIELD_DEFAULTS = {
  content: 'file',
  version: 0,
  only: [],
  choosing: false,
  chosenBytes: 0,
  downLimitBytesPerS: 0,
  upLimitBytesPerS: 0,
  priority: 'normal',
} as const;

/** A record out of the fields of its file. Throws when one is missing or of another kind. */
function readRecord(written: Readonly<Record<string, unknown>>): TransferRecord {
  const fields: Readonly<Record<string, unknown>> = { ...LATER_FIELD_DEFAULTS, place: written['id'], ...written };
  const kinds = {
    id: 'number',
    account: 'string',
    group: 'string',
    groupName: 'string',
    name: 'string',
    kind: 'string',
    path: 'string',
    sizeBytes: 'number',
    pieceBytes: 'number',
    root: 'string',
    sha256: 'string',
    mode: 'string',
    rename: 'boolean',
    replace: 'boolean',
    paused: 'boolean',
    told: 'boolean',
    part: 'string',
    content: 'string',
    version: 'number',
    only: 'object',
    choosing: 'boolean',
    chosenBytes: 'number',
    downLimitBytesPerS: 'number',
    upLimitBytesPerS: 'number',
    priority: 'string',
    place: 'number',
  } as const satisfies Record<Exclude<keyof TransferRecord, 'identity' | 'claimed' | 'replaces'>, string>;
  for (const [name, kind] of Object.entries(kinds)) {
    if (typeof fields[name] !== kind) throw new Error(`${name} is no ${kind}`);
  }
  const { root } = fields as unknown as TransferRecord;
  if (root !== '' && !isHexOf(root, 32)) throw new Error('root is no hash');
  return { claimed: '', identity: undefined, replaces: undefined, ...fields } as unknown as TransferRecord;
}

/** A record as it stands now, in memory and in the home: the only writer of both. */
export class TransferRecordStore implements RecordStore {
  readonly #disk: Disk;
  readonly #home: Home;
  #record: TransferRecord;
  readonly #saves = new Sequencer();

  constructor(disk: Disk, home: Home, record: TransferRecord) {
    this.#disk = disk;
    this.#home = home;
    this.#record = record;
  }

  get record(): TransferRecord {
    return this.#record;
  }

  /**
   * Changed at once; on the disk when it resolves. Saves come one after another, each of the record
   * as it is by then: the last that is written is the newest.
   */
  save(changes: Partial<TransferRecord>): Promise<void> {
    this.#record = { ...this.#record, ...changes };
    return this.#saves.run(() => saveRecord(this.#disk, this.#home, this.#record));
  }
}
