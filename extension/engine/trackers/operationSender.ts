// Operations of ours on their way into the realm: signed by this device, sent to a tracker, and
// sent again until both have them. Owns the outbox; knows neither what an operation means nor who
// is signed in.
import type { Home } from '../../../protocol/home/homeLayout.ts';
import { asShoalError, ShoalError } from '../../../protocol/base/errors.ts';
import type { Identity } from '../../../protocol/node/identity.ts';
import type { AccountId, OperationId } from '../../../protocol/base/ids.ts';
import type { SignedOperation } from '../../../protocol/base/fields.ts';
import type { Operation, OperationBody, OperationName } from '../../../protocol/messages/operations.ts';
import { signOperation } from '../../../protocol/messages/operations.ts';
import type { Receipt } from '../../../protocol/messages/trackerLink.ts';
import type { World } from '../../../protocol/base/world.ts';
import { Outbox, SAYS_NOTHING } from './outbox.ts';
import type { Trackers } from './trackerClient.ts';

/** How often operations that are not on both disks are sent again, in ms. */
const OUTBOX_MS = 5_000;

export interface OwnOperationsHost {
  readonly world: World;
  readonly home: Home;
  readonly identity: Identity;
  readonly trackers: Trackers;
  /** The trackers' time. */
  now(): number;
  /** There is one more that only one tracker has. */
  kept(): void;
}

export class OwnOperations {
  readonly #host: OwnOperationsHost;
  readonly #outbox: Outbox;
  #lastSentMs = 0;

  constructor(host: OwnOperationsHost) {
    this.#host = host;
    this.#outbox = new Outbox(host.world.disk, host.home, host.world.log);
  }

  /** How many only one tracker has, or none. */
  get waitingCount(): number {
    return this.#outbox.size;
  }

  /** @throws ShoalError damagedFile, newerFormat */
  load(): Promise<void> {
    return this.#outbox.load();
  }

  /** An operation in its bytes, signed by this device. @throws ShoalError trackerUnknown */
  sign<N extends OperationName>(name: N, body: OperationBody<N>, account: AccountId): SignedOperation {
    const {
      world: { chance },
      identity,
      trackers: { realm },
    } = this.#host;
    if (realm === undefined) throw new ShoalError('trackerUnknown');
    const id = chance.bytes(16).toString('hex') as OperationId;
    return signOperation({ realm, id, account, createdAtMs: this.#host.now(), name, body } as Operation, identity);
  }

  /** Signs and sends. @throws ShoalError what the tracker says */
  async submit<N extends OperationName>(name: N, body: OperationBody<N>, account: AccountId): Promise<Receipt> {
    return this.send(this.sign(name, body, account));
  }

  /** @throws ShoalError what the tracker says */
  async send(signed: SignedOperation): Promise<Receipt> {
    return this.received(signed, await this.#host.trackers.call('submit', { signed }));
  }

  /**
   * Sends now, or when a tracker can be reached. @throws ShoalError what a tracker says of the
   * operation itself
   */
  async sendSometime(signed: SignedOperation): Promise<void> {
    try {
      await this.send(signed);
    } catch (error) {
      const { code, retry } = asShoalError(error);
      if (retry === 'never' && !SAYS_NOTHING.includes(code)) throw error;
      await this.#outbox.keep(signed, {}, this.#host.world.clock.now());
    }
  }

  /** Keeps what only one tracker has. */
  async received(signed: SignedOperation, receipt: Receipt): Promise<Receipt> {
    const {
      trackers,
      world: { clock },
    } = this.#host;
    trackers.sawEffectOf(receipt.at);
    if (receipt.durability !== 'both') {
      await this.#outbox.keep(signed, receipt, clock.now());
      this.#host.kept();
    }
    return receipt;
  }

  /**
   * Sends again what is kept, when it is time to. Called now and then while a tracker is in use.
   */
  sendAgain(): void {
    const {
      trackers,
      world: { clock, log },
    } = this.#host;
    const nowMs = clock.monotonicMs();
    if (nowMs - this.#lastSentMs <= OUTBOX_MS) return;
    this.#lastSentMs = nowMs;
    this.#outbox
      .flush(
        ({ signed, acknowledged }) =>
          acknowledged ? trackers.call('restore', acknowledged) : trackers.call('submit', { signed }),
        clock.now(),
      )
      .catch((error: unknown) =>
        log.error('what only one tracker has cannot be written down', { why: asShoalError(error).message }),
      );
  }
}
