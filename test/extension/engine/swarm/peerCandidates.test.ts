// Whom a swarm reaches next, as data.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { PeerCandidates } from '../../../../extension/engine/swarm/peerCandidates.ts';
import type { AccountId, Pin } from '../../../../protocol/base/ids.ts';
import type { SwarmPeer } from '../../../../protocol/messages/trackerLink.ts';

const pinOf = (n: number): Pin => n.toString(16).padStart(8, '0').padEnd(64, '0') as Pin;
const peer = (n: number, leftBytes = 0): SwarmPeer => ({
  pin: pinOf(n),
  account: '' as AccountId,
  user: `p${n}`,
  addresses: [],
  leftBytes,
});
const contactsOf = (...peers: SwarmPeer[]): PeerCandidates => {
  const contacts = new PeerCandidates();
  contacts.add(peers);
  return contacts;
};
/** @param turn  what chance gives: any u32 */
const reaches = (
  contacts: PeerCandidates,
  here: readonly number[] = [],
  turn = 0,
  nowMs = 0,
  unreachable: readonly number[] = [],
  linked: readonly number[] = [],
): readonly string[] =>
  contacts
    .select(new Set(here.map(pinOf)), {
      nowMs,
      random: () => turn / 2 ** 32,
      isUnreachable: (pin) => unreachable.map(pinOf).includes(pin),
      isConnected: (pin) => linked.map(pinOf).includes(pin),
    })
    .map(({ user }) => user);

describe('whom a swarm reaches', () => {
  it('are first those who have everything', () =>
    assert.deepEqual(reaches(contactsOf(peer(1, 5), peer(2), peer(3, 1), peer(4))), ['p2', 'p4', 'p1', 'p3']));
  it('begin elsewhere for each who asks', () =>
    assert.deepEqual(reaches(contactsOf(peer(0), peer(1), peer(2), peer(3)), [], 2), ['p2', 'p3', 'p0', 'p1']));
  it('are the same ones for ten seconds, however often it is asked, and then others', () => {
    const contacts = contactsOf(peer(0), peer(1), peer(2), peer(3));
    const [first, second, third] = [
      reaches(contacts, [], 0, 1_000),
      reaches(contacts, [], 3, 10_999),
      reaches(contacts, [], 3, 11_000),
    ];
    assert.deepEqual([first, second, third], [['p0', 'p1', 'p2', 'p3'], first, ['p3', 'p2', 'p1', 'p0']]);
  });
  it('are last of all those who could not be reached, even if they have everything', () =>
    assert.deepEqual(reaches(contactsOf(peer(1), peer(2, 5), peer(3)), [], 0, 0, [1]), ['p3', 'p2', 'p1']));
  it('are those who have everything and are linked to us, however many take part', () => {
    const crowd = Array.from({ length: 16 }, (_, n) => n + 100);
    assert.deepEqual(reaches(contactsOf(peer(1), peer(2), peer(3, 1), peer(4)), crowd, 0, 0, [], [2, 3]), ['p2']);
  });
  it('are none who take part, are left alone or are gone', () => {
    const contacts = contactsOf(peer(1), peer(2), peer(3), peer(4));
    contacts.ban(pinOf(2), { user: 'p2', why: 'a piece was wrong' });
    contacts.remove([pinOf(3)]);
    assert.deepEqual(reaches(contacts, [1]), ['p4']);
  });
  it('are none who have not answered yet, who count as if they took part', () => {
    const contacts = contactsOf(...Array.from({ length: 20 }, (_, n) => peer(n)));
    for (let n = 0; n < 16; n++) contacts.onJoinStarted(pinOf(n));
    assert.deepEqual(reaches(contacts), []);
    contacts.onJoinEnded(pinOf(7));
    assert.deepEqual(reaches(contacts), ['p7']);
  });
  it('are so many that sixteen take part, each once', () =>
    fc.assert(
      fc.property(fc.nat(40), fc.nat(40), fc.nat(2 ** 32 - 1), (named, here, turn) => {
        const found = reaches(
          contactsOf(...Array.from({ length: named }, (_, n) => peer(n))),
          Array.from({ length: here }, (_, n) => n + 1000),
          turn,
        );
        assert.equal(found.length, Math.max(0, Math.min(named, 16 - here)));
        assert.equal(new Set(found).size, found.length);
      }),
    ));
});
