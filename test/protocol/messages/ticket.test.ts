// Tickets and revocations: whose they are, how long they count, what beats them, and that not a bit
// of them can be changed.
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { isShoalError } from '../../../protocol/base/errors.ts';
import type { AccountId, GroupId, Pin } from '../../../protocol/base/ids.ts';
import { CLOCK_SKEW_MS_MAX, TICKET_GRACE_MS, TICKET_MS } from '../../../protocol/base/limits.ts';
import {
  overrides,
  openRevocation,
  openTicket,
  signRevocation,
  signTicket,
  ticketCounts,
} from '../../../protocol/messages/ticket.ts';
import type { Revocation, Ticket, TicketSigner } from '../../../protocol/messages/ticket.ts';

const pin = (byte: string): Pin => byte.repeat(32) as Pin;
const id = <T extends string>(byte: string): T => byte.repeat(16) as T;
const [REALM, DEVICE, TRACKER, OTHER_TRACKER, OTHER_REALM] = [pin('01'), pin('02'), pin('03'), pin('04'), pin('05')];
const [key, otherKey] = [generateKeyPairSync('ed25519'), generateKeyPairSync('ed25519')];
const spki = (pair: typeof key): Uint8Array => Uint8Array.from(pair.publicKey.export({ format: 'der', type: 'spki' }));
const signer: TicketSigner = { tracker: TRACKER, ticketKey: key.privateKey };
const keys = new Map([
  [TRACKER, spki(key)],
  [OTHER_TRACKER, spki(otherKey)],
]);
const expected = { realm: REALM, device: DEVICE, keys };

const NOW_MS = 1_767_225_600_000;
const ticket: Ticket = {
  realm: REALM,
  group: id<GroupId>('10'),
  account: id<AccountId>('11'),
  user: 'alice',
  device: DEVICE,
  memberSince: { ms: 1000, counter: 5 },
  signedInSince: { ms: 2000, counter: 7 },
  issuedAtMs: NOW_MS,
  expiresAtMs: NOW_MS + TICKET_MS,
};
const removal: Revocation = {
  realm: REALM,
  what: 'membership',
  account: ticket.account,
  group: ticket.group,
  device: undefined,
  at: { ms: 1001, counter: 0 },
};
const logout: Revocation = {
  realm: REALM,
  what: 'signIn',
  account: ticket.account,
  group: undefined,
  device: DEVICE,
  at: { ms: 2001, counter: 0 },
};

const refuses = (open: () => unknown, why = /./): void =>
  assert.throws(
    open,
    (error) => (isShoalError(error, 'badTicket') || isShoalError(error, 'badMessage')) && why.test(error.message),
  );

/** Every way to change one bit. */
function* flipped(bytes: Uint8Array): Generator<readonly [bit: number, changed: Buffer]> {
  for (let bit = 0; bit < 8 * bytes.length; bit++) {
    const changed = Buffer.from(bytes);
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    yield [bit, changed];
  }
}

