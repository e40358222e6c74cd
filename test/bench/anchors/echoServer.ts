// A bare framed echo for comparison: the product's own TLS and frames, and nothing above them.
// Every request comes back as its answer, byte for byte. Started by announces.ts; prints its port.
import { FrameLink } from '../../../protocol/wire/frame.ts';
import { createIdentity } from '../../../protocol/node/identity.ts';
import { FRAME_PAYLOAD_BYTES_MAX } from '../../../protocol/base/limits.ts';
import { createNodeWorld } from '../../../protocol/node/nodeWorld.ts';
import { silentLog } from '../../../protocol/base/world.ts';

const { network } = createNodeWorld({ identity: createIdentity(), log: silentLog });
const { port } = await network.listen({ host: '127.0.0.1', port: 0 }, (stream) => {
  const link = new FrameLink(stream);
  link.receive({
    payloadBytesMax: () => FRAME_PAYLOAD_BYTES_MAX,
    rawTarget: () => undefined,
    drained() {},
    ended() {},
    frame: ({ type, kind, call, body }) => {
      if (kind === 'request') link.send({ type, kind: 'answer', call }, body);
    },
  });
});
process.stdout.write(`echoes on ${port}\n`);
