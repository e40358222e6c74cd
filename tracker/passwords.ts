// Passwords: scrypt, as PHC strings, on the tracker only. At most two are hashed at once, because two use both cores of a small machine.
import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { ShoalError } from '../protocol/errors.ts';
import { PASSWORD_CHARS_MIN } from '../protocol/limits.ts';

/** OWASP's first choice for scrypt: N=2^17, r=8, p=1 (128 MiB, about 0.3 s). */
const COST = { ln: 17, r: 8, p: 1 } as const;
const HASH_BYTES = 32;
const SALT_BYTES = 16;
/** Hashes at once, and how many may wait; more are told to come back. */
const AT_ONCE = 2;
const QUEUE_MAX = 64;

let running = 0;
const queue: (() => void)[] = [];

/** The hash of a new password. @throws ShoalError passwordTooShort, busy */
export async function hashPassword(password: string): Promise<string> {
  if ([...password].length < PASSWORD_CHARS_MIN) throw new ShoalError('passwordTooShort', { min: PASSWORD_CHARS_MIN });
  const salt = randomBytes(SALT_BYTES);
  const hash = await derive(password, salt, COST);
  return `$scrypt$ln=${COST.ln},r=${COST.r},p=${COST.p}$${unpadded(salt)}$${unpadded(hash)}`;
}

/** Whether a password fits a hash. Without a hash (no such user) it takes as long and is false. @throws ShoalError busy */
export async function passwordFits(password: string, hash: string | undefined): Promise<boolean> {
  const parts = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/.exec(hash ?? '');
  const salt = parts?.[4] === undefined ? NO_SALT : Buffer.from(parts[4], 'base64');
  const wanted = parts?.[5] === undefined ? Buffer.alloc(HASH_BYTES) : Buffer.from(parts[5], 'base64');
  const cost = parts ? { ln: Number(parts[1]), r: Number(parts[2]), p: Number(parts[3]) } : COST;
  const found = await derive(password, salt, cost, wanted.length);
  return timingSafeEqual(found, wanted) && parts !== null;
}

const NO_SALT = Buffer.alloc(SALT_BYTES);
const unpadded = (bytes: Buffer): string => bytes.toString('base64').replaceAll('=', '');

async function derive(password: string, salt: Buffer, cost: { readonly ln: number; readonly r: number; readonly p: number }, bytes = HASH_BYTES): Promise<Buffer> {
  if (running >= AT_ONCE) {
    if (queue.length >= QUEUE_MAX) throw new ShoalError('busy');
    await new Promise<void>((go) => queue.push(go));
  }
  running++;
  try {
    const N = 2 ** cost.ln;
    return await new Promise((resolve, reject) => {
      // The same phrase typed on another keyboard may arrive composed otherwise.
      scrypt(password.normalize('NFC'), salt, bytes, { N, r: cost.r, p: cost.p, maxmem: 256 * N * cost.r }, (error, key) => (error ? reject(error) : resolve(key)));
    });
  } finally {
    running--;
    queue.shift()?.();
  }
}
