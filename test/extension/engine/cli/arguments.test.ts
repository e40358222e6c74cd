// What stands on the command line, as values.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {
  parseListen,
  parseRate,
  parseSeconds,
  parseTrackerInfo,
  readTracker,
} from '../../../../extension/engine/cli/arguments.ts';
import { gives } from '../../../support/gives.ts';

const KIB = 1024;
const MIB = 1024 ** 2;
const GIB = 1024 ** 3;

gives('rates', parseRate, [
  ['0', 0],
  ['none', 0],
  ['500', 500],
  ['500k', 500 * KIB],
  ['1.5M', 1.5 * MIB],
  ['2MiB/s', 2 * MIB],
  ['1g', GIB],
  ['2 mb', 2 * MIB],
  ['fast', /^fast is not a rate/],
  ['-1', /not a rate/],
  ['1T', /not a rate/],
  ['', /not a rate/],
]);
gives('addresses to listen on', parseListen, [
  ['7000', { host: '', port: 7000 }],
  [':7000', { host: '', port: 7000 }],
  ['*:7000', { host: '', port: 7000 }],
  ['10.0.0.1:7000', { host: '10.0.0.1', port: 7000 }],
  ['[::1]:7000', { host: '::1', port: 7000 }],
  ['0', { host: '', port: 0 }],
  ['host', /not an address to listen on/],
  ['h:70000', /not an address/],
  ['', /not an address/],
  ['a b:1', /not an address/],
]);
gives('times', parseSeconds, [
  ['30', 30],
  ['1.5s', 1.5],
  ['5min', 300],
  ['5m', 300],
  ['1h', 3600],
  ['soon', /not a time/],
]);
gives('tracker_info.txt', (content: string) => parseTrackerInfo(content, 'tracker_info.txt'), [
  ['127.0.0.1:7070\n127.0.0.1:7071\n', '127.0.0.1:7070,127.0.0.1:7071'],
  ['\r\n a.example:1 # first\r\n\r\n# more\r\n[::1]:2\r\n', 'a.example:1,[::1]:2'],
  ['10.0.0.1 7070', '10.0.0.1:7070'],
  ['shoal://abc@h:1\n', 'shoal://abc@h:1'],
  ['', /names 0 trackers/],
  ['a:1\nb:2\nc:3', /names 3 trackers/],
  ['hello world', /expected host:port, found "hello world"/],
  ['<html>', /expected host:port/],
]);

describe('--tracker', () => {
  it('is a file when there is one of that name, else an address', () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sh-'));
    fs.writeFileSync(path.join(folder, 'tracker_info.txt'), 'localhost:7070\n');
    assert.equal(readTracker('tracker_info.txt', folder), 'localhost:7070');
    assert.equal(readTracker('localhost:7071', folder), 'localhost:7071');
    assert.throws(() => readTracker('other.txt', folder), /there is no file .*other\.txt/);
    fs.rmSync(folder, { recursive: true });
  });
});
