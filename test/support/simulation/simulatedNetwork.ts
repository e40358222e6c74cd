// The network between simulated machines: who listens where, how long bytes travel, and what can go
// wrong (cut, one-way cut, reset, firewall). Streams between machines come with a proven pin, as
// TLS gives it; the handshake takes its round trips.
import { ShoalError } from '../../../protocol/base/errors.ts';
import { addressText } from '../../../protocol/base/address.ts';
import type { Address } from '../../../protocol/base/fields.ts';
import type { ByteStream, DialOptions, ListenAt, Listener, Network } from '../../../protocol/base/world.ts';
import type { Life, Machine } from './machine.ts';
import type { SeededChance } from './seededChance.ts';
import { SimulatedStream } from './simulatedStream.ts';
import type { Simulation } from './simulatedWorld.ts';

/** A machine as the network sees it. */
export interface Site {
  readonly name: string;
  readonly host: string;
  readonly machines: Machine[];
  readonly listeners: Map<number | string, Listening>;
  /** What becomes of those who dial it from elsewhere: `refuses` tells them, `drops` does not. */
  firewall: 'open' | 'refuses' | 'drops';
  /** What leaves it in all, in bytes per ms. */
  upBytesPerMs: number;
  upFreeAtMs: number;
  isOff: boolean;
}

interface Listening {
  readonly life: Life;
  readonly host: string | undefined;
  readonly accept: (stream: ByteStream) => void;
}

interface Path {
  latencyMs: number;
  isCut: boolean;
}

const LATENCY_MS_DEFAULT = 1;
const LOOPBACK_MS = 0.02;
/** Every journey takes up to so much longer than the last one. */
const JITTER = 0.3;
const LOOPBACK = /^(?:127\.|::1$|localhost$)/;
const FIRST_FREE_PORT = 49_152;

export class SimulatedNetwork {
  readonly #sim: Simulation;
  readonly #chance: SeededChance;
  readonly #sites: Site[] = [];
  readonly #paths = new Map<string, Path>();
  readonly #streams = new Set<SimulatedStream>();
  /** When the last bytes that set out on a path arrive. */
  readonly #lastArrival = new Map<string, number>();
  #ports = FIRST_FREE_PORT;

  constructor(sim: Simulation, chance: SeededChance) {
    this.#sim = sim;
    this.#chance = chance;
  }

