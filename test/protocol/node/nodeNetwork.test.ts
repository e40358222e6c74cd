// The real network on 127.0.0.1: both pins proven before anybody sees a byte, TLS 1.3 and nothing
// else, no resumption, and bounds for those who dial and say nothing.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import tls from 'node:tls';
import { isShoalError } from '../../../protocol/base/errors.ts';
import { createIdentity } from '../../../protocol/node/identity.ts';
import type { Pin } from '../../../protocol/base/ids.ts';
import { createNodeNetwork } from '../../../protocol/node/nodeNetwork.ts';
import type { HandshakeLimits } from '../../../protocol/node/nodeNetwork.ts';
import { silentLog } from '../../../protocol/base/world.ts';
import type { ByteStream, DialOptions, Listener, LogFields } from '../../../protocol/base/world.ts';
import { Collector } from '../../support/collector.ts';

const [alice, bob] = [createIdentity(), createIdentity()];
const HOST = '127.0.0.1';

/** Looks again whenever the process has had something to do. Mocha's time-out bounds it. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 1));
}

const fails =
  (code: Parameters<typeof isShoalError>[1], words: RegExp) =>
  (error: unknown): boolean => {
    assert.ok(isShoalError(error, code), String(error));
    assert.match(error.message, words);
    return true;
  };

/** Bob listens; all that a test opens is closed after it. */
class Scene {
  readonly accepted: ByteStream[] = [];
  readonly logged: { phrase: string; fields: LogFields | undefined }[] = [];
  readonly sockets: net.Socket[] = [];
  listener!: Listener;

  async listen(limits?: HandshakeLimits): Promise<void> {
    const log = {
      ...silentLog,
      debug: (phrase: string, fields?: LogFields) => void this.logged.push({ phrase, fields }),
    };
    this.listener = await createNodeNetwork(bob, log, limits).listen({ host: HOST, port: 0 }, (stream) => {
      this.accepted.push(stream);
      new Collector(stream);
    });
  }

  async dial(options: Partial<DialOptions> = {}): Promise<ByteStream> {
    const stream = await createNodeNetwork(alice, silentLog).dial(
      { host: HOST, port: this.listener.port },
      { timeoutMs: 5_000, ...options },
    );
    this.accepted.push(stream);
    return stream;
  }

  /** A TLS client that is not ours. */
  strange(options: tls.ConnectionOptions): tls.TLSSocket {
    const socket = tls.connect({
      host: HOST,
      port: this.listener.port,
      rejectUnauthorized: false,
      ALPNProtocols: ['shoal/1'],
      ...options,
    });
    this.sockets.push(socket.on('error', () => {}));
    return socket;
  }

  /** A socket that says nothing of its own. */
  mute(): net.Socket {
    const socket = net.connect({ host: HOST, port: this.listener.port });
    this.sockets.push(socket.on('error', () => {}).on('data', () => {}));
    return socket;
  }

  async close(): Promise<void> {
    await this.listener?.close();
    for (const end of [...this.accepted, ...this.sockets]) end.destroy();
  }
}

