// Data written by a release, as stored in test/fixtures/data. `storeData` makes a stored folder
// from a used one, `restoreData` makes a copy that programs can open. test/fixtures/data/README.md
// describes the contents and how the stored form differs from the original.
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';

/** Replaces the path of the original folder in records. */
const PLACE = '/fixture';
/** Sockets, locks, logs, copies of bundles and previews: of no use to a later run. */
const NOT_STORED = /^(engine\.(json|lock|log|sock)|bin|previews)$/;
/** In a folder of unfinished downloads it makes git ignore all of them. */
const NOT_STORED_IN_PARTS = '.gitignore';
/** Larger files are stored compressed, with `.gz` after their names. */
const PLAIN_BYTES_MAX = 32 * 1024;
const RECORDS = /\.(json|folder)$/;

/** The fields by which a record recognizes a file. They differ in every copy. */
const IDENTITY = /("device": ?)"(\d+)"(,\s*"inode": ?)"(\d+)"(,\s*"modifiedNs": ?)"(\d+)"/g;
const STORED_FIELD = /<(device|inode|modified) of ([^>"]+)>/g;

/**
 * Stores all files below `from` in a form that can be restored anywhere.
 *
 * @throws Error when a file still contains the path `from`
 */
export function storeData(from: string, to: string): void {
  const files = filesBelow(from);
  const names = new Map(
    [...new Set(files.flatMap(withFolders))].map((name) => {
      const { dev, ino, mtimeNs } = statSync(path.join(from, name), { bigint: true });
      return [`${dev} ${ino}`, { name, mtimeNs }];
    }),
  );
  for (const name of files) {
    let bytes = readFileSync(path.join(from, name));
    if (RECORDS.test(name)) {
      const text = bytes
        .toString('utf8')
        .replaceAll(from, PLACE)
        .replace(
          IDENTITY,
          (all, device: string, dev: string, inode: string, ino: string, modified: string, ns: string) => {
            const file = names.get(`${dev} ${ino}`);
            if (!file) return all;
            const at = `${PLACE}/${file.name}`;
            // A file that was changed after it was hashed must still look changed.
            const time = ns === String(file.mtimeNs) ? `<modified of ${at}>` : ns;
            return `${device}"<device of ${at}>"${inode}"<inode of ${at}>"${modified}"${time}"`;
          },
        );
      bytes = Buffer.from(text);
    }
    if (bytes.includes(from)) throw new Error(`${name} holds the path ${from}`);
    const isLarge = bytes.length > PLAIN_BYTES_MAX && !name.endsWith('.sqlite');
    writeAt(path.join(to, isLarge ? `${name}.gz` : name), isLarge ? gzipSync(bytes, { level: 9 }) : bytes);
  }
}

/** Copies stored data to `to` and adapts the paths and file identities in its records. */
export function restoreData(from: string, to: string): void {
  const records: string[] = [];
  for (const name of filesBelow(from)) {
    const stored = readFileSync(path.join(from, name));
    writeAt(path.join(to, name.replace(/\.gz$/, '')), name.endsWith('.gz') ? gunzipSync(stored) : stored);
    if (RECORDS.test(name)) records.push(path.join(to, name));
  }
  const place = (file: string): string => path.join(to, file.slice(PLACE.length));
  for (const record of records) {
    const text = readFileSync(record, 'utf8').replace(STORED_FIELD, (_, field: string, file: string) => {
      const { dev, ino, mtimeNs } = statSync(place(file), { bigint: true });
      return String(field === 'device' ? dev : field === 'inode' ? ino : mtimeNs);
    });
    writeFileSync(record, text.replaceAll(`"${PLACE}/`, JSON.stringify(`${to}${path.sep}`).slice(0, -1)));
  }
}

/** The environment for processes whose clock is `ms` behind this machine's. */
export function clockBehind(ms: number): Record<string, string> {
  const before = process.env['NODE_OPTIONS'] ?? '';
  const script = `const now = Date.now; Date.now = () => now() - ${ms};`;
  return { NODE_OPTIONS: `${before} --import=data:text/javascript,${encodeURIComponent(script)}`.trim() };
}

/** Names of the files to store, relative to the folder, with slashes. */
function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (NOT_STORED.test(entry.name) || entry.name === NOT_STORED_IN_PARTS) return [];
    return entry.isDirectory()
      ? filesBelow(path.join(folder, entry.name)).map((name) => `${entry.name}/${name}`)
      : [entry.name];
  });
}

/** A file and the folders that contain it. */
function withFolders(name: string): readonly string[] {
  const above = path.posix.dirname(name);
  return above === '.' ? [name] : [name, ...withFolders(above)];
}

function writeAt(file: string, bytes: Uint8Array): void {
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  writeFileSync(file, bytes, { mode: 0o600 });
}
