// A password as it is typed.
import assert from 'node:assert/strict';
import { readHidden } from '../../../protocol/node/passwordPrompt.ts';

describe('a hidden password', () => {
  const typing = async (
    ...keys: (string | Buffer)[]
  ): Promise<{ typed: string | undefined; shown: string; raw: boolean[] }> => {
    const raw: boolean[] = [];
    let take: (keys: Buffer) => void = () => {};
    let shown = '';
    const input = {
      // on before the question, or what is typed at once is shown
      setRawMode: (on: boolean) => raw.push(on && shown === ''),
      on: (_: 'data', to: (keys: Buffer) => void) => (take = to),
      off: () => (take = () => {}),
      resume() {},
      pause() {},
    };
    const typed = readHidden(input, { write: (text: string) => (shown += text) }, 'password: ');
    for (const key of keys) take(Buffer.from(key as string));
    return { typed: await typed, shown, raw };
  };
  const utf8 = Buffer.from('ä\r');
  const rows: [what: string, keys: (string | Buffer)[], typed: string | undefined][] = [
    ['as typed', ['s', 'e', 'c', '\r'], 'sec'],
    ['pasted at once', ['secret\nrest'], 'secret'],
    ['with a key taken back', ['sx\x7f', 'ec\r'], 'sec'],
    ['begun anew', ['wrong\x15right\r'], 'right'],
    ['of letters that came in two parts', [utf8.subarray(0, 1), utf8.subarray(1)], 'ä'],
    ['given up', ['abc\x03'], undefined],
    ['ended', ['\x04'], undefined],
    ['without control characters', ['a\x1b\x00b\r'], 'ab'],
  ];
  for (const [what, keys, typed] of rows) {
    it(`is read ${what}`, async () =>
      assert.deepEqual(await typing(...keys), { typed, shown: 'password: \n', raw: [true, false] }));
  }
});