describe('the real network between machines', () => {
  let at: Scene;
  beforeEach(() => void (at = new Scene()));
  afterEach(() => at.close());
  const bobsStreams = (): ByteStream[] => at.accepted.filter(({ dialled }) => !dialled);

  it('proves the pin of each side to the other', async () => {
    await at.listen();
    const dialled = await at.dial({ expect: bob.pin });
    await until(() => bobsStreams().length === 1);
    const accepted = bobsStreams()[0];
    assert.deepEqual(
      [dialled.pin, dialled.dialled, dialled.remote],
      [bob.pin, true, { host: HOST, port: at.listener.port }],
    );
    assert.deepEqual([accepted?.pin, accepted?.dialled, accepted?.remote.host], [alice.pin, false, HOST]);
  });

  it('refuses another pin than expected, before a byte is sent or read', async () => {
    await at.listen();
    await assert.rejects(
      at.dial({ expect: 'ab'.repeat(32) as Pin }),
      fails('pinMismatch', new RegExp(`the key of ${HOST}:${at.listener.port} is not the one expected`)),
    );
    await assert.rejects(at.dial({ expect: alice.pin }), fails('pinMismatch', /Nothing was sent/));
    await until(() => at.accepted.every((stream) => stream.queuedBytes === 0));
  });

  it('accepts nobody without a certificate', async () => {
    await at.listen();
    const socket = at.strange({});
    socket.on('data', () => {});
    await until(() => socket.destroyed || socket.readableEnded);
    assert.deepEqual(at.accepted, []);
  });

  it('accepts nobody whose certificate is of another key', async () => {
    await at.listen();
    assert.throws(() => at.strange({ cert: alice.certificatePem, key: bob.keyPem }), /key values mismatch/);
  });

  it('speaks TLS 1.3 and nothing older, whoever dials', async () => {
    await at.listen();
    const old = at.strange({ cert: alice.certificatePem, key: alice.keyPem, maxVersion: 'TLSv1.2' });
    let error: Error | undefined;
    old.on('error', (one) => (error = one));
    await until(() => old.destroyed);
    assert.match(String(error), /protocol version|handshake failure/i);
    const oldServer = tls
      .createServer({ cert: bob.certificatePem, key: bob.keyPem, maxVersion: 'TLSv1.2' })
      .listen(0, HOST);
    oldServer.on('tlsClientError', () => {});
    await until(() => oldServer.listening);
    const { port } = oldServer.address() as net.AddressInfo;
    await assert.rejects(
      createNodeNetwork(alice, silentLog).dial({ host: HOST, port }, { timeoutMs: 5_000 }),
      fails('unreachable', /no connection to/),
    );
    oldServer.close();
  });

  it('uses AES-GCM and the protocol name of Shoal', async () => {
    await at.listen();
    const socket = at.strange({ cert: alice.certificatePem, key: alice.keyPem });
    await until(() => socket.getCipher()?.name !== undefined && socket.alpnProtocol !== null);
    assert.deepEqual(
      [socket.getProtocol(), socket.getCipher().name, socket.alpnProtocol],
      ['TLSv1.3', 'TLS_AES_128_GCM_SHA256', 'shoal/1'],
    );
  });

  it('accepts nobody who speaks another protocol over TLS', async () => {
    await at.listen();
    const socket = at.strange({ cert: alice.certificatePem, key: alice.keyPem, ALPNProtocols: ['h2', 'http/1.1'] });
    await until(() => socket.destroyed);
    assert.deepEqual(at.accepted, []);
  });

  it('resumes no session: every connection proves its keys anew', async () => {
    await at.listen();
    const first = at.strange({ cert: alice.certificatePem, key: alice.keyPem });
    const sessions: Buffer[] = [];
    first.on('session', (session) => sessions.push(session)).on('data', () => {});
    await until(() => bobsStreams().length === 1);
    bobsStreams()[0]?.write([Buffer.from('so that tickets would have come')]);
    await until(() => first.bytesRead > 0);
    const session = sessions.at(-1) ?? first.getSession();
    const second = at.strange({ cert: alice.certificatePem, key: alice.keyPem, ...(session && { session }) });
    await until(() => bobsStreams().length === 2 || second.destroyed);
    assert.ok(session, 'there was nothing to resume: the test shows nothing');
    assert.deepEqual([second.isSessionReused(), bobsStreams()[1]?.pin], [false, alice.pin]);
  });

  it('says in words why nobody answers', async () => {
    await at.listen();
    const { port } = at.listener;
    await at.listener.close();
    await assert.rejects(
      at.dial(),
      fails('unreachable', new RegExp(`^no connection to ${HOST}:${port} \\(nothing listens there\\)$`)),
    );
    const hangsUp = net.createServer((socket) => socket.destroy()).listen(0, HOST);
    await until(() => hangsUp.listening);
    await assert.rejects(
      createNodeNetwork(alice, silentLog).dial(
        { host: HOST, port: (hangsUp.address() as net.AddressInfo).port },
        { timeoutMs: 5_000 },
      ),
      fails('unreachable', /it hung up|disconnected/),
    );
    hangsUp.close();
  });

  it('gives up on one who accepts and says nothing, or when told to', async () => {
    const silent = net.createServer((socket) => void at.sockets.push(socket)).listen(0, HOST);
    await until(() => silent.listening);
    const to = { host: HOST, port: (silent.address() as net.AddressInfo).port };
    const network = createNodeNetwork(alice, silentLog);
    await assert.rejects(network.dial(to, { timeoutMs: 50 }), fails('unreachable', /no answer within 50 ms/));
    const controller = new AbortController();
    const dialling = network.dial(to, { timeoutMs: 60_000, signal: controller.signal });
    await until(() => at.sockets.length >= 2);
    controller.abort();
    await assert.rejects(dialling, fails('cancelled', /cancelled/));
    await assert.rejects(
      network.dial(to, { timeoutMs: 60_000, signal: controller.signal }),
      fails('cancelled', /cancelled/),
    );
    silent.close();
    await until(() => at.sockets.every((socket) => socket.readableEnded || socket.destroyed || socket.resume()));
  });

  it('says in words why it cannot listen', async () => {
    await at.listen();
    const network = createNodeNetwork(alice, silentLog);
    const { port } = at.listener;
    await assert.rejects(
      network.listen({ host: HOST, port }, () => {}),
      fails('listenFailed', new RegExp(`cannot listen on ${HOST}:${port} \\(another program uses it\\)`)),
    );
    await assert.rejects(
      network.listen({ host: '192.0.2.1', port: 0 }, () => {}),
      fails('listenFailed', /this machine has no such address/),
    );
  });

  it('frees its port when the listener is closed, and leaves open streams alone', async () => {
    await at.listen();
    const dialled = await at.dial();
    await until(() => bobsStreams().length === 1);
    await at.listener.close();
    const again = await createNodeNetwork(bob, silentLog).listen({ host: HOST, port: at.listener.port }, () => {});
    await again.close();
    const got = new Collector(dialled);
    bobsStreams()[0]?.write([Buffer.from('still here')]);
    await until(() => got.length > 0);
  });

  it('accepts nobody whose handshake ends after the listener was closed', async () => {
    await at.listen();
    const [early, first] = [at.mute(), at.mute()];
    await until(() => !early.connecting && !first.connecting);
    await at.dial(); // later than the two, so the listener knows them
    await until(() => bobsStreams().length === 1);
    await at.listener.close();
    early.removeAllListeners('data');
    const late = tls.connect({
      socket: early,
      cert: alice.certificatePem,
      key: alice.keyPem,
      rejectUnauthorized: false,
      ALPNProtocols: ['shoal/1'],
    });
    at.sockets.push(late.on('error', () => {}).on('data', () => {}));
    await until(() => late.destroyed);
    assert.equal(bobsStreams().length, 1);
  });

  it('hangs up on those who do not finish their handshake', async () => {
    await at.listen({ msMax: 60, countMax: 100 });
    const [silent, slow] = [at.mute(), at.mute()];
    const hello = Buffer.from('1603010200010001fc0303', 'hex');
    let sent = 0;
    const drip = setInterval(() => slow.writable && slow.write(hello.subarray(sent, ++sent)), 20);
    await until(() => silent.destroyed && slow.destroyed);
    clearInterval(drip);
    assert.ok(sent < hello.length);
    assert.equal(
      at.logged.filter(
        ({ phrase, fields }) => phrase === 'handshake failed' && fields?.['why'] === 'not done within 60 ms',
      ).length,
      2,
    );
  });

  it('has few handshakes under way at once, but any number of connections', async () => {
    await at.listen({ msMax: 300, countMax: 3 });
    for (let n = 0; n < 5; n++) await at.dial();
    await until(() => bobsStreams().length === 5);
    const mute = [at.mute(), at.mute(), at.mute()];
    await until(() => mute.every((socket) => !socket.connecting));
    const fourth = at.mute();
    await until(() => fourth.destroyed);
    assert.ok(
      mute.every((socket) => !socket.destroyed),
      'those who were first were hung up on',
    );
    await until(() => mute.every((socket) => socket.destroyed));
    await at.dial();
    await until(() => bobsStreams().length === 6);
  });

  it('survives garbage instead of a handshake', async () => {
    await at.listen();
    for (const bytes of ['GET / HTTP/1.1\r\n\r\n', '\0'.repeat(100), 'Sh\x04note']) {
      const socket = at.mute();
      socket.write(bytes, 'latin1');
      await until(() => socket.destroyed);
    }
    assert.equal((await at.dial()).pin, bob.pin);
    assert.equal(bobsStreams().length <= 1, true);
  });

  it('names addresses of this machine that mean the same machine to others', () => {
    for (const host of createNodeNetwork(alice, silentLog).hosts()) {
      assert.ok(net.isIP(host) !== 0 && !/^(?:127\.|::1$|169\.254\.|fe80)/i.test(host), host);
    }
  });
});

