// Frames out of bytes: the same frames however the bytes are cut, nothing believed before it was
// checked, little memory, and no input that does anything but end the link.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { ErrorCode } from '../../../protocol/base/errors.ts';
import { encodeFrame, KINDS, PAYLOAD_HEAD_BYTES, TYPE_BYTES_MAX } from '../../../protocol/wire/frame.ts';
import type { FrameHead, Kind, RawTarget } from '../../../protocol/wire/frame.ts';
import { FRAME_PAYLOAD_BYTES_MAX } from '../../../protocol/base/limits.ts';
import { ManualClock } from '../../support/simulation/manualClock.ts';
import { bytesOf, NOTICE, open, Reader } from './frameReader.ts';

/** A frame byte by byte, right or wrong. */
const handmade = ({
  start = '5368',
  typeSize,
  type = 'note',
  payload,
  kind = '03',
  call = '00000000',
  body = '',
}: {
  start?: string;
  typeSize?: string;
  type?: string;
  payload?: string;
  kind?: string;
  call?: string;
  body?: string;
}): Buffer =>
  Buffer.from(
    [
      start,
      typeSize ?? type.length.toString(16).padStart(2, '0'),
      Buffer.from(type, 'latin1').toString('hex'),
      payload ?? (PAYLOAD_HEAD_BYTES + body.length / 2).toString(16).padStart(8, '0'),
      kind,
      call,
      body,
    ].join(''),
    'hex',
  );

const head = fc.record<FrameHead>(
  {
    type: fc.string({ unit: fc.constantFrom(...'abcXYZ'), minLength: 1, maxLength: TYPE_BYTES_MAX }),
    kind: fc.constantFrom<Kind>(...KINDS),
    call: fc.nat(2 ** 31),
  },
  { noNullPrototype: true },
);
const frames = fc.array(
  fc.record({
    head,
    body: fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      fc.nat(70_000).map((size) => new Uint8Array(size).fill(size)),
    ),
  }),
  { maxLength: 6 },
);
const sizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 40_000 })), {
  minLength: 1,
  maxLength: 12,
});

