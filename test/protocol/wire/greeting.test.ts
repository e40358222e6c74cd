// The first frames of a link: who may speak with whom, in which version, with which proof, and how
// long it may take.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { Connection } from '../../../protocol/wire/connection.ts';
import { isShoalError, ShoalError } from '../../../protocol/base/errors.ts';
import type { ErrorCode } from '../../../protocol/base/errors.ts';
import { encodeFrame, FrameLink } from '../../../protocol/wire/frame.ts';
import { bye, greet, greeting, proof, VERSIONS } from '../../../protocol/wire/greeting.ts';
import type { Greeted, GreetOptions } from '../../../protocol/wire/greeting.ts';
import { GREETING_MS_MAX, GREETING_PAYLOAD_BYTES_MAX, LINGER_MS } from '../../../protocol/base/limits.ts';
import { decode, encode } from '../../../protocol/base/schema.ts';
import type { Of } from '../../../protocol/base/schema.ts';
import type { ByteStream } from '../../../protocol/base/world.ts';
import { Collector } from '../../support/collector.ts';
import type { Machine } from '../../support/simulation/machine.ts';
import { simulate } from '../../support/simulation/simulatedWorld.ts';
import type { Simulation } from '../../support/simulation/simulatedWorld.ts';
import { Reader } from './frameReader.ts';
import { HEARTBEAT_MS, leftHandlers, rightHandlers, streamPair, testLink } from './linkPair.ts';
import { ManualStream } from './manualStream.ts';

const SECRET = Buffer.alloc(32, 7);
type Side = Pick<GreetOptions, 'role' | 'accepts' | 'secret'>;
const dialler: Side = { role: 'engine', accepts: ['tracker'] };
const listener: Side = { role: 'tracker', accepts: ['engine', 'tracker'] };

const greetOn = (link: FrameLink, machine: Machine, side: Side): Promise<Greeted> =>
  greet(link, {
    program: `shoal of ${machine.name}`,
    clock: machine.world.clock,
    chance: machine.world.chance,
    ...side,
  });

/** What became of a promise: its value, or the code of its error. */
async function outcome(promise: Promise<Greeted>): Promise<Greeted | ErrorCode> {
  try {
    return await promise;
  } catch (error) {
    assert.ok(error instanceof ShoalError, String(error));
    return error.code;
  }
}

/** Greets on both sides of a simulated stream. */
const both = (
  sides: readonly [Side, Side],
  seed = 1,
): Promise<[Greeted | ErrorCode, Greeted | ErrorCode, openStreams: number]> =>
  simulate(seed, async (sim) => {
    const {
      alice,
      bob,
      streams: [dialled, accepted],
    } = await streamPair(sim);
    const [one, two] = await Promise.all([
      outcome(greetOn(new FrameLink(dialled), alice, sides[0])),
      outcome(greetOn(new FrameLink(accepted), bob, sides[1])),
    ]);
    await sim.advance(LINGER_MS + 100);
    return [one, two, sim.network.openStreams];
  });

