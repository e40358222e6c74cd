// Passwords: scrypt, as PHC strings, on the tracker only. At most two are hashed at once, because
// two use both cores of a small machine.
import { scrypt, timingSafeEqual } from 'node:crypto';
import { ShoalError } from '../../protocol/base/errors.ts';
import { PASSWORD_CHARS_MIN } from '../../protocol/base/limits.ts';
import type { Chance } from '../../protocol/base/world.ts';

/** What a hash costs: N = 2^ln, r, p. */
export interface Cost {
  readonly ln: number;
  readonly r: number;
  readonly p: number;
}
/** OWASP's first choice for scrypt: 128 MiB and about 0.3 s of a core. */
export const COST_DEFAULT: Cost = { ln: 17, r: 8, p: 1 };

const HASH_BYTES = 32;
const SALT_BYTES = 16;
/** Hashes at once, and how many may wait; more are told to come back. */
const AT_ONCE = 2;
const QUEUE_MAX = 64;

export class Passwords {
  readonly #chance: Chance;
  readonly #cost: Cost;
  #running = 0;
  readonly #queue: (() => void)[] = [];

  /** @param cost  of new hashes; tests take a cheap one */
  constructor(chance: Chance, cost = COST_DEFAULT) {
    this.#chance = chance;
    this.#cost = cost;
  }

  /** The hash of a new password. @throws ShoalError passwordTooShort, busy */
  async hash(password: string): Promise<string> {
    if ([...normal(password)].length < PASSWORD_CHARS_MIN) {
      throw new ShoalError('passwordTooShort', { min: PASSWORD_CHARS_MIN });
    }
    const salt = this.#chance.bytes(SALT_BYTES);
    const hash = await this.#derive(password, salt, this.#cost, HASH_BYTES);
    const { ln, r, p } = this.#cost;
    return `$scrypt$ln=${ln},r=${r},p=${p}$${unpadded(salt)}$${unpadded(hash)}`;
  }

  /**
   * Whether a password fits a hash. Without a hash (no such user) it takes as long and is false.
   * @throws ShoalError busy
   */
  async fits(password: string, hash: string | undefined): Promise<boolean> {
    const parts = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/.exec(hash ?? '');
    const salt = parts?.[4] === undefined ? Buffer.alloc(SALT_BYTES) : Buffer.from(parts[4], 'base64');
    const wanted = parts?.[5] === undefined ? Buffer.alloc(HASH_BYTES) : Buffer.from(parts[5], 'base64');
    const cost = parts ? { ln: Number(parts[1]), r: Number(parts[2]), p: Number(parts[3]) } : this.#cost;
    const found = await this.#derive(password, salt, cost, wanted.length);
    return timingSafeEqual(found, wanted) && parts !== null;
  }

  async #derive(password: string, salt: Buffer, { ln, r, p }: Cost, bytes: number): Promise<Buffer> {
    if (this.#running < AT_ONCE) this.#running++;
    else if (this.#queue.length >= QUEUE_MAX) throw new ShoalError('busy');
    else await new Promise<void>((go) => this.#queue.push(go)); // a hash that is done hands its place on
    try {
      const N = 2 ** ln;
      return await new Promise((resolve, reject) => {
        scrypt(normal(password), salt, bytes, { N, r, p, maxmem: 256 * N * r }, (error, key) =>
          error ? reject(error) : resolve(key),
        );
      });
    } finally {
      const next = this.#queue.shift();
      if (next) next();
      else this.#running--;
    }
  }
}

/** The same phrase typed on another keyboard may arrive composed otherwise. */
const normal = (password: string): string => password.normalize('NFC');
const unpadded = (bytes: Buffer): string => bytes.toString('base64').replaceAll('=', '');