  /** Connections that are open, each counted once. */
  get openStreams(): number {
    return [...this.#streams].filter((stream) => stream.isOpen).length;
  }

  /** How long bytes travel between two machines, one way. */
  setLatency(a: Machine, b: Machine, latencyMs: number): void {
    for (const path of this.#both(a, b)) path.latencyMs = latencyMs;
  }

  /** Nothing passes between two machines; nobody is told. What is on its way waits until `heal`. */
  cut(a: Machine, b: Machine): void {
    this.#sim.note(`cut ${a.name} ${b.name}`);
    for (const path of this.#both(a, b)) path.isCut = true;
  }

  /** Nothing passes from one machine to another; the other direction stays open. */
  cutOneWay(from: Machine, to: Machine): void {
    this.#sim.note(`cut ${from.name} to ${to.name}`);
    this.#path(from.site, to.site).isCut = true;
  }

  /** All paths are open again, or those between two machines. */
  heal(a?: Machine, b?: Machine): void {
    this.#sim.note(`heal ${a?.name ?? 'all'} ${b?.name ?? ''}`);
    for (const path of a && b ? this.#both(a, b) : this.#paths.values()) path.isCut = false;
    this.retry();
  }

  /** All connections between two machines break, and both are told. */
  reset(a: Machine, b: Machine): void {
    this.#sim.note(`reset ${a.name} ${b.name}`);
    for (const stream of [...this.#streams]) {
      const ends = [stream.life.machine.site, stream.other.life.machine.site];
      if (ends.includes(a.site) && ends.includes(b.site)) stream.break();
    }
  }

  of(life: Life): Network {
    const { site } = life.machine;
    return {
      listen: async (at, accept) => this.#listen(life, at, accept),
      dial: (to, options) => this.#dial(life, to, options),
      hosts: () => [site.host],
    };
  }

  // From here on: for the other parts of the simulation.

  addSite(name: string): Site {
    const count = this.#sites.length + 1;
    const host = `10.0.${count >> 8}.${count & 255}`;
    const site: Site = {
      name,
      host,
      machines: [],
      listeners: new Map(),
      firewall: 'open',
      upBytesPerMs: Infinity,
      upFreeAtMs: 0,
      isOff: false,
    };
    this.#sites.push(site);
    return site;
  }

  after(delayMs: number, run: () => void): void {
    this.#sim.after(delayMs, run);
  }

  /**
   * How long so many bytes take that set out now. Those that set out later on the same path do not
   * overtake them.
   */
  travelMs(from: Site, to: Site, bytes = 0): number {
    const now = this.#sim.nowMs;
    if (from === to) return LOOPBACK_MS;
    from.upFreeAtMs = Math.max(now, from.upFreeAtMs) + bytes / from.upBytesPerMs;
    const key = `${from.host}>${to.host}`;
    const arrival = Math.max(
      this.#lastArrival.get(key) ?? 0,
      from.upFreeAtMs + this.#path(from, to).latencyMs * (1 + JITTER * this.#chance.random()),
    );
    this.#lastArrival.set(key, arrival);
    return arrival - now;
  }

  isCut(from: Site, to: Site): boolean {
    return from.isOff || to.isOff || (from !== to && this.#path(from, to).isCut);
  }

  /** What was held back sets out again. */
  retry(): void {
    for (const stream of this.#streams) for (const end of [stream, stream.other]) end.retry();
  }

  forget(stream: SimulatedStream): void {
    // Until both ends are closed, one of them may still have something to be told.
    if (stream.isOpen || stream.other?.isOpen) return;
    this.#streams.delete(stream);
    this.#streams.delete(stream.other);
  }

  #listen(life: Life, at: ListenAt, accept: (stream: ByteStream) => void): Listener {
    const { listeners } = life.machine.site;
    const place = 'path' in at ? at.path : at.port === 0 ? this.#freePort(life.machine.site) : at.port;
    const fail = (why: string): never => {
      throw new ShoalError('listenFailed', {
        address:
          'path' in at
            ? at.path
            : at.host === undefined
              ? `port ${at.port}`
              : addressText({ host: at.host, port: at.port }),
        why,
      });
    };
    const host = 'host' in at ? at.host : undefined;
    if (
      host !== undefined &&
      !/^(?:0\.0\.0\.0|::)$/.test(host) &&
      this.#find(life.machine.site, host) !== life.machine.site
    ) {
      fail('this machine has no such address');
    }
    if (listeners.has(place)) fail('another program uses it');
    const close = (): void => {
      listeners.delete(place);
      life.listeners.delete(close);
    };
    listeners.set(place, { life, host, accept });
    life.listeners.add(close);
    this.#sim.note(`${life.machine.name} listens at ${place}`);
    return { port: typeof place === 'number' ? place : 0, close: async () => close() };
  }

  #dial(
    life: Life,
    to: Address | { readonly path: string },
    { expect, timeoutMs, signal, answered }: DialOptions,
  ): Promise<ByteStream> {
    const from = life.machine.site;
    const place = 'path' in to ? to.path : addressText(to);
    const isLoopback = 'path' in to || LOOPBACK.test(to.host);
    const site = isLoopback ? from : this.#find(from, to.host);
    this.#sim.note(`${life.machine.name} dials ${place}`);
    return new Promise((resolve, reject) => {
      let isOver = false;
      const finish = (end: () => void): void => {
        if (isOver || !life.isAlive) return;
        isOver = true;
        timer.cancel();
        signal?.removeEventListener('abort', onAbort);
        end();
      };
      const fail = (error: ShoalError): void => finish(() => reject(error));
      const unreachable = (why: string): void => fail(new ShoalError('unreachable', { address: place, why }));
      const onAbort = (): void => fail(new ShoalError('cancelled'));
      const timer = this.#sim.after(timeoutMs, () => unreachable(`no answer within ${timeoutMs} ms`));
      /**
       * Goes on at the other end of the path, unless it is cut: then only the time-out ends the
       * wait.
       */
      const across = (a: Site, b: Site, run: () => void): void =>
        this.after(this.travelMs(a, b), () => {
          if (!isOver && !this.isCut(a, b)) run();
        });
      if (signal?.aborted) return onAbort();
      signal?.addEventListener('abort', onAbort, { once: true });
      if (!site) return this.after(LATENCY_MS_DEFAULT, () => unreachable('there is no such host'));
      across(from, site, () => {
        const listening = this.#listening(
          site,
          'path' in to ? to.path : to.port,
          from,
          'path' in to ? undefined : to.host,
        );
        if (listening === 'nothing') return across(site, from, () => unreachable('nothing listens there'));
        if (listening === 'silence') return;
        if (listening.life.machine.pin !== expect && expect !== undefined && !('path' in to)) {
          return across(site, from, () => fail(new ShoalError('pinMismatch', { address: place })));
        }
        // The keys are proven in one more round trip; the dialling side is done first.
        across(site, from, () => {
          answered?.();
          across(from, site, () =>
            across(site, from, () =>
              finish(() => {
                const [dialled, accepted] = this.#pair(life, listening.life, to);
                resolve(dialled);
                this.after(this.travelMs(from, site), () => this.#accept(site, listening, accepted));
              }),
            ),
          );
        });
      });
    });
  }

  #listening(
    site: Site,
    place: number | string,
    from: Site,
    host: string | undefined,
  ): Listening | 'nothing' | 'silence' {
    if (site !== from && site.firewall !== 'open') return site.firewall === 'drops' ? 'silence' : 'nothing';
    const listening = site.listeners.get(place);
    if (!listening) return 'nothing';
    const isForAll = listening.host === undefined || /^(?:0\.0\.0\.0|::)$/.test(listening.host);
    const isForThis = host === undefined || LOOPBACK.test(listening.host ?? '') === LOOPBACK.test(host);
    return isForAll || isForThis ? listening : 'nothing';
  }

  #accept(site: Site, listening: Listening, accepted: SimulatedStream): void {
    const isStillThere = listening.life.isAlive && [...site.listeners.values()].includes(listening);
    if (!isStillThere) return accepted.abandon('reset');
    if (!this.isCut(accepted.other.life.machine.site, site)) return listening.accept(accepted);
    // Cut in the last moment: the dialling side believes in a connection that this side never gets.
    accepted.abandon('silence');
  }

  #pair(dialling: Life, listening: Life, to: Address | { readonly path: string }): [SimulatedStream, SimulatedStream] {
    const isLocal = 'path' in to;
    const nowhere = { host: '', port: 0 };
    const seen = isLocal
      ? nowhere
      : {
          host: LOOPBACK.test(to.host) ? '127.0.0.1' : dialling.machine.host,
          port: this.#freePort(dialling.machine.site),
        };
    const fork = this.#chance.fork(`stream ${this.#chance.random()}`);
    const dialled = new SimulatedStream(this, fork, {
      life: dialling,
      pin: isLocal ? undefined : listening.machine.pin,
      remote: isLocal ? nowhere : to,
      dialled: true,
    });
    const accepted = new SimulatedStream(this, fork, {
      life: listening,
      pin: isLocal ? undefined : dialling.machine.pin,
      remote: seen,
      dialled: false,
    });
    dialled.other = accepted;
    accepted.other = dialled;
    this.#streams.add(dialled);
    this.#sim.note(`${dialling.machine.name} reaches ${listening.machine.name}`);
    return [dialled, accepted];
  }

  /** The machine of a host name or address, as seen from another. */
  #find(from: Site, host: string): Site | undefined {
    return LOOPBACK.test(host) ? from : this.#sites.find((site) => site.host === host || site.name === host);
  }

  #freePort(site: Site): number {
    let port = this.#ports;
    while (site.listeners.has(port)) port++;
    this.#ports = port + 1;
    return port;
  }

  #both(a: Machine, b: Machine): [Path, Path] {
    return [this.#path(a.site, b.site), this.#path(b.site, a.site)];
  }

  #path(from: Site, to: Site): Path {
    const key = `${from.host}>${to.host}`;
    let path = this.#paths.get(key);
    if (!path) this.#paths.set(key, (path = { latencyMs: LATENCY_MS_DEFAULT, isCut: false }));
    return path;
  }
}