describe('a greeting', () => {
  it("tells each side the other's role, program and the version to speak", async () => {
    for (let seed = 0; seed < 20; seed++) {
      assert.deepEqual(await both([dialler, listener], seed), [
        { role: 'tracker', version: VERSIONS.max, program: 'shoal of bob' },
        { role: 'engine', version: VERSIONS.max, program: 'shoal of alice' },
        1,
      ]);
    }
  });

  it('proves the secret of a home both ways', async () => {
    const [one, two] = await both([
      { ...dialler, secret: SECRET },
      { ...listener, secret: SECRET },
    ]);
    assert.deepEqual([(one as Greeted).role, (two as Greeted).role], ['tracker', 'engine']);
  });

  const other = Buffer.alloc(32, 8);
  const failing: readonly [
    what: string,
    sides: readonly [Side, Side],
    codes: readonly [ErrorCode | 'greeted', ErrorCode],
  ][] = [
    [
      'a dialler of another secret',
      [
        { ...dialler, secret: other },
        { ...listener, secret: SECRET },
      ],
      ['badProof', 'badProof'],
    ],
    [
      'a listener of another secret',
      [
        { ...dialler, secret: SECRET },
        { ...listener, secret: other },
      ],
      ['badProof', 'badProof'],
    ],
    ['a listener without a secret', [{ ...dialler, secret: SECRET }, listener], ['badProof', 'linkClosed']],
    [
      'a dialler without a secret, who then says nothing',
      [dialler, { ...listener, secret: SECRET }],
      ['greeted', 'deadline'],
    ],
    ['a listener of the wrong role', [{ ...dialler, accepts: ['peer'] }, listener], ['wrongRole', 'linkClosed']],
    ['a dialler of the wrong role', [dialler, { ...listener, accepts: ['operator'] }], ['greeted', 'wrongRole']],
    [
      'two of the wrong role',
      [
        { ...dialler, accepts: ['peer'] },
        { ...listener, accepts: ['operator'] },
      ],
      ['wrongRole', 'wrongRole'],
    ],
  ];
  for (const [what, sides, codes] of failing) {
    it(`fails with ${what}`, async () => {
      const [one, two, openStreams] = await both(sides);
      // A listener that was greeted already learns of the dialler's refusal by its bye, on the
      // connection.
      assert.deepEqual(
        [typeof one === 'string' ? one : 'greeted', typeof two === 'string' ? two : 'linkClosed'],
        codes,
      );
      assert.equal(openStreams, 0);
    });
  }

  it('that fails is told to the other side, in words that are right for it', () =>
    simulate(1, async (sim) => {
      const {
        alice,
        bob,
        streams: [dialled, accepted],
      } = await streamPair(sim);
      const dialling = greetOn(new FrameLink(dialled), alice, { role: 'frontend', accepts: ['engine'] });
      const listening = greetOn(new FrameLink(accepted), bob, listener);
      await assert.rejects(dialling, /the program at the other end is a tracker, not a engine/);
      await assert.rejects(listening, /the program at the other end is a frontend, not a engine or tracker/);
    }));

  it('fails as a link does that is gone when the other machine dies meanwhile, however the system tells', async () => {
    const codes = await Promise.all(
      [1, 2, 3, 4, 5, 6].map((seed) =>
        simulate(seed, async (sim) => {
          const {
            alice,
            bob,
            streams: [dialled],
          } = await streamPair(sim);
          const dialling = outcome(greetOn(new FrameLink(dialled), alice, dialler));
          bob.kill(); // an end or a reset
          return dialling;
        }),
      ),
    );
    assert.deepEqual(new Set(codes), new Set(['linkClosed']));
  });

  it('does not answer to the machine that greets itself by mistake', async () => {
    const [one, two] = await both([
      { role: 'engine', accepts: ['tracker'] },
      { role: 'engine', accepts: ['engine'] },
    ]);
    assert.deepEqual([one, (two as Greeted).role], ['wrongRole', 'engine']);
  });
});

/** One side greets; the other is the test. */
interface Half {
  readonly sim: Simulation;
  readonly stream: ByteStream;
  readonly got: Collector;
  readonly greeting: Promise<Greeted>;
  readonly link: FrameLink;
  readonly send: (type: string, body: Uint8Array) => void;
  /** The frames that the other side has sent so far, by name. */
  readonly received: () => { type: string; body: Buffer }[];
}

const GOOD: Of<typeof greeting> = {
  versionMin: 1,
  versionMax: 1,
  role: 'engine',
  program: 'by hand',
  nonce: Buffer.alloc(16, 1),
  proof: Buffer.alloc(0),
};
const greetingBytes = (changed: Partial<Of<typeof greeting>> = {}): Buffer => encode(greeting, { ...GOOD, ...changed });

