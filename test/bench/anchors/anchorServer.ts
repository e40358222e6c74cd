// bittorrent-tracker's HTTP server in a process of its own. Started by anchors.ts with the path of
// its script; prints its port.
import { once } from 'node:events';
import type { EventEmitter } from 'node:events';
import type { Server } from 'node:http';
import { createRequire } from 'node:module';

interface Anchor extends EventEmitter {
  readonly http: Server;
  listen(port: number, host: string): void;
}

const [script = ''] = process.argv.slice(2);
// It is no package of this project, so it is not imported like one.
const { default: Tracker } = createRequire(import.meta.url)(script) as { default: new (options: object) => Anchor };
const tracker = new Tracker({ udp: false, http: true, ws: false, stats: false });
tracker.on('warning', () => {});
tracker.listen(0, '127.0.0.1');
await once(tracker, 'listening');
const { port } = tracker.http.address() as { port: number };
process.stdout.write(`listens on ${port}\n`);
