// Which files may hold what no other person must see: keys, passwords, tokens. A guess by name and
// by the first bytes, made before a file is shared, so that a person can be asked. Pure but for
// `secretsIn`, which reads folders and the beginnings of files; it never keeps what it read.
import path from 'node:path';
import { isTrustedFolder } from '../base/names.ts';
import type { Disk } from '../base/world.ts';

/**
 * `environment`: settings of a program, often with passwords in them. `passwords`: where a program
 * keeps a person's.
 */
export type SecretKind = 'environment' | 'privateKey' | 'credentials' | 'passwords';

export interface Secret {
  /** Within the folder that was searched; the file's own name when it was one file. */
  readonly path: string;
  readonly kind: SecretKind;
}

/** Bytes of a file's beginning that are looked at: a key says in its first line that it is one. */
export const HEAD_BYTES = 4096;
/** A larger file is no key. */
const KEY_FILE_BYTES_MAX = 64 * 1024;
/**
 * Files of a folder that are looked at: reading the beginnings of so many small ones takes about
 * two seconds.
 */
const FILES_MAX = 20_000;
/** How many are found before the search ends: more than a person reads. */
const FOUND_MAX = 100;

const BY_NAME: readonly (readonly [SecretKind, RegExp])[] = [
  ['environment', /^\.env(rc|\.(?!example$|sample$|template$|dist$|schema$)[^/]*)?$|^[^/]+\.env$/],
  ['privateKey', /^id_(rsa|dsa|ecdsa|ed25519)(_sk)?$|\.(ppk|p12|pfx|jks|keystore|p8)$/],
  [
    'credentials',
    /^(\.npmrc|\.netrc|_netrc|\.pypirc|\.pgpass|\.my\.cnf|\.git-credentials|\.dockercfg|\.htpasswd|.*\.tfstate)$/,
  ],
  [
    'credentials',
    /^(credentials\.json|client_secret.*\.json|service[-_]?account.*\.json|secrets?\.(ya?ml|json|toml|ini))$/,
  ],
  ['credentials', /(^|\/)(\.aws\/credentials|\.docker\/config\.json|\.kube\/config|\.config\/gcloud\/.*\.(db|json))$/],
  ['passwords', /\.(kdbx?|1pif|agilekeychain|psafe3)$|^(key[34]\.db|logins\.json|login data)$/],
];

const KEY_WORDS = [/-----BEGIN [A-Z0-9 ]*PRIVATE KEY( BLOCK)?-----/, /^PuTTY-User-Key-File-\d/];

/**
 * What a file of this name may hold; undefined when the name says nothing. @param name with slashes
 * between folders
 */
export function secretByName(name: string): SecretKind | undefined {
  const lower = name.toLowerCase();
  const last = lower.split('/').at(-1) ?? '';
  return BY_NAME.find(([, pattern]) => pattern.test(last) || pattern.test(lower))?.[0];
}

/** The same by what it begins with. */
export function secretByHead(head: Uint8Array): SecretKind | undefined {
  const text = Buffer.from(head.buffer, head.byteOffset, Math.min(head.length, HEAD_BYTES)).toString('latin1');
  return KEY_WORDS.some((pattern) => pattern.test(text)) ? 'privateKey' : undefined;
}

/**
 * What of a file or folder may be secret, as far as names and beginnings tell. What cannot be read
 * is passed by: its sharer finds out.
 *
 * @returns at most 100, and whether all was looked at: a very large folder is not
 */
export async function findSecrets(
  disk: Disk,
  folder: string,
  signal?: AbortSignal,
): Promise<{ readonly found: readonly Secret[]; readonly isWhole: boolean }> {
  const found: Secret[] = [];
  let left = FILES_MAX;
  const scan = async (at: string, name: string): Promise<void> => {
    if (signal?.aborted || left <= 0 || found.length >= FOUND_MAX) return;
    const stat = await disk.stat(at, name === '' ? 'follow' : undefined).catch(() => undefined);
    if (stat?.kind === 'file') {
      left--;
      const called = name === '' ? path.basename(at) : name;
      // By the whole path: "credentials" says nothing, ".aws/credentials" does, also when just that
      // file or that folder is shared.
      const kind =
        secretByName(at.split(path.sep).join('/')) ??
        (stat.sizeBytes <= KEY_FILE_BYTES_MAX ? secretByHead(await headOf(disk, at)) : undefined);
      if (kind) found.push({ path: called, kind });
    } else if (stat?.kind === 'folder') {
      for (const child of await disk.listFolder(at).catch(() => [])) {
        if (!isTrustedFolder(child)) await scan(path.join(at, child), name === '' ? child : `${name}/${child}`);
      }
    }
  };
  await scan(folder, '');
  return { found, isWhole: left > 0 && found.length < FOUND_MAX };
}

async function headOf(disk: Disk, at: string): Promise<Uint8Array> {
  const into = new Uint8Array(HEAD_BYTES);
  try {
    const file = await disk.open(at, 'read');
    try {
      return into.subarray(0, await file.read(into, 0));
    } finally {
      await file.close();
    }
  } catch {
    return into.subarray(0, 0);
  }
}