const half = (
  greeter: 'dialler' | 'listener',
  body: (half: Half) => Promise<void>,
  side: Partial<Side> = {},
): Promise<void> =>
  simulate(1, async (sim) => {
    const {
      alice,
      bob,
      streams: [dialled, accepted],
    } = await streamPair(sim);
    const [mine, stream, machine, defaults] =
      greeter === 'dialler'
        ? ([dialled, accepted, alice, dialler] as const)
        : ([accepted, dialled, bob, listener] as const);
    const got = new Collector(stream);
    const link = new FrameLink(mine);
    const promise = greetOn(link, machine, { ...defaults, ...side });
    promise.catch(() => {});
    await body({
      sim,
      stream,
      got,
      link,
      greeting: promise,
      send: (type, frameBody) => stream.write(encodeFrame({ type, kind: 'notice', call: 0 }, frameBody)),
      received: () => {
        const reader = new Reader();
        const replay = new ManualStream();
        new FrameLink(replay).receive(reader);
        replay.feed(got.bytes);
        return reader.frames.map((frame) => ({ type: frame.head.type, body: frame.body }));
      },
    });
  });

const rejects = (promise: Promise<unknown>, code: ErrorCode): Promise<void> =>
  assert.rejects(promise, (error) => isShoalError(error, code) || assert.fail(String(error)));

describe('a side that greets', () => {
  const versions: readonly [min: number, max: number, version: number | undefined][] = [
    [1, 1, 1],
    [1, 9, 1],
    [0, 1, 1],
    [0, 65_535, 1],
    [2, 3, undefined],
    [0, 0, undefined],
    [65_535, 65_535, undefined],
  ];
  for (const [versionMin, versionMax, version] of versions) {
    it(`${version === undefined ? 'refuses' : 'speaks with'} one of the versions ${versionMin} to ${versionMax}`, () =>
      half('listener', async ({ send, greeting: promise, sim, received }) => {
        send('greeting', greetingBytes({ versionMin, versionMax }));
        if (version !== undefined) return assert.equal((await promise).version, version);
        await assert.rejects(
          promise,
          (error) =>
            isShoalError(error, 'versionMismatch') &&
            error.message.includes(`this is Shoal protocol 1-1, the other side speaks ${versionMin}-${versionMax}`),
        );
        await sim.advance(100);
        assert.deepEqual(
          received().map(({ type }) => type),
          ['greeting', 'bye'],
        );
        assert.equal(decode(bye, received()[1]?.body ?? Buffer.alloc(0), 'bye').error?.code, 'versionMismatch');
      }));
  }

  it('reads the greeting of a newer version that says more', () =>
    half('listener', async ({ send, greeting: promise }) => {
      send('greeting', Buffer.concat([greetingBytes({ versionMax: 7 }), Buffer.from('and more')]));
      assert.equal((await promise).program, 'by hand');
    }));

  it('refuses a role that only a newer version knows', () =>
    half('listener', async ({ send, greeting: promise }) => {
      const bytes = greetingBytes();
      bytes[4] = 200;
      send('greeting', bytes);
      await assert.rejects(promise, /the program at the other end is a other, not a engine or tracker/);
    }));

  it('says nothing to a dialler before he has spoken', () =>
    half('listener', async ({ sim, got }) => {
      await sim.advance(1_000);
      assert.equal(got.bytes.length, 0);
    }));

  for (const greeter of ['dialler', 'listener'] as const) {
    it(`as ${greeter} waits ${GREETING_MS_MAX} ms for one who says nothing, and hangs up`, () =>
      half(greeter, async ({ greeting: promise, sim, got }) => {
        await sim.advance(GREETING_MS_MAX - 100);
        assert.equal(got.end, undefined);
        await rejects(promise, 'deadline');
        await sim.until(() => got.end !== undefined, 100);
      }));
  }

  it('does not wait longer for one who greets byte by byte', () =>
    half('listener', async ({ stream, greeting: promise, sim, got }) => {
      const bytes = Buffer.concat(encodeFrame({ type: 'greeting', kind: 'notice', call: 0 }, greetingBytes()));
      void (async () => {
        for (const byte of bytes) {
          stream.write([Buffer.of(byte)]);
          await sim.advance(200);
        }
      })();
      await rejects(promise, 'deadline');
      await sim.until(() => got.end !== undefined, 100);
    }));

  const wrong: readonly [what: string, code: ErrorCode, bytes: readonly Uint8Array[]][] = [
    ['garbage', 'badFrame', [Buffer.from('GET / HTTP/1.1\r\n\r\n')]],
    ['one byte of garbage', 'badFrame', [Buffer.of(0)]],
    ['another notice', 'badFrame', encodeFrame({ type: 'have', kind: 'notice', call: 0 }, Buffer.alloc(4))],
    [
      'a request before the greeting',
      'badFrame',
      encodeFrame({ type: 'session', kind: 'request', call: 1 }, Buffer.alloc(0)),
    ],
    [
      'a request that calls itself greeting',
      'badFrame',
      encodeFrame({ type: 'greeting', kind: 'request', call: 1 }, greetingBytes()),
    ],
    [
      'a proof before the greeting',
      'badFrame',
      encodeFrame({ type: 'proof', kind: 'notice', call: 0 }, encode(proof, { proof: Buffer.alloc(32) })),
    ],
    [
      'a greeting cut short',
      'badMessage',
      encodeFrame({ type: 'greeting', kind: 'notice', call: 0 }, greetingBytes().subarray(0, -1)),
    ],
    [
      'a greeting that is too large',
      'frameTooLarge',
      encodeFrame(
        { type: 'greeting', kind: 'notice', call: 0 },
        Buffer.concat([greetingBytes(), Buffer.alloc(GREETING_PAYLOAD_BYTES_MAX)]),
      ),
    ],
    [
      'the head of a huge one',
      'frameTooLarge',
      [
        Buffer.concat(encodeFrame({ type: 'greeting', kind: 'notice', call: 0 }, Buffer.alloc(1_000_000))).subarray(
          0,
          30,
        ),
      ],
    ],
    ['its bye', 'linkClosed', encodeFrame({ type: 'bye', kind: 'notice', call: 0 }, encode(bye, { error: undefined }))],
    [
      'its bye with a reason',
      'busy',
      encodeFrame(
        { type: 'bye', kind: 'notice', call: 0 },
        encode(bye, { error: { code: 'busy', text: '', fields: [] } }),
      ),
    ],
  ];
  for (const [what, code, bytes] of wrong) {
    it(`refuses one who sends ${what}: ${code}`, () =>
      half('listener', async ({ stream, greeting: promise, sim, got }) => {
        const began = sim.nowMs;
        stream.write(bytes);
        await rejects(promise, code);
        await sim.until(() => got.end !== undefined, LINGER_MS + 100);
        assert.ok(sim.nowMs - began < GREETING_MS_MAX);
      }));
  }

  it('fails when the link breaks or ends meanwhile', () =>
    half('dialler', async ({ stream, greeting: promise }) => {
      stream.destroy();
      await rejects(promise, 'linkClosed');
    }));

  it('cuts off one who was refused and does not leave', () =>
    half('listener', async ({ send, stream, greeting: promise, sim, got }) => {
      stream.pause();
      send('greeting', greetingBytes({ role: 'operator' }));
      await rejects(promise, 'wrongRole');
      for (let n = 0; n < 10; n++) stream.write([Buffer.alloc(100_000)]);
      await sim.advance(LINGER_MS + 100);
      stream.resume();
      await sim.until(() => got.end !== undefined, 100);
    }));
});

