// What stands on the command line, as values. Pure but for reading a tracker_info.txt.
import fs from 'node:fs';
import path from 'node:path';
import { ShoalError, systemCode } from '../../../protocol/base/errors.ts';
import { tryParseRate } from '../../../protocol/frontend/format.ts';
import { addressText, parseAddress } from '../../../protocol/base/address.ts';
import { checkDescriptor, realmUrlText } from '../../../protocol/messages/realm.ts';

const usage: (why: string) => never = (why) => {
  throw new ShoalError('usage', { why });
};

/** A rate as `tryParseRate` reads it. @throws ShoalError usage */
export const parseRate = (text: string): number =>
  tryParseRate(text) ?? usage(`${text} is not a rate; expected bytes per second such as 500k, 1.5M or 0 for no limit`);

/** A number of bytes, written like a rate. @throws ShoalError usage */
export const parseBytes = (option: string, text: string): number =>
  tryParseRate(text) ?? usage(`${option} is a number of bytes such as 500, 64k or 1M, not ${text}`);

/** One of a few words. @throws ShoalError usage */
export function parseWord<const T extends string>(option: string, words: readonly T[], text: string): T {
  return (
    words.find((word) => word === text.trim().toLowerCase()) ??
    usage(`${option} is one of ${words.join(', ')}, not ${text}`)
  );
}

/** A whole number from 0 to 65535. @throws ShoalError usage */
export function parseCount(option: string, text: string): number {
  return /^\d{1,5}$/.test(text.trim()) && Number(text) <= 65535
    ? Number(text)
    : usage(`${option} is a number, not ${text}`);
}

/**
 * `host:port`, `:port` or a port alone; port 0 for any that is free. Host '' is any address.
 * @throws ShoalError usage
 */
export function parseListen(text: string): { readonly host: string; readonly port: number } {
  const match = /^(?:(.*):)?(\d{1,5})$/.exec(text.trim());
  const port = Number(match?.[2] ?? NaN);
  const host = match?.[1] ?? '';
  if (!(port <= 65535)) return usage(`${text} is not an address to listen on; expected host:port, :port or a port`);
  if (host === '' || host === '*') return { host: '', port };
  const address = parseAddress(`${host}:1`);
  if (!address) return usage(`${text} is not an address to listen on; expected host:port, :port or a port`);
  return { host: address.host, port };
}

/** `on` or `off`. @throws ShoalError usage */
export function parseSwitch(option: string, text: string): boolean {
  return parseWord(option, ['on', 'off'], text) === 'on';
}

/** Seconds, or a number with s, min or h. @throws ShoalError usage */
export function parseSeconds(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(s|m|min|h)?$/i.exec(text.trim());
  if (!match) return usage(`${text} is not a time; expected seconds such as 30, or 5min, or 1h`);
  return Number(match[1]) * (/^m/i.test(match[2] ?? '') ? 60 : /^h/i.test(match[2] ?? '') ? 3600 : 1);
}

/** Largest tracker_info.txt that is read: it holds two lines. */
const INFO_BYTES_MAX = 64 * 1024;

/**
 * What --tracker names: a URL or addresses as they are, or a file of `host:port` lines (blank lines
 * and # comments are skipped; a URL may stand there too).
 *
 * @throws ShoalError usage, badTrackerUrl
 */
export function readTracker(text: string, workFolder: string): string {
  const file = path.resolve(workFolder, text);
  const stat = text.includes('://') ? undefined : fs.statSync(file, { throwIfNoEntry: false });
  if (!stat?.isFile()) {
    if (/\.txt$|[/\\]/.test(text) && !text.includes('://')) {
      usage(`there is no file ${file}; --tracker takes a URL, host:port, or a file of host:port lines`);
    }
    return text;
  }
  if (stat.size > INFO_BYTES_MAX) usage(`${file} is too large for a list of trackers`);
  return withRealm(file, parseTrackerInfo(readText(file), file));
}

/**
 * The classic form of the tracker makes its realm beside the file: `tracker_info.realm/realm.json`,
 * whose `descriptor` and `signature` are what trackers show (realm.ts), in base64. On the tracker's
 * own machine this tells whom to expect; elsewhere the first contact is trusted.
 */
function withRealm(file: string, addresses: string): string {
  try {
    const realmFile = path.join(`${file.replace(/\.txt$/i, '')}.realm`, 'realm.json');
    const { descriptor, signature } = JSON.parse(fs.readFileSync(realmFile, 'utf8')) as {
      descriptor: string;
      signature: string;
    };
    const signed = { descriptor: Buffer.from(descriptor, 'base64'), signature: Buffer.from(signature, 'base64') };
    const { realm, trackers } = checkDescriptor(signed, undefined, { host: realmFile, port: 0 });
    const url = { realm, addresses: trackers.map(({ address }) => address) };
    return realmUrlText({ ...url, realm: undefined }) === addresses ? realmUrlText(url) : addresses;
  } catch {
    return addresses; // not there, not ours to read, or of another time
  }
}

function readText(file: string): string {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch (error) {
    return usage(`${file} cannot be read (${systemCode(error) ?? String(error)})`);
  }
}

/** @throws ShoalError usage */
export function parseTrackerInfo(content: string, file: string): string {
  const lines = content
    .split(/\r?\n/)
    .map((line) => line.replace(/#.*/, '').trim())
    .filter((line) => line !== '');
  if (lines.length === 1 && lines[0]?.startsWith('shoal://')) return lines[0];
  const addresses = lines.map((line) => {
    const address = parseAddress(line.replace(/^(\S+)\s+(\d+)$/, '$1:$2'));
    return address
      ? addressText(address)
      : usage(`${file} is not a list of trackers: expected host:port, found ${JSON.stringify(line.slice(0, 60))}`);
  });
  if (addresses.length === 0 || addresses.length > 2) {
    usage(`${file} names ${addresses.length} trackers; expected one or two lines of host:port`);
  }
  return addresses.join(',');
}