describe('a link of frames', () => {
  it('reads a frame written by hand', () => {
    const reader = new Reader();
    open(reader).stream.feed(handmade({ type: 'have', kind: '00', call: '00000102', body: 'abcd' }));
    assert.deepEqual(reader.frames, [
      { head: { type: 'have', kind: 'request', call: 258 }, body: Buffer.from('abcd', 'hex'), rawBytes: 0 },
    ]);
  });

  it('gives the same frames however their bytes are cut', () =>
    fc.assert(
      fc.property(frames, sizes, (sent, cuts) => {
        const reader = new Reader();
        const { stream, link } = open(reader);
        const bytes = Buffer.concat(sent.map((frame) => bytesOf(frame.head, frame.body)));
        stream.feed(bytes, cuts);
        assert.deepEqual(
          reader.frames,
          sent.map((frame) => ({ head: frame.head, body: Buffer.from(frame.body), rawBytes: 0 })),
        );
        assert.deepEqual([link.counts.framesIn, link.counts.bytesIn], [sent.length, bytes.length]);
        stream.finish();
        assert.deepEqual(reader.end, { error: undefined });
      }),
      { numRuns: 60 },
    ));

  it('puts raw bytes into the memory it was given, however they are cut', () =>
    fc.assert(
      fc.property(
        fc.array(fc.record({ fields: fc.nat(30), raw: fc.oneof(fc.nat(20), fc.nat(100_000)), room: fc.nat(50) }), {
          minLength: 1,
          maxLength: 4,
        }),
        sizes,
        (answers, cuts) => {
          const reader = new Reader();
          const { stream } = open(reader);
          const sent: Buffer[] = [];
          for (const [call, { fields, raw, room }] of answers.entries()) {
            reader.raw.set(call + 1, { bodyBytes: fields, into: new Uint8Array(raw + room).fill(0xee) });
            sent.push(
              bytesOf(
                { type: 'piece', kind: 'answer', call: call + 1 },
                Buffer.alloc(fields, 1),
                new Uint8Array(raw).fill(call + 2),
              ),
              bytesOf(NOTICE, Buffer.from('between')),
            );
          }
          stream.feed(Buffer.concat(sent), cuts);
          assert.equal(reader.frames.length, 2 * answers.length);
          for (const [call, { fields, raw, room }] of answers.entries()) {
            const frame = reader.frames[2 * call];
            assert.deepEqual(
              [frame?.rawBytes, frame?.body.length, reader.frames[2 * call + 1]?.body.toString()],
              [raw, fields, 'between'],
            );
            const into = Buffer.from(reader.raw.get(call + 1)?.into ?? []);
            assert.ok(
              into.equals(Buffer.concat([Buffer.alloc(raw, call + 2), Buffer.alloc(room, 0xee)])),
              'the memory holds something else',
            );
          }
        },
      ),
      { numRuns: 60 },
    ));

  it('lets raw bytes land in place: what comes after the head is not copied', () => {
    const reader = new Reader();
    const into = new Uint8Array(100_000);
    reader.raw.set(1, { bodyBytes: 0, into });
    const { stream } = open(reader);
    stream.feed(
      bytesOf({ type: 'piece', kind: 'answer', call: 1 }, Buffer.alloc(0), Buffer.alloc(100_000, 7)),
      [17, 1000],
    );
    assert.deepEqual(stream.targets.slice(1, 4), [100_000, 99_000, 98_983]);
    assert.equal(into.at(-1), 7);
  });

  it('writes what another link reads, raw bytes without a copy', () => {
    const { stream, link } = open();
    const raw = Buffer.alloc(10, 7);
    assert.equal(encodeFrame(NOTICE, Buffer.alloc(3), { raw })[1], raw);
    let taken = 0;
    link.send({ type: 'piece', kind: 'answer', call: 9 }, Buffer.from('ab'), { raw, taken: () => taken++ });
    const reader = new Reader();
    open(reader).stream.feed(stream.written);
    assert.deepEqual(reader.frames, [
      { head: { type: 'piece', kind: 'answer', call: 9 }, body: Buffer.concat([Buffer.from('ab'), raw]), rawBytes: 0 },
    ]);
    assert.deepEqual([taken, link.counts.framesOut, link.counts.bytesOut], [1, 1, stream.written.length]);
  });

  const refused: readonly [what: string, bytes: Buffer, code: ErrorCode, raw?: RawTarget][] = [
    ['a wrong first byte, at once', Buffer.from('47', 'hex'), 'badFrame'],
    ['a wrong second byte, at once', Buffer.from('5345', 'hex'), 'badFrame'],
    ['a request of the web', Buffer.from('GET / HTTP/1.1\r\n'), 'badFrame'],
    ['a handshake of TLS', Buffer.from('160301', 'hex'), 'badFrame'],
    ['a name of no letters', handmade({ type: '', typeSize: '00' }), 'badFrame'],
    ['a name that is too long, before it is there', Buffer.from('536821', 'hex'), 'badFrame'],
    ['a name with a digit', handmade({ type: 'note1' }), 'badFrame'],
    ['a name with a NUL', handmade({ type: 'no\0e' }), 'badFrame'],
    ['a name with a letter beyond ASCII', handmade({ type: 'n\xf6te' }), 'badFrame'],
    ['an unknown kind', handmade({ kind: '04' }), 'badFrame'],
    ['a payload shorter than its own head', handmade({ payload: '00000004' }), 'badFrame'],
    ['a payload of nothing', handmade({ payload: '00000000' }), 'badFrame'],
    [
      'a length that passes the bound by one',
      handmade({ payload: (FRAME_PAYLOAD_BYTES_MAX + 1).toString(16).padStart(8, '0') }),
      'frameTooLarge',
    ],
    ['the largest length there is', handmade({ payload: 'ffffffff' }), 'frameTooLarge'],
    [
      'an answer with more raw bytes than there is room for',
      handmade({ kind: '01', call: '00000001', body: 'aabbccdd' }),
      'badFrame',
      { bodyBytes: 1, into: new Uint8Array(2) },
    ],
    [
      'an answer shorter than its fields',
      handmade({ kind: '01', call: '00000001', body: 'aa' }),
      'badFrame',
      { bodyBytes: 2, into: new Uint8Array(2) },
    ],
  ];
  for (const [what, bytes, code, raw] of refused) {
    it(`refuses ${what}`, () => {
      const reader = new Reader();
      if (raw) reader.raw.set(1, raw);
      const { stream } = open(reader);
      stream.feed(bytesOf(NOTICE));
      stream.feed(bytes, [1]);
      assert.deepEqual([reader.code, reader.frames.length, stream.isDestroyed], [code, 1, true]);
      stream.feed(bytesOf(NOTICE));
      assert.equal(reader.frames.length, 1, 'it read on');
      if (raw) assert.deepEqual(raw.into, new Uint8Array(2), 'it wrote behind the end of a refused answer');
    });
  }

  it('takes the longest name and the largest payload that are allowed', () => {
    const reader = new Reader();
    open(reader).stream.feed(
      bytesOf(
        { type: 'x'.repeat(TYPE_BYTES_MAX), kind: 'request', call: 2 ** 32 - 1 },
        Buffer.alloc(FRAME_PAYLOAD_BYTES_MAX - PAYLOAD_HEAD_BYTES),
      ),
      [65_536],
    );
    assert.deepEqual([reader.frames.length, reader.frames[0]?.head.call, reader.end], [1, 2 ** 32 - 1, undefined]);
  });

  it('asks for the bound of each message before it makes room for it', () => {
    const reader = new Reader();
    reader.maxBytes = PAYLOAD_HEAD_BYTES + 100;
    const { stream } = open(reader);
    stream.feed(bytesOf(NOTICE, Buffer.alloc(100)));
    stream.feed(handmade({ payload: '0000006a' }));
    assert.deepEqual([reader.frames.length, reader.code], [1, 'frameTooLarge']);
    assert.ok(Math.max(...stream.targets) <= 16 * 1024, 'it made room for what it refused');
  });

  it('gives its memory back after a large frame', () => {
    const { stream } = open();
    stream.feed(bytesOf(NOTICE, Buffer.alloc(1_000_000)), [10_000]);
    assert.ok(Math.max(...stream.targets) > 100_000);
    stream.targets.length = 0;
    stream.feed(bytesOf(NOTICE, Buffer.alloc(10)));
    assert.deepEqual(stream.targets, [16 * 1024]);
  });

  it('tells an end within a frame from one between two', () => {
    for (const [length, code] of [
      [0, undefined],
      [1, 'badFrame'],
      [12, 'badFrame'],
      [20, undefined],
    ] as const) {
      const reader = new Reader();
      const { stream } = open(reader);
      stream.feed(bytesOf(NOTICE, Buffer.from('half')).subarray(0, length));
      stream.finish();
      assert.equal(reader.code, code, `${length} bytes`);
    }
  });

  it('tells an end within raw bytes, and how a broken stream broke', () => {
    const [cut, broken] = [new Reader(), new Reader()];
    cut.raw.set(1, { bodyBytes: 0, into: new Uint8Array(10) });
    const { stream } = open(cut);
    stream.feed(handmade({ kind: '01', call: '00000001', payload: '0000000a', body: 'aabb' }));
    stream.finish();
    assert.equal(cut.code, 'badFrame');
    const reset = new Error('read ECONNRESET');
    open(broken).stream.finish(reset);
    assert.deepEqual(broken.end, { error: reset });
  });

  it('passes on that the queue is empty', () => {
    const reader = new Reader();
    open(reader).stream.drain();
    assert.equal(reader.drains, 1);
  });

  it('lets a receiver see an error of its own, and does not hide it', () => {
    const reader = new Reader();
    reader.onFrame = () => {
      throw new Error('of the handler');
    };
    const { stream } = open(reader);
    assert.throws(() => stream.feed(bytesOf(NOTICE)), /of the handler/);
    reader.onFrame = undefined;
    stream.feed(bytesOf(NOTICE));
    assert.equal(reader.frames.length, 2);
  });
});