describe("the proof of a home's secret", () => {
  it("is refused when it is another's, of another length, or the listener's own sent back", async () => {
    const proofs = [Buffer.alloc(32), Buffer.alloc(31), Buffer.alloc(0), 'reflected' as const];
    for (const wrong of proofs) {
      await half(
        'listener',
        async ({ send, received, greeting: promise, sim }) => {
          send('greeting', greetingBytes());
          await sim.until(() => received().length > 0, 100);
          const theirs = decode(greeting, received()[0]?.body ?? Buffer.alloc(0), 'greeting');
          assert.equal(theirs.proof.length, 32);
          send('proof', encode(proof, { proof: wrong === 'reflected' ? theirs.proof : wrong }));
          await rejects(promise, 'badProof');
        },
        { secret: SECRET },
      );
    }
  });

  it('is not taken from one who goes on without it', () =>
    half(
      'listener',
      async ({ stream, greeting: promise }) => {
        stream.write([
          ...encodeFrame({ type: 'greeting', kind: 'notice', call: 0 }, greetingBytes()),
          ...encodeFrame({ type: 'watch', kind: 'request', call: 1 }, Buffer.alloc(0)),
        ]);
        await rejects(promise, 'badProof');
      },
      { secret: SECRET },
    ));

  it("is HMAC-SHA-256 over the side's own label and both nonces", () =>
    half(
      'listener',
      async ({ send, received, greeting: promise, sim }) => {
        const hmac = (label: string, ...nonces: readonly Uint8Array[]): Buffer =>
          createHmac('sha256', SECRET)
            .update(Buffer.concat([Buffer.from(`${label}\0`), ...nonces]))
            .digest();
        send('greeting', greetingBytes());
        await sim.advance(100);
        const theirs = decode(greeting, received()[0]?.body ?? Buffer.alloc(0), 'greeting');
        assert.deepEqual(Buffer.from(theirs.proof), hmac('shoal-listener-v1', GOOD.nonce, theirs.nonce));
        send('proof', encode(proof, { proof: hmac('shoal-dialler-v1', theirs.nonce, GOOD.nonce) }));
        assert.equal((await promise).program, 'by hand');
      },
      { secret: SECRET },
    ));

  it('is given once: a second greeting ends the link', () =>
    half(
      'listener',
      async ({ send, received, greeting: promise, sim }) => {
        send('greeting', greetingBytes());
        send('greeting', greetingBytes({ nonce: Buffer.alloc(16, 2) }));
        await rejects(promise, 'badFrame');
        await sim.advance(100);
        assert.deepEqual(
          received().map(({ type }) => type),
          ['greeting', 'bye'],
        );
      },
      { secret: SECRET },
    ));

  it('is not given to nonces of another length', () =>
    half(
      'listener',
      async ({ send, greeting: promise }) => {
        send('greeting', greetingBytes({ nonce: Buffer.alloc(0) }));
        await rejects(promise, 'badProof');
      },
      { secret: SECRET },
    ));

  it('differs each time, so that what was overheard is of no use', async () => {
    const seen = new Set<string>();
    for (let turn = 0; turn < 3; turn++) {
      await simulate(turn, async (sim) => {
        const {
          bob,
          streams: [dialled, accepted],
        } = await streamPair(sim);
        const got = new Collector(dialled);
        greetOn(new FrameLink(accepted), bob, { ...listener, secret: SECRET }).catch(() => {});
        dialled.write(encodeFrame({ type: 'greeting', kind: 'notice', call: 0 }, greetingBytes()));
        await sim.advance(100);
        assert.ok(got.bytes.length > 90);
        seen.add(got.bytes.toString('hex'));
      });
    }
    assert.equal(seen.size, 3);
  });
});

