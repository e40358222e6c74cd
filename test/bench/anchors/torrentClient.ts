// WebTorrent in a process of its own, over TCP alone, driven over its standard input by torrents.ts
// with the words that torrentClient.py knows. Started with the folder of its package and its limit
// in bytes per s, 0 for none.
import { once } from 'node:events';
import type { EventEmitter } from 'node:events';
import { createRequire, registerHooks } from 'node:module';
import path from 'node:path';
import readline from 'node:readline';
import type { Word } from './torrents.ts';

interface Torrent extends EventEmitter {
  readonly uploaded: number;
  addPeer(address: string): boolean;
}
interface Client extends EventEmitter {
  readonly torrentPort: number;
  add(torrent: string, options: object): Torrent;
  remove(torrent: Torrent, options: object, done: () => void): void;
}

const [folder = '', upLimit = '0'] = process.argv.slice(2);
// WebRTC needs a library that is compiled; nobody asks for it here.
const STUB =
  'data:text/javascript,export class RTCPeerConnection{};export class RTCSessionDescription{};export class RTCIceCandidate{};export default {}';
registerHooks({
  resolve: (name, context, next) =>
    name === 'webrtc-polyfill' ? { url: STUB, shortCircuit: true } : next(name, context),
});
// It is no package of this project, so it is not imported like one.
const { default: WebTorrent } = createRequire(import.meta.url)(path.join(folder, 'index.js')) as {
  default: new (options: object) => Client;
};
const client = new WebTorrent({
  dht: false,
  tracker: false,
  lsd: false,
  natUpnp: false,
  natPmp: false,
  utPex: false,
  utp: false,
  webSeeds: false,
  torrentPort: 0,
  ...(Number(upLimit) > 0 && { uploadLimit: Number(upLimit) }),
});
let torrent: Torrent | undefined;
client.on('error', (error: Error) => {
  throw error;
});

async function run(word: Word): Promise<object> {
  if (word.do === 'make') throw new Error('torrents are made by the other client');
  if (word.do === 'sent') return { bytes: torrent?.uploaded ?? 0 };
  if (word.do === 'drop') {
    const dropped = torrent;
    if (dropped) await new Promise<void>((resolve) => client.remove(dropped, { destroyStore: false }, resolve));
    return {};
  }
  torrent = client.add(word.torrent, { path: word.folder, skipVerify: word.do === 'seed', announce: [] });
  if (word.do === 'seed') {
    await once(torrent, 'ready');
    return {};
  }
  const done = once(torrent, 'done');
  await once(torrent, 'infoHash');
  for (const port of word.ports) torrent.addPeer(`127.0.0.1:${port}`);
  await done;
  return {};
}

if (client.torrentPort === 0) await once(client, 'listening');
process.stdout.write(`${JSON.stringify({ port: client.torrentPort })}\n`);
for await (const line of readline.createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await run(JSON.parse(line) as Word))}\n`);
}
