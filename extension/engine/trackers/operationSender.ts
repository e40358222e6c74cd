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
import { Outbox, NOT_A_RULING } from './outbox.ts';
import type { TrackerClient } from './trackerClient.ts';

/** How often operations that are not on both disks are sent again, in ms. */
const RESEND_MS = 5_000;

export interface OperationSenderContext {
  readonly world: World;
  readonly home: Home;
  readonly identity: Identity;
  readonly trackers: TrackerClient;
  /** The trackers' time. */
  now(): number;
  /** There is one more that only one tracker has. */
  onOutboxChanged(): void;
}

export class OperationSender {
  readonly #context: OperationSenderContext;
  readonly #outbox: Outbox;
  #lastSentMs = 0;

  constructor(context: OperationSenderContext) {
    this.#context = context;
    this.#outbox = new Outbox(context.world.disk, context.home, context.world.log);
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
    } = this.#context;
    if (realm === undefined) throw new ShoalError('trackerUnknown');
    const id = chance.bytes(16).toString('hex') as OperationId;
    return signOperation({ realm, id, account, createdAtMs: this.#context.now(), name, body } as Operation, identity);
  }

  /** Signs and sends. @throws ShoalError what the tracker says */
  async submit<N extends OperationName>(name: N, body: OperationBody<N>, account: AccountId): Promise<Receipt> {
    return this.send(this.sign(name, body, account));
  }

  /** @throws ShoalError what the tracker says */
  async send(signed: SignedOperation): Promise<Receipt> {
    return this.onReceipt(signed, await this.#context.trackers.call('submit', { signed }));
  }

  /**
   * Sends now, or when a tracker can be reached. @throws ShoalError what a tracker says of the
   * operation itself
   */
  async sendEventually(signed: SignedOperation): Promise<void> {
    try {
      await this.send(signed);
    } catch (error) {
      const { code, retry } = asShoalError(error);
      if (retry === 'never' && !NOT_A_RULING.includes(code)) throw error;
      await this.#outbox.add(signed, {}, this.#context.world.clock.now());
    }
  }

  /** Keeps what only one tracker has. */
  async onReceipt(signed: SignedOperation, receipt: Receipt): Promise<Receipt> {
    const {
      trackers: trackerClient,
      world: { clock },
    } = this.#context;
    trackerClient.onEffectOf(receipt.at);
    if (receipt.durability !== 'both') {
      await this.#outbox.add(signed, receipt, clock.now());
      this.#context.onOutboxChanged();
    }
    return receipt;
  }

  /**
   * Sends again what is kept, when it is time to. Called now and then while a tracker is in use.
   */
  resend(): void {
    const {
      trackers: trackerClient,
      world: { clock, log },
    } = this.#context;
    const nowMs = clock.monotonicMs();
    if (nowMs - this.#lastSentMs <= RESEND_MS) return;
    this.#lastSentMs = nowMs;
    this.#outbox
      .flush(
        ({ signed, acknowledged }) =>
          acknowledged ? trackerClient.call('restore', acknowledged) : trackerClient.call('submit', { signed }),
        clock.now(),
      )
      .catch((error: unknown) =>
        log.error('what only one tracker has cannot be written down', { why: asShoalError(error).message }),
      );
  }
}
