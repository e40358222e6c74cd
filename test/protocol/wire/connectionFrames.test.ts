// What a connection makes of frames that no honest side of the same version sends: unknown messages
// and codes, answers to nothing, calls numbered twice, bodies that cannot be read, lengths that are
// too large.
import assert from 'node:assert/strict';
import { Connection } from '../../../protocol/wire/connection.ts';
import type { Ending } from '../../../protocol/wire/connection.ts';
import { isShoalError } from '../../../protocol/base/errors.ts';
import type { ErrorCode } from '../../../protocol/base/errors.ts';
import { encodeFrame, FrameLink, PAYLOAD_HEAD_BYTES } from '../../../protocol/wire/frame.ts';
import type { Kind } from '../../../protocol/wire/frame.ts';
import { bye } from '../../../protocol/wire/greeting.ts';
import { ADDED_FIELDS_BYTES_MAX, FRAME_PAYLOAD_BYTES_MAX } from '../../../protocol/base/limits.ts';
import { wireError } from '../../../protocol/base/fields.ts';
import { decode, encode, struct, text, u32 } from '../../../protocol/base/schema.ts';
import { silentLog } from '../../../protocol/base/world.ts';
import { ManualClock } from '../../support/simulation/manualClock.ts';
import { Reader } from './frameReader.ts';
import { HEARTBEAT_MS, leftHandlers, RAW_BYTES_MAX, rightHandlers, testLink, watched } from './linkPair.ts';
import type { Left, Right } from './linkPair.ts';
import { ManualStream } from './manualStream.ts';

const noBody = Buffer.alloc(0);
const noteBody = encode(u32, 7);
const echoBody = encode(struct({ text: text(20) }), { text: 'hello' });
const wireErrorOf = (code: string): Buffer =>
  encode(wireError, { code, text: 'the words of a newer version', fields: [{ name: 'group', value: 'team' }] });

/** The other side of a connection, made by hand. */
class OtherSide {
  readonly stream = new ManualStream();
  ending: Ending | undefined;
  readonly notes: number[] = [];
  onNote = (): void => {};

  right(): Right {
    const note = ({ n }: { readonly n: number }): void => (this.notes.push(n), this.onNote());
    return this.#watch(
      new Connection(new FrameLink(this.stream), {
        table: testLink,
        side: 'right',
        handlers: rightHandlers({ note }),
        heartbeatMs: HEARTBEAT_MS,
        clock: new ManualClock(),
        log: silentLog,
      }),
    );
  }

  left(): Left {
    return this.#watch(
      new Connection(new FrameLink(this.stream), {
        table: testLink,
        side: 'left',
        handlers: leftHandlers(),
        heartbeatMs: HEARTBEAT_MS,
        clock: new ManualClock(),
        log: silentLog,
      }),
    );
  }

  send(kind: Kind, type: string, call: number, body: Uint8Array = noBody, raw?: Uint8Array): void {
    this.stream.feed(Buffer.concat(encodeFrame({ type, kind, call }, body, raw && { raw })), [1000]);
  }

  /** What the connection has sent so far. */
  get received(): Reader['frames'] {
    const reader = new Reader();
    const stream = new ManualStream();
    new FrameLink(stream).receive(reader);
    stream.feed(this.stream.written);
    return reader.frames;
  }

  /** The code of the error that answered a call. */
  errorOf(call: number): string | undefined {
    const answer = this.received.find(({ head }) => head.kind === 'error' && head.call === call);
    return answer && decode(wireError, answer.body, 'error').code;
  }

  #watch<C extends Left | Right>(connection: C): C {
    void connection.whenEnded.then((ending) => (this.ending = ending));
    return connection;
  }
}

const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

