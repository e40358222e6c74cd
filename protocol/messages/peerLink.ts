// What two engines say to each other. Each shows a ticket per group; requests for a group are
// answered only while both count.
import {
  REQUESTED_PIECES_MAX,
  HASHES_PER_REPLY_MAX,
  PIECES_MAX,
  PIECES_PER_HAVE_MAX,
  SPAN_BYTES_MAX,
} from '../base/limits.ts';
import { groupId, root } from '../base/fields.ts';
import { bytes, list, oneOf, struct, u32 } from '../base/schema.ts';
import { nothing, table } from '../wire/table.ts';

/** What a peer has of a file. `bits` is a bitfield when it is `some`, otherwise empty. */
export const holding = struct({ have: oneOf('none', 'all', 'some'), bits: bytes(PIECES_MAX / 8) });

export const peerLink = table(
  { peer: 'peer' },
  {
    /**
     * A membership ticket of the sender (ticket.ts): after the greeting for each group, and again
     * whenever it was renewed.
     */
    ticket: { from: 'peer', body: struct({ ticket: bytes(512) }) },
    /** A revocation passed on (ticket.ts). */
    revoked: { from: 'peer', body: struct({ revocation: bytes(512) }) },

    /** The sender takes part in a swarm; both say what they have. Throws noTicket, notServed. */
    join: { from: 'peer', body: struct({ group: groupId, root, holding }), reply: struct({ holding }) },
    /** The sender has left a swarm. */
    leave: { from: 'peer', body: struct({ group: groupId, root }) },
    /** The sender now has these pieces too. */
    have: { from: 'peer', body: struct({ group: groupId, root, pieces: list(u32, PIECES_PER_HAVE_MAX) }) },
    /**
     * What the sender has asked of seeders and will soon have, instead of what it said before:
     * others ask seeders for something else.
     */
    asking: { from: 'peer', body: struct({ group: groupId, root, pieces: list(u32, REQUESTED_PIECES_MAX) }) },

    /**
     * A range of the piece layer (BEP 52 `hash request`): `count` hashes, a power of two, from
     * `first`, a multiple of it. The proof holds the sibling of the range's own root and of each of
     * its parents, up to below the file's root.
     */
    hashes: {
      from: 'peer',
      body: struct({ group: groupId, root, first: u32, count: u32 }),
      reply: struct({ hashes: bytes(HASHES_PER_REPLY_MAX * 32), proof: bytes(32 * 32) }),
    },
    /**
     * Bytes of one piece, from `offset` within it. The answer may hold fewer than were asked for,
     * at least one: who sends under a small limit sends a little at a time. Throws noTicket,
     * notServed, pieceNotHeld, fileChanged.
     */
    piece: {
      from: 'peer',
      body: struct({ group: groupId, root, piece: u32, offset: u32, lengthBytes: u32 }),
      reply: nothing,
      rawBytesMax: SPAN_BYTES_MAX,
    },
  },
);
