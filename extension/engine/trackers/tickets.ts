// Who may have what from us, and what proves it: our own membership tickets, the revocations heard
// of, the trackers' keys and time. Decides whether a ticket counts at this moment; talks to nobody.
import type { GroupId, Pin } from '../../../protocol/base/ids.ts';
import { TICKET_GRACE_MS, TICKET_MS } from '../../../protocol/base/limits.ts';
import type { Revocation, Ticket, TicketKeys } from '../../../protocol/messages/ticket.ts';
import { openRevocation, openTicket, ticketCounts } from '../../../protocol/messages/ticket.ts';
import type { Clock } from '../../../protocol/base/world.ts';

/** How long no tracker may have answered before tickets get their grace, in ms. */
const UNREACHABLE_MS = 60_000;
/** How long a revocation is kept: longer than any ticket it could beat may count, in ms. */
const REVOCATION_MS = 2 * (TICKET_MS + TICKET_GRACE_MS);

export class Tickets {
  readonly #clock: Clock;
  #realm: { readonly pin: Pin; readonly keys: TicketKeys } | undefined;
  /** Trackers' clock minus ours, in ms. */
  #offsetMs = 0;
  #heardMs: number;
  readonly #mine = new Map<GroupId, Uint8Array>();
  #revocations: { readonly bytes: Uint8Array; readonly revocation: Revocation; readonly untilMs: number }[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#heardMs = clock.monotonicMs();
  }

  /** The realm whose trackers' signatures count. */
  setRealm(pin: Pin, keys: TicketKeys): void {
    this.#realm = { pin, keys };
  }

  /** A tracker has said what time it is. */
  setTime(nowMs: number): void {
    this.#offsetMs = nowMs - this.#clock.now();
    this.heard();
  }
  /** A tracker can be reached. */
  heard(): void {
    this.#heardMs = this.#clock.monotonicMs();
  }

  /** Now, by the trackers' clock, ms since 1970. */
  now(): number {
    return this.#clock.now() + this.#offsetMs;
  }

  /**
   * Our tickets as a tracker gave them; replaces those we had. Those that cannot be read are left
   * out.
   */
  setMine(tickets: readonly Uint8Array[], device: Pin): void {
    this.#mine.clear();
    for (const bytes of tickets) {
      try {
        this.#mine.set(this.open(bytes, device).group, bytes);
      } catch {
        // A tracker that signs nonsense: no ticket for that group, and peers will say so.
      }
    }
  }
  mine(group: GroupId): Uint8Array | undefined {
    return this.#mine.get(group);
  }
  dropMine(): void {
    this.#mine.clear();
  }

  /** Reads somebody's ticket. @throws ShoalError badTicket */
  open(bytes: Uint8Array, device: Pin): Ticket {
    return openTicket(bytes, { realm: this.#realm?.pin ?? ('' as Pin), device, keys: this.#realm?.keys ?? new Map() });
  }

  /** Whether somebody's ticket counts now. */
  counts(ticket: Ticket): boolean {
    const graceMs = this.#clock.monotonicMs() - this.#heardMs > UNREACHABLE_MS ? TICKET_GRACE_MS : 0;
    return ticketCounts(ticket, {
      nowMs: this.now(),
      graceMs,
      revocations: this.#revocations.map(({ revocation }) => revocation),
    });
  }

  /** Takes a revocation from anybody. Returns it if it was new. @throws ShoalError badTicket */
  revoke(bytes: Uint8Array): Revocation | undefined {
    const now = this.#clock.monotonicMs();
    this.#revocations = this.#revocations.filter(({ untilMs }) => untilMs > now);
    if (this.#revocations.some((known) => Buffer.compare(known.bytes, bytes) === 0)) return undefined;
    const revocation = openRevocation(bytes, {
      realm: this.#realm?.pin ?? ('' as Pin),
      keys: this.#realm?.keys ?? new Map(),
    });
    this.#revocations.push({ bytes, revocation, untilMs: now + REVOCATION_MS });
    return revocation;
  }

  /** All revocations that may still matter, to tell a peer that was away. */
  revocations(): readonly Uint8Array[] {
    return this.#revocations.map(({ bytes }) => bytes);
  }
}
