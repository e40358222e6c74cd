// Addresses as people write them, and what is none.
import assert from 'node:assert/strict';
import { addressText, parseAddress } from '../../../protocol/base/address.ts';

describe('an address', () => {
  const rows: readonly [text: string, host: string | undefined, port?: number, portDefault?: number][] = [
    ['host:7070', 'host', 7070],
    ['host.example:1', 'host.example', 1],
    ['10.0.0.1:65535', '10.0.0.1', 65_535],
    ['[::1]:7070', '::1', 7070],
    ['[fe80::1]:80', 'fe80::1', 80],
    ['[::ffff:1.2.3.4]:80', '::ffff:1.2.3.4', 80],
    [' host:7070\n', 'host', 7070],
    ['host', 'host', 9, 9],
    ['[::1]', '::1', 9, 9],
    ['host:7070', 'host', 7070, 9],
    ['münchen.example:80', 'münchen.example', 80],
    ['host', undefined],
    ['', undefined],
    [':7070', undefined],
    ['host:', undefined],
    ['host:0', undefined],
    ['host:65536', undefined],
    ['host:99999', undefined],
    ['host:123456', undefined],
    ['host:-1', undefined],
    ['host:7o7o', undefined],
    ['host:7070x', undefined],
    ['::1:7070', undefined],
    ['[::1', undefined],
    ['::1]:80', undefined],
    ['[host]:80', undefined],
    ['[]:80', undefined],
    ['a b:80', undefined],
    ['a,b:80', undefined],
    ['a@b:80', undefined],
    ['http://host:80', undefined],
    ['$(id):80', undefined],
    ['a;b:80', undefined],
    ['`id`:80', undefined],
    ['a&b:80', undefined],
    ["a'b:80", undefined],
    ['--help:80', undefined],
    ['a\u202Eb:80', undefined],
    ['host:80/path', undefined],
    ['host:80:80', undefined],
    [`${'x'.repeat(256)}:80`, undefined],
    ['', undefined, undefined, 9],
    [':', undefined, undefined, 9],
  ];
  for (const [text, host, port, portDefault] of rows) {
    it(`${host === undefined ? 'is not' : 'is'} ${JSON.stringify(text.slice(0, 30))}${portDefault === undefined ? '' : ' with a default port'}`, () => {
      assert.deepEqual(parseAddress(text, portDefault), host === undefined ? undefined : { host, port });
    });
  }

  it('comes back as it was written', () => {
    for (const address of [
      { host: 'host', port: 1 },
      { host: '::1', port: 7070 },
      { host: '10.0.0.1', port: 65_535 },
    ]) {
      assert.deepEqual(parseAddress(addressText(address)), address);
    }
  });
});
