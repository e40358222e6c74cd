// A bare transfer for comparison: one process sends so many bytes over TLS 1.3, the other reads
// them in place and throws them away. Started by transfer.ts; prints `{ seconds, cpu }` of both
// sides together.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import tls from 'node:tls';
import { createIdentity } from '../../../protocol/node/identity.ts';

const bytes = Number(process.argv[2]);
const identity = createIdentity();
const options = {
  key: identity.keyPem,
  cert: identity.certificatePem,
  minVersion: 'TLSv1.3',
  ciphers: 'TLS_AES_128_GCM_SHA256',
  rejectUnauthorized: false,
} as const;

if (process.argv[3] === undefined) {
  const chunk = Buffer.allocUnsafe(512 * 1024);
  const server = tls
    .createServer(options, (socket) => {
      let left = bytes;
      const send = (): void => {
        while (left > 0) {
          left -= chunk.length;
          if (!socket.write(chunk)) return void socket.once('drain', send);
        }
        socket.end();
      };
      send();
    })
    .listen(0, '127.0.0.1');
  await once(server, 'listening');
  const child = fork(import.meta.filename, [String(bytes), String((server.address() as { port: number }).port)]);
  const [took] = (await once(child, 'message')) as [{ seconds: number; cpu: number }];
  const { user, system } = process.cpuUsage();
  process.stdout.write(JSON.stringify({ seconds: took.seconds, cpu: took.cpu + (user + system) / 1e6 }));
  server.close();
  child.disconnect();
} else {
  const into = Buffer.alloc(512 * 1024);
  let left = bytes;
  const began = performance.now();
  const socket = tls.connect({
    ...options,
    host: '127.0.0.1',
    port: Number(process.argv[3]),
    onread: { buffer: into, callback: (count: number) => ((left -= count), true) },
  } as tls.ConnectionOptions);
  await once(socket, 'close');
  const { user, system } = process.cpuUsage();
  if (left > 0) throw new Error(`${left} bytes did not come`);
  process.send?.({ seconds: (performance.now() - began) / 1000, cpu: (user + system) / 1e6 });
}
