// The real network: mutual TLS 1.3 between machines, with the other's pin read from its key before
// anything sees a byte; sockets or named pipes on one machine. No resumption and no 0-RTT: every
// connection proves its keys anew.
import { constants } from 'node:crypto';
import net from 'node:net';
import os from 'node:os';
import tls from 'node:tls';
import { ShoalError, systemCode } from '../base/errors.ts';
import type { Identity } from './identity.ts';
import type { Pin } from '../base/ids.ts';
import { pinOf } from '../base/ids.ts';
import { addressText } from '../base/address.ts';
import type { Address } from '../base/fields.ts';
import type { ByteStream, DialOptions, ListenAt, Listener, Log, Network } from '../base/world.ts';
import { InPlaceReads, NodeStream } from './nodeStream.ts';

/** How long the TLS handshake of an accepted stream may take, in ms. Node's default is 120 s. */
const HANDSHAKE_MS_MAX = 5_000;
/** Handshakes under way at one listener; more are closed at once. */
const HANDSHAKES_MAX = 512;

export interface HandshakeLimits {
  readonly msMax: number;
  readonly countMax: number;
}

export function createNodeNetwork(
  identity: Identity,
  log: Log,
  limits: HandshakeLimits = { msMax: HANDSHAKE_MS_MAX, countMax: HANDSHAKES_MAX },
): Network {
  const secure = {
    key: identity.keyPem,
    cert: identity.certificatePem,
    minVersion: 'TLSv1.3',
    maxVersion: 'TLSv1.3',
    // AES first: hardware does it at 5 GB/s, ChaCha20 costs 1.35 times the time of a whole
    // transfer.
    ciphers: 'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256',
    secureOptions: constants.SSL_OP_NO_TICKET,
    ALPNProtocols: ['shoal/1'],
    // Nobody signs these certificates; the pin is checked instead, below and by the callers.
    rejectUnauthorized: false,
  } as const;

  // Made once: it holds for as long as the identity does, and to make it costs a fifth of a
  // handshake.
  let secureContext: tls.SecureContext | undefined;

  return {
    listen(at, accept) {
      return 'path' in at ? listenLocal(at.path, accept) : listenTls(at, accept);
    },
    dial(to, options) {
      return 'path' in to ? dialLocal(to.path, options) : dialTls(to, options);
    },
    hosts() {
      const all = Object.values(os.networkInterfaces()).flatMap((addresses) => addresses ?? []);
      // Link-local addresses (169.254/16, fe80::/10) mean another machine on every link.
      return all
        .filter(({ internal, address }) => !internal && !/^(?:169\.254\.|fe[89ab])/i.test(address))
        .map(({ address }) => address);
    },
  };

  function listenTls(
    at: { readonly host?: string; readonly port: number },
    accept: (stream: ByteStream) => void,
  ): Promise<Listener> {
    /** Ends the wait for a handshake, by who makes it. */
    const handshakes = new Map<string, () => void>();
    const server = tls.createServer({ ...secure, requestCert: true });
    server.on('connection', (socket: net.Socket) => {
      if (handshakes.size >= limits.countMax) return void socket.destroy();
      // Not Node's own handshakeTimeout: each byte starts that anew, and it leaves the socket open.
      const timer = setTimeout(() => {
        log.debug('handshake failed', { why: `not done within ${limits.msMax} ms` });
        socket.destroy();
      }, limits.msMax).unref();
      const who = remoteOf(socket);
      const done = (): void => {
        clearTimeout(timer);
        handshakes.delete(who);
      };
      handshakes.set(who, done);
      socket.once('close', done);
    });
    server.on('secureConnection', (socket) => {
      handshakes.get(remoteOf(socket))?.();
      const pin = provenPin(socket);
      if (pin === undefined || !server.listening) return void socket.destroy();
      accept(new NodeStream(socket, pin, false));
    });
    server.on('tlsClientError', (error, socket) => {
      log.debug('handshake failed', { why: error.message });
      socket.destroy();
    });
    return listening(
      server,
      at,
      at.host === undefined ? `port ${at.port}` : addressText({ host: at.host, port: at.port }),
    );
  }

  function dialTls(to: Address, { expect, timeoutMs, signal, answered }: DialOptions): Promise<ByteStream> {
    const place = addressText(to);
    return new Promise((resolve, reject) => {
      const reads = new InPlaceReads();
      const socket = tls.connect({
        ...secure,
        secureContext: (secureContext ??= tls.createSecureContext(secure)),
        host: to.host,
        port: to.port,
        autoSelectFamily: true,
        ...(net.isIP(to.host) === 0 && { servername: to.host }),
        // Bytes land in the receiver's memory: no allocation, no copy. Works for sockets that
        // tls.connect made only.
        onread: { buffer: () => reads.next(), callback: (count: number) => reads.took(count) },
      } as tls.ConnectionOptions);
      if (answered) socket.once('connect', answered);
      dialling(socket, timeoutMs, signal, place, reject, 'secureConnect', () => {
        const pin = provenPin(socket);
        if (pin === undefined || (expect !== undefined && pin !== expect)) {
          socket.destroy();
          return reject(new ShoalError('pinMismatch', { address: place }));
        }
        resolve(new NodeStream(socket, pin, true, reads));
      });
    });
  }
}

