// A steady load on a pair of real trackers: one person's devices share files, so many a second,
// whatever happens to the trackers. A device does what an engine does: it goes to the other tracker
// when one fails it, sends what was not answered again with the same id, keeps what only one disk
// has, and gives that back until both have it.
import assert from 'node:assert/strict';
import { isShoalError } from '../../../protocol/base/errors.ts';
import { createIdentity } from '../../../protocol/node/identity.ts';
import type { AccountId, GroupId, OperationId, Pin, Root, Sha256 } from '../../../protocol/base/ids.ts';
import { createNodeWorld } from '../../../protocol/node/nodeWorld.ts';
import type { Address } from '../../../protocol/base/fields.ts';
import { parseRealmUrl } from '../../../protocol/messages/realm.ts';
import type { ReceiptProof } from '../../../protocol/messages/receipt.ts';
import type { Receipt } from '../../../protocol/messages/trackerLink.ts';
import { silentLog } from '../../../protocol/base/world.ts';
import { Client, newId, PASSWORD } from '../testRealm.ts';

const PER_SECOND = 200;
const DEVICES = 8;
/** Few names, shared again and again: the log grows, and what it comes to depends on its order. */
const NAMES = 200;
/** Operations that wait while no tracker runs; beyond that people stop asking. */
const WAITING_MAX = 500;
const TICK_MS = 20;
/** How often the devices give back what only one disk has, in ticks. */
const FLUSH_TICKS = 25;

export class Load {
  /** What it amounted to: a load that met no trouble proves nothing. */
  readonly tally = { both: 0, one: 0, again: 0, restored: 0 };
  readonly acknowledged = new Set<OperationId>();
  readonly #devices: readonly Device[];
  readonly #group: GroupId;
  readonly #timer: NodeJS.Timeout;
  readonly #startedMs = performance.now();
  #waiters: (() => void)[] = [];
  #ticks = 0;
  #issued = 0;
  /** Operations and deliveries that are not answered yet. */
  #waiting = 0;
  #isOver = false;
  #failure: Error | undefined;

  private constructor(devices: readonly Device[], group: GroupId) {
    this.#devices = devices;
    this.#group = group;
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  /** Signs the devices in, half of them at each of two trackers that have met, and begins. */
  static async begin(url: string): Promise<Load> {
    const { realm, addresses } = parseRealmUrl(url);
    const account = newId<AccountId>();
    const devices: Device[] = [];
    for (let n = 0; n < DEVICES; n++) {
      const device = new Device(realm as Pin, addresses, n);
      await device.link();
      device.client.account = account;
      if (n === 0) await device.client.createAccount('alice');
      await device.client.call('authenticate', { user: 'alice', password: PASSWORD });
      await onBoth(device.client.submit('signIn', { account }));
      devices.push(device);
    }
    const group = newId<GroupId>();
    await onBoth((devices[0] as Device).client.submit('createGroup', { group, name: 'team' }));
    return new Load(devices, group);
  }

  /** How many a second it came to. */
  get perSecond(): number {
    return Math.round((this.#issued * 1000) / (performance.now() - this.#startedMs));
  }

  /** Resolves when so many more operations were acknowledged. */
  async more(count: number): Promise<void> {
    const from = this.acknowledged.size;
    await this.until(() => this.acknowledged.size - from >= count);
  }

  /** Looks at every tick. @throws what went wrong with an operation meanwhile */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      if (this.#failure) throw this.#failure;
      await new Promise<void>((resolve) => this.#waiters.push(resolve));
    }
  }

  /** No more operations; resolves when all that were sent are acknowledged by both disks. */
  async finish(): Promise<void> {
    this.#isOver = true;
    await this.until(() => this.#waiting === 0 && this.#devices.every(({ outbox }) => outbox.size === 0));
    this.stop();
  }

  stop(): void {
    this.#isOver = true;
    clearInterval(this.#timer);
    for (const device of this.#devices) device.leave();
  }

  #tick(): void {
    this.#ticks++;
    const due = Math.floor(((performance.now() - this.#startedMs) * PER_SECOND) / 1000) - this.#issued;
    for (let n = 0; n < due && !this.#isOver; n++) {
      const device = this.#devices[this.#issued++ % this.#devices.length];
      if (device && this.#waiting < WAITING_MAX) void this.#watched(this.#share(device));
    }
    if (this.#ticks % FLUSH_TICKS === 0) for (const device of this.#devices) void this.#watched(this.#flush(device));
    for (const tell of this.#waiters.splice(0)) tell();
  }

  async #watched(work: Promise<void>): Promise<void> {
    this.#waiting++;
    await work.catch((error: unknown) => (this.#failure ??= error as Error));
    this.#waiting--;
  }

  async #share(device: Device): Promise<void> {
    const id = newId<OperationId>();
    const content = (this.#issued + 1).toString(16).padStart(64, '0');
    const body = {
      group: this.#group,
      name: `file ${this.#issued % NAMES}`,
      root: content as Root,
      sizeBytes: 1000,
      pieceBytes: 16_384,
      sha256: content as Sha256,
      replace: true,
      content: 'file' as const,
    };
    const signed = device.client.sign('shareFile', body, { id });
    const { durability, entry, proof } = await this.#send(device, () => device.client.call('submit', { signed }));
    this.acknowledged.add(id);
    this.tally[durability === 'both' ? 'both' : 'one']++;
    if (durability !== 'both' && entry && proof) device.outbox.set(id, { entry, proof });
  }

  async #flush(device: Device): Promise<void> {
    if (device.isFlushing) return;
    device.isFlushing = true;
    for (const [id, kept] of device.outbox) {
      const { durability } = await this.#send(device, () => device.client.call('restore', kept));
      this.tally.restored++;
      if (durability !== 'both') break; // another time
      device.outbox.delete(id);
    }
    device.isFlushing = false;
  }

  /** Until it is answered, by whichever tracker. */
  async #send(device: Device, call: () => Promise<Receipt>): Promise<Receipt> {
    for (;;) {
      const link = device.link();
      try {
        await link;
        return await call();
      } catch (error) {
        if (!isShoalError(error) || error.retry === 'never') throw error;
        this.tally.again++;
        if (error.retry === 'elsewhere') device.leave(link);
        await new Promise<void>((resolve) => this.#waiters.push(resolve));
      }
    }
  }
}

/** What must be known to both before one of them may die. */
async function onBoth(answer: Promise<Receipt>): Promise<void> {
  assert.equal((await answer).durability, 'both');
}

class Device {
  readonly client: Client;
  /** Acknowledged by one disk alone. */
  readonly outbox = new Map<OperationId, { readonly entry: Uint8Array; readonly proof: ReceiptProof }>();
  isFlushing = false;
  readonly #addresses: readonly Address[];
  #at: number;
  #link: Promise<void> | undefined;

  constructor(realm: Pin, addresses: readonly Address[], n: number) {
    const identity = createIdentity();
    this.client = new Client(realm, identity, createNodeWorld({ identity, log: silentLog }));
    this.#addresses = addresses;
    this.#at = n % addresses.length;
  }

  /** The link in use; dialled when there is none. */
  link(): Promise<void> {
    this.#link ??= this.client.connect(this.#addresses[this.#at] ?? { host: '', port: 0 });
    return this.#link;
  }

  /** Goes to the other tracker, unless it has gone since. */
  leave(link = this.#link): void {
    if (link === undefined || this.#link !== link) return;
    this.#link = undefined;
    this.#at = (this.#at + 1) % this.#addresses.length;
    void link.then(
      () => this.client.connection.destroy(),
      () => {},
    );
  }
}
