// The least that a verified transfer takes in Node, as two processes that transfer.ts forks: TLS
// 1.3, pieces asked for by number, four of them on their way, read in place; tree hash and write of
// a new file in one worker thread with a bounded backlog. No group, no frame, no record, no choice
// of pieces: what an engine costs beyond this is the price of those.
import { once } from 'node:events';
import fs from 'node:fs';
import tls from 'node:tls';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { expectedHash } from '../../../extension/engine/hashing/hasher.ts';
import type { Shape } from '../../../extension/engine/hashing/merkleTree.ts';
import { leavesPerPiece, lengthOf, pieceHash, shapeOf } from '../../../extension/engine/hashing/merkleTree.ts';
import { createIdentity } from '../../../protocol/node/identity.ts';
import { HASH_BYTES } from '../../../protocol/base/ids.ts';
import { PIECE_BYTES_DEFAULT } from '../../../protocol/base/limits.ts';

/**
 * What the seeder says once it serves a file, and the downloader is told with the name of the file
 * to write.
 */
export interface Served {
  readonly port: number;
  readonly shape: Shape;
  readonly layer: Uint8Array;
}
export interface Wanted extends Served {
  readonly into: string;
}
/**
 * What the downloader answers: s from the dial until everything is verified and written, and until
 * the disk says that it has it.
 */
export interface Took {
  readonly seconds: number;
  readonly syncedSeconds: number;
}

const ASKS_MAX = 4;
/**
 * Pieces that are asked for or wait to be hashed, each with its place in shared memory; and one
 * that Node may read into meanwhile.
 */
const PLACES = ASKS_MAX + 8 + 1;
/** Buffers of the seeder: used again, because fresh memory costs more than the encryption. */
const READS = 2;
const ASK_BYTES = 4;

/** A piece and where in memory it lies. */
type Placed = readonly [piece: number, place: number];
/** What the thread does next. It answers with the place it has done, or with one that is none. */
type Job = Placed | Wanted | 'sync';
const OTHER = -1;
const WRONG = -2;

const placeIn = (memory: SharedArrayBuffer, shape: Shape, piece: number, place: number): Uint8Array =>
  new Uint8Array(memory, place * PIECE_BYTES_DEFAULT, lengthOf(shape, piece));

if (!isMainThread) work(workerData as SharedArrayBuffer);
else if (process.argv[2] !== undefined) await seed(process.argv[2]);
else download();

function secure(): tls.SecureContextOptions & { readonly rejectUnauthorized: false } {
  const { keyPem, certificatePem } = createIdentity();
  return {
    key: keyPem,
    cert: certificatePem,
    minVersion: 'TLSv1.3',
    ciphers: 'TLS_AES_128_GCM_SHA256',
    rejectUnauthorized: false,
  };
}

async function seed(file: string): Promise<void> {
  const from = fs.openSync(file, 'r');
  const shape = shapeOf(fs.fstatSync(from).size, PIECE_BYTES_DEFAULT);
  const buffers = Array.from({ length: READS }, () => Buffer.alloc(shape.pieceBytes));
  const read = (piece: number): Buffer => {
    const buffer = buffers[piece % READS] ?? Buffer.alloc(0);
    return buffer.subarray(0, fs.readSync(from, buffer, 0, lengthOf(shape, piece), piece * shape.pieceBytes));
  };
  const pieceHashes = Buffer.alloc(shape.pieces * HASH_BYTES);
  for (let piece = 0; piece < shape.pieces; piece++) {
    pieceHashes.set(pieceHash(read(piece), leavesPerPiece(shape)), piece * HASH_BYTES);
  }

  const server = tls
    .createServer(secure(), (socket) => {
      let asked = Buffer.alloc(0);
      let isWriting = false;
      // One piece after the other: what waits in the socket, Node would copy together.
      const serve = (): void => {
        if (isWriting || asked.length < ASK_BYTES) return;
        isWriting = true;
        const piece = asked.readUInt32BE();
        asked = asked.subarray(ASK_BYTES);
        socket.write(read(piece), () => {
          isWriting = false;
          serve();
        });
      };
      socket
        .setNoDelay(true)
        .on('error', () => {})
        .on('data', (chunk: Buffer) => {
          asked = Buffer.concat([asked, chunk]);
          serve();
        });
    })
    .listen(0, '127.0.0.1');
  await once(server, 'listening');
  process.send?.({ port: (server.address() as { port: number }).port, shape, layer: pieceHashes } satisfies Served);
}