describe('a connection that is sent', () => {
  const harmless: readonly [
    what: string,
    kind: Kind,
    type: string,
    call: number,
    body: Buffer,
    answer: ErrorCode | undefined,
  ][] = [
    ['a request that it does not know', 'request', 'teleport', 3, echoBody, 'unknownMessage'],
    ['a request named like what every object has', 'request', 'constructor', 3, noBody, 'unknownMessage'],
    ['a request with the name of a notice', 'request', 'note', 3, noteBody, 'unknownMessage'],
    ['a request that only its own side makes', 'request', 'question', 3, noteBody, 'unknownMessage'],
    ['a request that cannot be read', 'request', 'echo', 3, Buffer.from('00', 'hex'), 'badMessage'],
    ['a notice that it does not know', 'notice', 'teleport', 0, echoBody, undefined],
    ['a notice with the name of a request', 'notice', 'echo', 0, echoBody, undefined],
    ['a notice that only its own side sends', 'notice', 'hint', 0, noteBody, undefined],
    ['a ping', 'notice', 'ping', 0, noBody, undefined],
    ['a cancel of nothing', 'notice', 'cancel', 0, encode(u32, 99), undefined],
    ['an answer to nothing', 'answer', 'part', 99, noBody, undefined],
    ['an error for nothing', 'error', 'question', 99, wireErrorOf('busy'), undefined],
    [
      'a message with fields of a newer version',
      'notice',
      'note',
      0,
      Buffer.concat([noteBody, Buffer.alloc(ADDED_FIELDS_BYTES_MAX)]),
      undefined,
    ],
  ];
  for (const [what, kind, type, call, body, answer] of harmless) {
    it(`${what} goes on${answer ? ` and says ${answer}` : ''}`, async () => {
      const other = new OtherSide();
      const right = other.right();
      other.send(kind, type, call, body);
      assert.equal(other.errorOf(call), answer);
      other.send('request', 'echo', 4, echoBody);
      await turn();
      assert.deepEqual([other.received.at(-1)?.body, right.isOpen], [echoBody, true]);
    });
  }

  const fatal: readonly [what: string, kind: Kind, type: string, call: number, body: Buffer, code: ErrorCode][] = [
    ['a notice that cannot be read', 'notice', 'note', 0, Buffer.from('00', 'hex'), 'badMessage'],
    ['a cancel that cannot be read', 'notice', 'cancel', 0, noBody, 'badMessage'],
    ['a bye that cannot be read', 'notice', 'bye', 0, noBody, 'badMessage'],
    [
      'a notice larger than its row allows',
      'notice',
      'note',
      0,
      Buffer.alloc(4 + ADDED_FIELDS_BYTES_MAX + 1),
      'frameTooLarge',
    ],
    [
      'an unknown message that is large',
      'request',
      'teleport',
      3,
      Buffer.alloc(ADDED_FIELDS_BYTES_MAX + 1),
      'frameTooLarge',
    ],
    ['a ping that is large', 'notice', 'ping', 0, Buffer.alloc(ADDED_FIELDS_BYTES_MAX + 1), 'frameTooLarge'],
    [
      'an answer that is larger than its row allows',
      'answer',
      'question',
      9,
      Buffer.alloc(4 + ADDED_FIELDS_BYTES_MAX + 1),
      'frameTooLarge',
    ],
    ['an error that is larger than errors are', 'error', 'question', 9, Buffer.alloc(20_000), 'frameTooLarge'],
    [
      'an answer to what was never a question',
      'answer',
      'constructor',
      9,
      Buffer.alloc(ADDED_FIELDS_BYTES_MAX + 1),
      'frameTooLarge',
    ],
    [
      'the largest message that any row allows and one byte',
      'request',
      'echo',
      3,
      Buffer.alloc(FRAME_PAYLOAD_BYTES_MAX - PAYLOAD_HEAD_BYTES + 1),
      'frameTooLarge',
    ],
  ];
  for (const [what, kind, type, call, body, code] of fatal) {
    it(`${what} ends with ${code}`, async () => {
      const other = new OtherSide();
      const right = other.right();
      const asked = watched(right.call('question', { n: 1 }));
      other.send(kind, type, call, body);
      await turn();
      assert.deepEqual([other.ending?.clean, other.ending?.error?.code, asked.error?.code], [false, code, code]);
      other.send('notice', 'note', 0, noteBody);
      assert.deepEqual(other.notes, []);
    });
  }

  it('two calls of one number ends, and says why', async () => {
    const other = new OtherSide();
    other.right();
    other.send('request', 'wait', 5);
    other.send('request', 'wait', 5);
    await turn();
    const last = other.received.at(-1);
    assert.deepEqual([other.ending?.error?.code, last?.head.type], ['badFrame', 'bye']);
    assert.equal(decode(bye, last?.body ?? noBody, 'bye').error?.code, 'badFrame');
  });

  it('nothing after a handler has ended it, within the same chunk', async () => {
    const other = new OtherSide();
    const right = other.right();
    other.onNote = () => right.destroy();
    const note = Buffer.concat(encodeFrame({ type: 'note', kind: 'notice', call: 0 }, noteBody));
    other.stream.feed(Buffer.concat([note, note, note]));
    await turn();
    assert.deepEqual([other.notes, other.ending?.error?.code], [[7], 'linkClosed']);
  });

  it('nothing after its bye: what follows is not handled', async () => {
    const other = new OtherSide();
    const right = other.right();
    other.send('notice', 'bye', 0, encode(bye, { error: undefined }));
    other.send('notice', 'note', 0, noteBody);
    await turn();
    assert.deepEqual(
      [other.ending, other.notes, other.stream.isEnded, right.isOpen],
      [{ clean: true }, [], true, false],
    );
  });
});