const remoteOf = (socket: net.Socket): string => `${socket.remoteAddress} ${socket.remotePort}`;

function provenPin(socket: tls.TLSSocket): Pin | undefined {
  const key = socket.getPeerX509Certificate()?.publicKey;
  return key && pinOf(key.export({ format: 'der', type: 'spki' }));
}

function listenLocal(path: string, accept: (stream: ByteStream) => void): Promise<Listener> {
  return listening(
    net.createServer((socket) => accept(new NodeStream(socket, undefined, false))),
    { path },
    path,
  );
}

function dialLocal(path: string, { timeoutMs, signal }: DialOptions): Promise<ByteStream> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ path });
    dialling(socket, timeoutMs, signal, path, reject, 'connect', () =>
      resolve(new NodeStream(socket, undefined, true)),
    );
  });
}

function listening(server: net.Server, at: ListenAt, place: string): Promise<Listener> {
  return new Promise((resolve, reject) => {
    // Stays for the listener's life: a later error (no descriptor left for a connection) must not
    // end the process.
    server.on('error', (error) =>
      reject(new ShoalError('listenFailed', { address: place, why: reason(error) }, { cause: error })),
    );
    server.listen(at, () => {
      const address = server.address();
      resolve({
        port: typeof address === 'object' && address ? address.port : 0,
        // `close` waits for open connections, which are not the listener's to end.
        close: () => (server.close(), Promise.resolve()),
      });
    });
  });
}

/**
 * Runs `done` once the socket is up, `reject` if it fails, is cancelled or takes too long before.
 */
function dialling(
  socket: net.Socket,
  timeoutMs: number,
  signal: AbortSignal | undefined,
  place: string,
  reject: (error: ShoalError) => void,
  event: 'connect' | 'secureConnect',
  done: () => void,
): void {
  const fail = (error: ShoalError): void => {
    settled();
    socket.destroy();
    reject(error);
  };
  const onError = (error: Error): void =>
    fail(new ShoalError('unreachable', { address: place, why: reason(error) }, { cause: error }));
  const onClose = (): void => fail(new ShoalError('unreachable', { address: place, why: 'it hung up' }));
  const onAbort = (): void => fail(new ShoalError('cancelled'));
  const timer = setTimeout(
    () => fail(new ShoalError('unreachable', { address: place, why: `no answer within ${timeoutMs} ms` })),
    timeoutMs,
  );
  const settled = (): void => {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
    socket
      .removeListener('error', onError)
      .removeListener('close', onClose)
      .on('error', () => {});
  };
  if (signal?.aborted) return onAbort();
  signal?.addEventListener('abort', onAbort, { once: true });
  socket
    .once('error', onError)
    .once('close', onClose)
    .once(event, () => {
      settled();
      done();
    });
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'it hung up',
  ENOTFOUND: 'there is no such host',
  EHOSTUNREACH: 'the host cannot be reached',
  ENETUNREACH: 'the network cannot be reached',
  ETIMEDOUT: 'no answer',
  EADDRINUSE: 'another program uses it',
  EACCES: 'not allowed',
  EADDRNOTAVAIL: 'this machine has no such address',
  ENOENT: 'nothing listens there',
};

/** A system error in words. */
function reason(error: Error): string {
  const inner = error instanceof AggregateError ? ((error.errors[0] as Error | undefined) ?? error) : error;
  return REASONS[systemCode(inner) ?? ''] ?? inner.message;
}