/** Fetches each file it is told, one after the other. */
function download(): void {
  const memory = new SharedArrayBuffer(PLACES * PIECE_BYTES_DEFAULT);
  const worker = new Worker(new URL(import.meta.url), { workerData: memory });
  const done = (): Promise<number[]> => once(worker, 'message') as Promise<number[]>;
  process.on(
    'message',
    (wanted: Wanted) =>
      void (async () => {
        worker.postMessage(wanted satisfies Job);
        await done();
        const began = performance.now();
        const socket = await fetchAll(wanted, memory, worker);
        const seconds = (performance.now() - began) / 1000;
        worker.postMessage('sync' satisfies Job);
        await done();
        process.send?.({ seconds, syncedSeconds: (performance.now() - began) / 1000 } satisfies Took);
        socket.destroy();
      })(),
  );
}

/** Resolves when every piece is verified and written. */
async function fetchAll({ port, shape }: Wanted, memory: SharedArrayBuffer, worker: Worker): Promise<tls.TLSSocket> {
  const free = Array.from({ length: PLACES }, (_, place) => place);
  const coming: Placed[] = [];
  let [next, filled, written] = [0, 0, 0];
  // Node asks where the next bytes shall go before it is known whose they are: the next piece that
  // is asked for must take that place.
  let ahead = free.pop() ?? 0;
  const ask = (): void => {
    while (next < shape.pieces && coming.length < ASKS_MAX && free.length > 0) {
      const request = Buffer.alloc(ASK_BYTES);
      request.writeUInt32BE(next);
      socket.write(request);
      coming.push([next++, ahead]);
      ahead = free.pop() ?? 0;
    }
  };
  const whole = new Promise<void>((resolve, reject) =>
    worker.on('message', function hear(place: number) {
      if (place === WRONG) return reject(new Error('a piece was wrong'));
      free.push(place);
      ask();
      if (++written < shape.pieces) return;
      worker.off('message', hear);
      resolve();
    }),
  );
  const socket = tls
    .connect({
      ...secure(),
      host: '127.0.0.1',
      port,
      onread: {
        buffer: () => {
          const [piece, place] = coming[0] ?? [0, ahead];
          return placeIn(memory, shape, piece, place).subarray(filled);
        },
        callback: (count: number) => {
          const [first] = coming;
          filled += count;
          if (!first || filled < lengthOf(shape, first[0])) return true;
          filled = 0;
          coming.shift();
          worker.postMessage(first satisfies Job);
          ask();
          return true;
        },
      },
    } as tls.ConnectionOptions)
    .setNoDelay(true);
  socket.once('secureConnect', ask);
  await whole;
  return socket;
}

/** Verifies and writes, in its own thread. */
function work(memory: SharedArrayBuffer): void {
  let wanted: Wanted | undefined;
  let to = -1;
  const run = (job: Job): number => {
    if (job === 'sync') {
      fs.fdatasyncSync(to);
      fs.closeSync(to);
      return OTHER;
    }
    if ('into' in job) {
      wanted = job;
      to = fs.openSync(job.into, 'wx');
      return OTHER;
    }
    if (!wanted) return WRONG;
    const { shape, layer: pieceHashes } = wanted;
    const [piece, place] = job;
    const bytes = placeIn(memory, shape, piece, place);
    if (!pieceHash(bytes, leavesPerPiece(shape)).equals(expectedHash(pieceHashes, piece))) return WRONG;
    fs.writeSync(to, bytes, 0, bytes.length, piece * shape.pieceBytes);
    return place;
  };
  parentPort?.on('message', (job: Job) => parentPort?.postMessage(run(job)));
}