describe('a call that is answered', () => {
  /** The first call of the left side, answered by hand. */
  async function answered(
    kind: Kind,
    type: string,
    body: Buffer,
    raw?: Uint8Array,
  ): Promise<{ other: OtherSide; call: ReturnType<typeof watched>; into: Uint8Array }> {
    const other = new OtherSide();
    const left = other.left();
    const into = new Uint8Array(4);
    const call = watched<unknown>(
      type === 'piece' ? left.call('piece', { bytes: 4 }, { into }) : left.call('echo', { text: 'hello' }),
    );
    other.send(kind, type, 1, body, raw);
    await turn();
    return { other, call, into };
  }

  it("with a code that only a newer version knows fails with that version's words", async () => {
    const { call, other } = await answered('error', 'echo', wireErrorOf('sunSpots'));
    assert.deepEqual(
      [call.error?.code, call.error?.message, call.error?.exitCode, other.ending],
      ['other', 'the words of a newer version', 1, undefined],
    );
  });

  it('with a code that is known fails with our words', async () => {
    const { call } = await answered('error', 'echo', wireErrorOf('notMember'));
    assert.deepEqual(
      [call.error?.code, call.error?.message],
      ['notMember', 'you are not a member of team; ask to join it first'],
    );
  });

  for (const [what, kind, type, body, raw, code] of [
    ['under another name', 'answer', 'wait', echoBody, undefined, 'badFrame'],
    ['with what cannot be read', 'answer', 'echo', Buffer.from('00', 'hex'), undefined, 'badMessage'],
    ['with an error that cannot be read', 'error', 'echo', Buffer.from('00', 'hex'), undefined, 'badMessage'],
    ['with more raw bytes than there is room for', 'answer', 'piece', encode(u32, 1), Buffer.alloc(5), 'badFrame'],
    ['with fields cut short before raw bytes', 'answer', 'piece', Buffer.from('00', 'hex'), undefined, 'badFrame'],
  ] as [string, Kind, string, Buffer, Buffer | undefined, ErrorCode][]) {
    it(`${what} fails, and the link ends`, async () => {
      const { call, other, into } = await answered(kind, type, body, raw);
      assert.deepEqual([call.error?.code, other.ending?.error?.code, other.ending?.clean], [code, code, false]);
      assert.deepEqual(into, new Uint8Array(4), 'bytes of a refused answer were put into memory');
    });
  }

  it('with fewer raw bytes than there is room for tells how many', async () => {
    const { call, into } = await answered('answer', 'piece', encode(u32, 1), Buffer.from('ab'));
    assert.deepEqual([call.value, Buffer.from(into)], [{ tag: 1, rawBytes: 2 }, Buffer.from('ab\0\0')]);
  });

  it('with an error where raw bytes were expected fails as any other', async () => {
    const { call, other } = await answered('error', 'piece', wireErrorOf('pieceNotHeld'));
    assert.deepEqual([call.error?.code, other.ending], ['pieceNotHeld', undefined]);
  });

  it('twice drops the second answer', async () => {
    const { call, other } = await answered('answer', 'echo', echoBody);
    other.send('answer', 'echo', 1, encode(struct({ text: text(9) }), { text: 'again' }));
    await turn();
    assert.deepEqual([call.value, other.ending], [{ text: 'hello' }, undefined]);
  });

  it('may be as large as its row allows', () => {
    const other = new OtherSide();
    const left = other.left();
    const head = (call: number, type: string, kind: Kind) => ({ call, type, kind });
    assert.deepEqual(
      [
        head(1, 'piece', 'answer'),
        head(1, 'echo', 'answer'),
        head(1, 'question', 'request'),
        head(1, 'nothing', 'answer'),
      ].map((frame) => left.payloadBytesMax(frame)),
      [
        5 + ADDED_FIELDS_BYTES_MAX + 4 + RAW_BYTES_MAX,
        FRAME_PAYLOAD_BYTES_MAX,
        5 + ADDED_FIELDS_BYTES_MAX + 4,
        5 + ADDED_FIELDS_BYTES_MAX,
      ],
    );
  });
});

describe('frames that were there before the connection', () => {
  it('are handled, the bye among them', async () => {
    const other = new OtherSide();
    const link = new FrameLink(other.stream);
    other.send('notice', 'note', 0, noteBody);
    other.send('notice', 'bye', 0, encode(bye, { error: { code: 'busy', text: '', fields: [] } }));
    other.stream.finish();
    const notes: number[] = [];
    const right = new Connection(link, {
      table: testLink,
      side: 'right',
      handlers: rightHandlers({ note: ({ n }) => void notes.push(n) }),
      heartbeatMs: HEARTBEAT_MS,
      clock: new ManualClock(),
      log: silentLog,
    });
    const { clean, error } = await right.whenEnded;
    assert.deepEqual([notes, clean, isShoalError(error, 'busy')], [[7], true, true]);
  });
});
