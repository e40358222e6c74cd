// The first frames of every link: who each side is and which versions it speaks. Nothing else is
// sent or believed before. Between machines TLS has proven the other's key already; on a home's
// local socket both prove that they know the home's secret, by a nonce and an HMAC, without sending
// it.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { asShoalError, isShoalError, ShoalError } from '../base/errors.ts';
import { GREETING_MS_MAX, GREETING_PAYLOAD_BYTES_MAX } from '../base/limits.ts';
import type { FrameLink } from './frame.ts';
import { wireError } from '../base/fields.ts';
import type { Of } from '../base/schema.ts';
import { bytes, decode, encode, oneOf, optional, struct, text, u16 } from '../base/schema.ts';
import { fromWire, toWire } from './wireErrors.ts';
import type { Chance, Clock } from '../base/world.ts';

/** Versions of the protocol this program speaks. */
export const VERSIONS = { min: 1, max: 1 } as const;

export const roles = ['engine', 'tracker', 'peer', 'frontend', 'operator'] as const;
export type Role = (typeof roles)[number];

export const greeting = struct({
  versionMin: u16,
  versionMax: u16,
  role: oneOf(...roles),
  /** Name and version of the program, for logs and for "update the older one". */
  program: text(64),
  nonce: bytes(16),
  proof: bytes(32),
});
type Greeting = Of<typeof greeting>;
export const proof = struct({ proof: bytes(32) });
/** The last frame of a link that is closed on purpose, with the reason if it is an error. */
export const bye = struct({ error: optional(wireError) });

export interface GreetOptions {
  readonly role: Role;
  /** What the other side may be. */
  readonly accepts: readonly Role[];
  readonly program: string;
  /** Known to both sides of a local link only. */
  readonly secret?: Uint8Array;
  readonly clock: Clock;
  readonly chance: Chance;
}
export interface Greeted {
  readonly role: Role;
  /** The highest version both speak. */
  readonly version: number;
  readonly program: string;
}

/**
 * Exchanges greetings: the one that dialled speaks first. When it resolves, the link holds back all
 * further frames until a receiver is set. When it rejects, the link is closed.
 *
 * @throws ShoalError versionMismatch, wrongRole, badProof, deadline, badFrame, linkClosed, or what
 *   the other side's bye says
 */
export function greet(link: FrameLink, options: GreetOptions): Promise<Greeted> {
  const { clock, chance, secret, role } = options;
  const dialled = link.stream.dialled;
  const nonce = chance.bytes(16);
  const send = (type: string, body: Uint8Array): void => link.send({ type, kind: 'notice', call: 0 }, body);
  const sendGreeting = (proven: Uint8Array): void =>
    send(
      'greeting',
      encode(greeting, {
        versionMin: VERSIONS.min,
        versionMax: VERSIONS.max,
        role,
        program: options.program,
        nonce,
        proof: proven,
      }),
    );

  return new Promise((resolve, reject) => {
    let theirs: Greeting | undefined;

    const timer = clock.after(GREETING_MS_MAX, () => fail(new ShoalError('deadline', { ms: GREETING_MS_MAX })));
    const fail = (error: ShoalError, sendBye = false): void => {
      timer.cancel();
      link.receive(undefined);
      if (sendBye) {
        send('bye', encode(bye, { error: toWire(error) }));
        link.finish(clock);
      } else {
        link.stream.destroy();
      }
      reject(error);
    };
    const done = (other: Greeting): void => {
      timer.cancel();
      link.receive(undefined);
      resolve({ role: other.role as Role, version: Math.min(VERSIONS.max, other.versionMax), program: other.program });
    };

    const onGreeting = (other: Greeting): void => {
      if (theirs) throw new ShoalError('badFrame', { why: 'a second greeting' });
      theirs = other;
      // Whatever we think of the other side, it must be able to judge us in its own words.
      if (!dialled) sendGreeting(secret ? proofOf(secret, 'listener', other.nonce, nonce) : NO_PROOF);
      if (other.versionMax < VERSIONS.min || other.versionMin > VERSIONS.max) {
        throw new ShoalError('versionMismatch', {
          ours: `${VERSIONS.min}-${VERSIONS.max}`,
          theirs: `${other.versionMin}-${other.versionMax}`,
        });
      }
      if (other.role === 'other' || !options.accepts.includes(other.role)) {
        throw new ShoalError('wrongRole', { role: other.role, wanted: options.accepts.join(' or ') });
      }
      if (!secret) return done(other);
      if (other.nonce.length !== nonce.length) throw new ShoalError('badProof');
      if (dialled) {
        if (!equal(other.proof, proofOf(secret, 'listener', nonce, other.nonce))) throw new ShoalError('badProof');
        send('proof', encode(proof, { proof: proofOf(secret, 'dialler', other.nonce, nonce) }));
        done(other);
      }
    };

    link.receive({
      payloadBytesMax: () => GREETING_PAYLOAD_BYTES_MAX,
      rawTarget: () => undefined,
      drained() {},
      // A system's error (ECONNRESET) says that the link is gone, and nothing about us.
      ended: (error) => fail(isShoalError(error) ? error : new ShoalError('linkClosed', {}, { cause: error })),
      frame(frame) {
        try {
          if (frame.type === 'bye' && frame.kind === 'notice') {
            const { error } = decode(bye, frame.body, 'bye');
            return fail(error ? fromWire(error) : new ShoalError('linkClosed'));
          }
          if (frame.type === 'greeting' && frame.kind === 'notice') {
            return onGreeting(decode(greeting, frame.body, 'greeting'));
          }
          if (frame.type === 'proof' && frame.kind === 'notice' && !dialled && secret && theirs) {
            if (!equal(decode(proof, frame.body, 'proof').proof, proofOf(secret, 'dialler', nonce, theirs.nonce))) {
              throw new ShoalError('badProof');
            }
            return done(theirs);
          }
          throw theirs && secret ? new ShoalError('badProof') : new ShoalError('badFrame', { why: 'not a greeting' });
        } catch (error) {
          fail(asShoalError(error), true);
        }
      },
    });
    if (dialled) sendGreeting(NO_PROOF);
  });
}

const NO_PROOF = new Uint8Array(0);

function proofOf(secret: Uint8Array, who: 'listener' | 'dialler', first: Uint8Array, second: Uint8Array): Buffer {
  return createHmac('sha256', secret).update(`shoal-${who}-v1\0`).update(first).update(second).digest();
}

const equal = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && timingSafeEqual(a, b);