describe('a membership ticket', () => {
  const bytes = signTicket(ticket, signer);

  it('is read by whom it is shown to, whichever tracker signed it', () => {
    assert.deepEqual(openTicket(bytes, expected), ticket);
    assert.deepEqual(
      openTicket(signTicket(ticket, { tracker: OTHER_TRACKER, ticketKey: otherKey.privateKey }), expected),
      ticket,
    );
    assert.ok(bytes.length <= 512, `${bytes.length} bytes`);
    assert.ok(signTicket({ ...ticket, user: 'x'.repeat(69) }, signer).length <= 512);
  });

  it('is refused with any bit changed', () => {
    for (const [bit, changed] of flipped(bytes)) {
      assert.throws(
        () => openTicket(changed, expected),
        (error) => isShoalError(error),
        `bit ${bit}`,
      );
    }
  });

  it('is refused when it is cut off anywhere, or nothing at all', () => {
    for (let length = 0; length < bytes.length; length++) {
      refuses(() => openTicket(bytes.subarray(0, length), expected));
    }
  });

  const wrong: readonly [what: string, bytes: Uint8Array, why: RegExp, expected?: Partial<typeof expected>][] = [
    ['of another realm', signTicket({ ...ticket, realm: OTHER_REALM }, signer), /it is of another realm/],
    ['of another device', signTicket({ ...ticket, device: pin('99') }, signer), /it belongs to another device/],
    ['on the link of another device', bytes, /it belongs to another device/, { device: pin('99') }],
    ['in another realm', bytes, /it is of another realm/, { realm: OTHER_REALM }],
    [
      'of a tracker that is not in the realm',
      signTicket(ticket, { tracker: pin('77'), ticketKey: key.privateKey }),
      /no tracker of this realm signed it/,
    ],
    [
      'in the name of the other tracker',
      signTicket(ticket, { tracker: OTHER_TRACKER, ticketKey: key.privateKey }),
      /its signature does not fit/,
    ],
    ['that is a revocation', signRevocation(removal, signer), /its signature does not fit/],
    [
      'under a key that is none',
      bytes,
      /its signature does not fit/,
      { keys: new Map([[TRACKER, Uint8Array.of(1, 2, 3)]]) },
    ],
    [
      'under a key of another sort',
      bytes,
      /its signature does not fit/,
      {
        keys: new Map([
          [
            TRACKER,
            Uint8Array.from(
              generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'der', type: 'spki' }),
            ),
          ],
        ]),
      },
    ],
  ];
  for (const [what, one, why, changed] of wrong) {
    it(`is refused ${what}`, () => refuses(() => openTicket(one, { ...expected, ...changed }), why));
  }

  const times: readonly [what: string, afterMs: number, graceMs: number, counts: boolean][] = [
    ['when it is issued', 0, 0, true],
    ['a clock that is behind by less than is forgiven', -CLOCK_SKEW_MS_MAX, 0, true],
    ['a clock that is behind by more', -CLOCK_SKEW_MS_MAX - 1, 0, false],
    ['at its last moment', TICKET_MS + CLOCK_SKEW_MS_MAX, 0, true],
    ['a moment later', TICKET_MS + CLOCK_SKEW_MS_MAX + 1, 0, false],
    [
      'an hour later while no tracker can be reached',
      TICKET_MS + CLOCK_SKEW_MS_MAX + TICKET_GRACE_MS,
      TICKET_GRACE_MS,
      true,
    ],
    ['a moment after that', TICKET_MS + CLOCK_SKEW_MS_MAX + TICKET_GRACE_MS + 1, TICKET_GRACE_MS, false],
    ['before it was issued, however long no tracker could be reached', -CLOCK_SKEW_MS_MAX - 1, TICKET_GRACE_MS, false],
  ];
  for (const [what, afterMs, graceMs, counts] of times) {
    it(`${counts ? 'counts' : 'does not count'}: ${what}`, () =>
      assert.equal(ticketCounts(ticket, { nowMs: NOW_MS + afterMs, graceMs, revocations: [] }), counts));
  }
});

describe('a revocation', () => {
  const bytes = signRevocation(removal, signer);

  it('is read by everybody in the realm', () => {
    assert.deepEqual(openRevocation(bytes, expected), removal);
    assert.deepEqual(openRevocation(signRevocation(logout, signer), expected), logout);
    assert.ok(bytes.length <= 512);
  });

  it('is refused with any bit changed, of another realm, by a stranger, or when it is a ticket', () => {
    for (const [bit, changed] of flipped(bytes)) {
      assert.throws(
        () => openRevocation(changed, expected),
        (error) => isShoalError(error),
        `bit ${bit}`,
      );
    }
    refuses(
      () => openRevocation(signRevocation({ ...removal, realm: OTHER_REALM }, signer), expected),
      /another realm/,
    );
    refuses(
      () => openRevocation(signRevocation(removal, { tracker: pin('77'), ticketKey: key.privateKey }), expected),
      /no tracker of this realm/,
    );
    refuses(() => openRevocation(signTicket(ticket, signer), expected), /its signature does not fit/);
  });

  const rows: readonly [what: string, revocation: Revocation, beats: boolean][] = [
    ['of a membership that began before it', removal, true],
    ['of a membership at the very moment it began', { ...removal, at: ticket.memberSince }, false],
    ['one tick later', { ...removal, at: { ...ticket.memberSince, counter: 6 } }, true],
    ['one tick earlier', { ...removal, at: { ...ticket.memberSince, counter: 4 } }, false],
    ['of a membership that was over before this one began', { ...removal, at: { ms: 999, counter: 65_535 } }, false],
    ['of another group', { ...removal, group: id<GroupId>('77') }, false],
    ['of no group', { ...removal, group: undefined }, false],
    ['of another account', { ...removal, account: id<AccountId>('77') }, false],
    ['of a sign-in that began before it', logout, true],
    ['of a sign-in at the very moment it began', { ...logout, at: ticket.signedInSince }, false],
    ['of a sign-in after the membership but before this sign-in', { ...logout, at: { ms: 1500, counter: 0 } }, false],
    ['of a membership after it began but before the sign-in', { ...removal, at: { ms: 1500, counter: 0 } }, true],
    ['of a sign-in on another device', { ...logout, device: pin('77') }, false],
    ['of a sign-in on no device', { ...logout, device: undefined }, false],
    ["of another account's sign-in on this device", { ...logout, account: id<AccountId>('77') }, false],
    ['of something that only a newer version knows', { ...removal, what: 'other' }, false],
  ];
  for (const [what, one, does] of rows) {
    it(`${does ? 'takes the ticket back' : 'leaves the ticket alone'}: ${what}`, () => {
      assert.equal(overrides(one, ticket), does);
      assert.equal(
        ticketCounts(ticket, { nowMs: NOW_MS, graceMs: 0, revocations: [{ ...logout, device: pin('66') }, one] }),
        !does,
      );
    });
  }
});