describe('what follows a greeting', () => {
  it('in the same chunk waits for the connection', async () => {
    for (let seed = 0; seed < 20; seed++) {
      const notes: number[] = [];
      await simulate(seed, async (sim) => {
        const {
          alice,
          bob,
          streams: [dialled, accepted],
        } = await streamPair(sim);
        const common = { table: testLink, heartbeatMs: HEARTBEAT_MS };
        const connect = async (): Promise<void> => {
          const link = new FrameLink(dialled);
          await greetOn(link, alice, dialler);
          const left = new Connection(link, {
            ...common,
            side: 'left',
            handlers: leftHandlers(),
            clock: alice.world.clock,
            log: alice.world.log,
          });
          for (let n = 0; n < 50; n++) left.notify('note', { n });
          assert.deepEqual(await left.call('echo', { text: 'x' }), { text: 'x' });
          left.close();
        };
        const accept = async (): Promise<void> => {
          const link = new FrameLink(accepted);
          await greetOn(link, bob, listener);
          await sim.advance(sim.chance.below(3) * 50); // a slow start: everything the other side says meanwhile waits
          const right = new Connection(link, {
            ...common,
            side: 'right',
            handlers: rightHandlers({ note: ({ n }) => void notes.push(n) }),
            clock: bob.world.clock,
            log: bob.world.log,
          });
          assert.equal((await right.whenEnded).clean, true);
        };
        await Promise.all([connect(), accept()]);
      });
      assert.deepEqual(
        notes,
        Array.from({ length: 50 }, (_, n) => n),
      );
    }
  });
});