describe('the real network on one machine', () => {
  let folder = '';
  beforeEach(async () => void (folder = await mkdtemp(path.join(os.tmpdir(), 'shoal-path-'))));
  afterEach(() => rm(folder, { recursive: true, force: true }));
  const network = createNodeNetwork(alice, silentLog);
  const place = (): string =>
    process.platform === 'win32' ? `\\\\.\\pipe\\${path.basename(folder)}` : path.join(folder, 'engine');

  it('has streams without pins on local paths', async () => {
    const accepted: ByteStream[] = [];
    const listener = await network.listen({ path: place() }, (stream) => void accepted.push(stream));
    const dialled = await network.dial({ path: place() }, { timeoutMs: 1_000 });
    await until(() => accepted.length === 1);
    assert.deepEqual(
      [
        listener.port,
        dialled.pin,
        accepted[0]?.pin,
        dialled.remote,
        accepted[0]?.remote,
        dialled.dialled,
        accepted[0]?.dialled,
      ],
      [0, undefined, undefined, { host: '', port: 0 }, { host: '', port: 0 }, true, false],
    );
    await assert.rejects(
      network.listen({ path: place() }, () => {}),
      fails('listenFailed', /another program uses it/),
    );
    for (const stream of [dialled, ...accepted]) stream.destroy();
    await listener.close();
    await assert.rejects(
      network.dial({ path: place() }, { timeoutMs: 1_000 }),
      fails('unreachable', /nothing listens there/),
    );
  });

  it('says in words that nothing listens at a path', async function () {
    if (process.platform === 'win32') this.skip(); // pipes leave nothing behind
    await assert.rejects(
      network.dial({ path: place() }, { timeoutMs: 1_000 }),
      fails('unreachable', /nothing listens there/),
    );
    await assert.rejects(
      network.listen({ path: path.join(folder, 'no', 'such', 'folder') }, () => {}),
      fails('listenFailed', /cannot listen on/),
    );
  });
});