describe('a link between two receivers', () => {
  const three = Buffer.concat([
    bytesOf(NOTICE, Buffer.from('one')),
    bytesOf(NOTICE, Buffer.from('two')),
    bytesOf(NOTICE, Buffer.from('three')),
  ]);
  const bodies = (reader: Reader): string[] => reader.frames.map(({ body }) => body.toString());

  it('holds frames back until somebody takes them', () => {
    const { stream, link } = open();
    link.receive(undefined);
    stream.feed(three, [5]);
    const late = new Reader();
    link.receive(late);
    assert.deepEqual(bodies(late), ['one', 'two', 'three']);
  });

  it('gives the first frame to one and the rest to the next, within one chunk', () => {
    const [first, second] = [new Reader(), new Reader()];
    const { stream, link } = open(first);
    first.onFrame = () => link.receive(undefined);
    stream.feed(three);
    assert.deepEqual([bodies(first), bodies(second)], [['one'], []]);
    link.receive(second);
    assert.deepEqual([bodies(first), bodies(second)], [['one'], ['two', 'three']]);
  });

  it("hands over in the middle of a frame's own call", () => {
    const [first, second] = [new Reader(), new Reader()];
    const { stream, link } = open(first);
    first.onFrame = () => link.receive(second);
    stream.feed(three);
    assert.deepEqual([bodies(first), bodies(second)], [['one'], ['two', 'three']]);
  });

  it('stops reading while nobody takes what comes, and then goes on', () => {
    const { stream, link } = open();
    link.receive(undefined);
    const many = Buffer.concat(Array.from({ length: 10_000 }, () => bytesOf(NOTICE, Buffer.from('x'.repeat(20)))));
    stream.feed(many, [1000]);
    assert.ok(stream.isPaused && stream.targets.length < 20, `${stream.targets.length} chunks`);
    const late = new Reader();
    link.receive(late);
    assert.deepEqual([late.frames.length, stream.isPaused], [10_000, false]);
  });

  it('keeps frames and the end for whoever comes after the stream has ended', () => {
    const { stream, link } = open();
    link.receive(undefined);
    stream.feed(three);
    stream.finish();
    const [first, second] = [new Reader(), new Reader()];
    first.onFrame = () => link.receive(second);
    link.receive(first);
    assert.deepEqual(
      [bodies(first), bodies(second), first.end, second.end],
      [['one'], ['two', 'three'], undefined, { error: undefined }],
    );
  });

  it('tells a half frame from a clean end also to whoever comes late', () => {
    const { stream, link } = open();
    link.receive(undefined);
    stream.feed(three.subarray(0, -1));
    stream.finish();
    const late = new Reader();
    link.receive(late);
    assert.deepEqual([bodies(late), late.code], [['one', 'two'], 'badFrame']);
  });

  it('keeps raw bytes apart from what follows while nobody takes frames', () => {
    const [reader, late] = [new Reader(), new Reader()];
    const into = new Uint8Array(4);
    reader.raw.set(1, { bodyBytes: 0, into });
    const { stream, link } = open(reader);
    const answer = bytesOf({ type: 'piece', kind: 'answer', call: 1 }, Buffer.alloc(0), Buffer.from('rawb'));
    stream.feed(answer.subarray(0, -2));
    link.receive(undefined);
    stream.feed(Buffer.concat([answer.subarray(-2), three]), [1]);
    link.receive(late);
    assert.deepEqual(
      [bodies(reader), bodies(late), Buffer.from(into).toString()],
      [[], ['', 'one', 'two', 'three'], 'rawb'],
    );
  });

  it('throws away what comes once it was finished, and cuts off who does not leave', async () => {
    const reader = new Reader();
    const { stream, link } = open(reader);
    const clock = new ManualClock();
    reader.onFrame = () => link.finish(clock);
    stream.feed(three);
    stream.feed(Buffer.alloc(1_000_000, 0xff), [50_000]);
    assert.ok(Math.max(...stream.targets) <= 16 * 1024, 'it kept what nobody reads');
    link.send(NOTICE, Buffer.from('too late'));
    assert.deepEqual(
      [bodies(reader), stream.isEnded, stream.isDestroyed, stream.written.length],
      [['one'], true, false, 0],
    );
    await clock.advance(2_000);
    assert.equal(stream.isDestroyed, true);
  });
});
