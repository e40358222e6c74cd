// The frozen bytes of every message, operation and noun. A failure here means that this version no
// longer speaks with those before it, or no longer reads what they wrote to disk: change the code
// back, not the fixture.
import assert from 'node:assert/strict';
import { createPrivateKey, createPublicKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { encodeFrame, KINDS } from '../../../protocol/wire/frame.ts';
import { bye, greeting, proof } from '../../../protocol/wire/greeting.ts';
import type { AccountId, OperationId, Pin } from '../../../protocol/base/ids.ts';
import { address, wireError } from '../../../protocol/base/fields.ts';
import {
  checkOperation,
  decodeEntry,
  encodeEntry,
  entry,
  operations,
  signOperation,
  stamp,
} from '../../../protocol/messages/operations.ts';
import type { Entry, Operation, OperationName } from '../../../protocol/messages/operations.ts';
import { checkDescriptor, descriptor, signDescriptor } from '../../../protocol/messages/realm.ts';
import type { AnySchema } from '../../../protocol/base/schema.ts';
import { openRevocation, openTicket, signRevocation, signTicket } from '../../../protocol/messages/ticket.ts';
import type { Revocation, Ticket } from '../../../protocol/messages/ticket.ts';
import { seededIdentity } from '../../support/simulation/machine.ts';
import { SeededChance } from '../../support/simulation/seededChance.ts';
import { Fixtures } from './fixtures.ts';
import { fromJson, toJson, typicalOf } from '../base/schemaTools.ts';
import { tables } from './wireTypes.ts';

const hexOf = (count: number, byte: string): string => byte.repeat(count);
const PKCS8_ED25519 = '302e020100300506032b657004220420';
const ed25519 = (byte: string): KeyObject =>
  createPrivateKey({ key: Buffer.from(PKCS8_ED25519 + byte.repeat(32), 'hex'), format: 'der', type: 'pkcs8' });
const spkiOf = (key: KeyObject): Buffer => createPublicKey(key).export({ format: 'der', type: 'spki' });

for (const [name, { rows }] of Object.entries(tables)) {
  describe(`the frozen bytes of ${name}`, () => {
    const fixtures = new Fixtures(name);

    for (const [row, { from, body, reply, rawBytesMax }] of Object.entries(rows)) {
      it(row, () => {
        const shape = { from, isCall: reply !== undefined, hasRawBytes: rawBytesMax !== undefined };
        assert.deepEqual(
          fixtures.get(`${row}`, () => shape),
          shape,
          'a message never changes its sender or whether it is answered',
        );
        fixtures.check(`${row} body`, body);
        if (reply) fixtures.check(`${row} reply`, reply);
      });
    }

    it('name no message twice, and forget none', () => {
      for (const key of fixtures.keys) {
        const [row = ''] = key.split(' ');
        const isRetired = fixtures.keys.includes(`${row} retired`);
        assert.equal(
          row in rows,
          !isRetired,
          isRetired
            ? `${row} was retired; a name is never given twice`
            : `${row} is gone: add "${row} retired": true to its fixtures`,
        );
      }
    });
  });
}

describe('the frozen bytes of nouns', () => {
  const fixtures = new Fixtures('nouns');
  const nouns: Readonly<Record<string, AnySchema>> = {
    greeting,
    proof,
    bye,
    wireError,
    address,
    stamp,
    entry,
    descriptor,
  };
  for (const [name, schema] of Object.entries(nouns)) it(name, () => fixtures.check(name, schema));

  it('keep a log entry as it is, and refuse one that is too large', () => {
    const [version] = fixtures.get<{ value: unknown; hex: string }[]>('entry', () => []);
    const bytes = Buffer.from(version?.hex ?? '', 'hex');
    assert.deepEqual(encodeEntry(decodeEntry(bytes)), bytes);
    assert.deepEqual(decodeEntry(bytes), fromJson(entry, version?.value) as Entry);
    assert.throws(() => decodeEntry(Buffer.concat([bytes, Buffer.alloc(8192)])), /too large/);
  });
});

describe('the frozen bytes of operations', () => {
  const fixtures = new Fixtures('operations');
  const device = seededIdentity(new SeededChance('the device of the fixtures'));
  const head = {
    realm: hexOf(32, 'a1') as Pin,
    id: hexOf(16, 'b2') as OperationId,
    account: hexOf(16, 'c3') as AccountId,
    createdAtMs: 1_767_225_600_123,
  };

  for (const [name, schema] of Object.entries(operations) as [OperationName, AnySchema][]) {
    it(name, () => {
      const sign = (body: unknown) => {
        const { operation, signature } = signOperation({ ...head, name, body } as Operation, device);
        return {
          value: toJson(schema, body),
          operation: Buffer.from(operation).toString('hex'),
          signature: Buffer.from(signature).toString('hex'),
        };
      };
      const versions = fixtures.versions(name, schema, () => sign(typicalOf(schema)));
      for (const { value, operation, signature } of versions) {
        const signed = { operation: Buffer.from(operation, 'hex'), signature: Buffer.from(signature, 'hex') };
        assert.deepEqual(checkOperation(signed), { ...head, name, body: fromJson(schema, value), device: device.pin });
      }
      assert.equal(sign(fromJson(schema, versions.at(-1)?.value)).operation, versions.at(-1)?.operation);
    });
  }

  it('forget no operation: logs hold them for ever', () => {
    for (const name of fixtures.keys) assert.ok(name in operations, name);
  });
});

describe('the frozen bytes of what trackers and realms sign', () => {
  const fixtures = new Fixtures('signed');
  const [ticketKey, realmKey] = [ed25519('d4'), ed25519('e5')];
  const tracker = hexOf(32, 'f6') as Pin;
  const keys = new Map([[tracker, spkiOf(ticketKey)]]);
  const frozen = (name: string, bytes: () => Uint8Array): Buffer =>
    Buffer.from(
      fixtures.get(name, () => Buffer.from(bytes()).toString('hex')),
      'hex',
    );

  const ticket = {
    realm: hexOf(32, 'a1'),
    group: hexOf(16, '01'),
    account: hexOf(16, '02'),
    user: 'alice',
    device: hexOf(32, '03'),
    memberSince: { ms: 1_767_225_600_000, counter: 4 },
    signedInSince: { ms: 1_767_225_600_001, counter: 5 },
    issuedAtMs: 1_767_225_600_002,
    expiresAtMs: 1_767_226_200_002,
  } as unknown as Ticket;
  const revocation = {
    realm: hexOf(32, 'a1'),
    what: 'signIn',
    account: hexOf(16, '02'),
    group: undefined,
    device: hexOf(32, '03'),
    at: { ms: 1_767_225_600_003, counter: 6 },
  } as unknown as Revocation;

  it('a ticket', () => {
    const sign = (): Uint8Array => signTicket(ticket, { tracker, ticketKey });
    const bytes = frozen('ticket', sign);
    assert.deepEqual(bytes, sign());
    assert.deepEqual(openTicket(bytes, { realm: ticket.realm, device: ticket.device, keys }), ticket);
  });

  it('a revocation', () => {
    const sign = (): Uint8Array => signRevocation(revocation, { tracker, ticketKey });
    const bytes = frozen('revocation', sign);
    assert.deepEqual(bytes, sign());
    assert.deepEqual(openRevocation(bytes, { realm: revocation.realm, keys }), revocation);
  });

  it('a descriptor', () => {
    const content = {
      realmKey: Uint8Array.from(spkiOf(realmKey)),
      version: 3,
      trackers: [
        {
          number: 1,
          address: { host: 'a.example', port: 7070 },
          pin: hexOf(32, '07') as Pin,
          ticketKey: Uint8Array.from(spkiOf(ticketKey)),
        },
      ],
      former: [],
    };
    const sign = (): { descriptor: Uint8Array; signature: Uint8Array } =>
      signDescriptor({ ...content, former: [hexOf(32, '08') as Pin] }, realmKey);
    const bytes = {
      descriptor: frozen('descriptor with a former tracker', () => sign().descriptor),
      signature: frozen('its signature', () => sign().signature),
    };
    assert.deepEqual([bytes.descriptor, bytes.signature], [sign().descriptor, sign().signature]);
    const from = { host: 'a.example', port: 7070 };
    assert.deepEqual(checkDescriptor(bytes, undefined, from).former, [hexOf(32, '08')]);
    // Of the first version, which knew of no former ones.
    const first = {
      descriptor: frozen('descriptor', () => assert.fail('it is frozen')),
      signature: frozen('descriptor signature', () => assert.fail('it is frozen')),
    };
    const { realm, ...read } = checkDescriptor(first, undefined, from);
    assert.deepEqual(read, content);
    assert.equal(realm, frozen('realm of the descriptor', () => Buffer.from(realm, 'hex')).toString('hex'));
  });
});

describe('the frozen bytes of frames', () => {
  const fixtures = new Fixtures('frames');
  for (const [place, kind] of KINDS.entries()) {
    it(kind, () => {
      const bytes = Buffer.concat(
        encodeFrame(
          { type: 'piece', kind, call: 0x01020304 + place },
          Buffer.from('body'),
          kind === 'answer' ? { raw: Buffer.from('raw') } : undefined,
        ),
      ).toString('hex');
      assert.equal(
        bytes,
        fixtures.get(kind, () => bytes),
      );
    });
  }
});
