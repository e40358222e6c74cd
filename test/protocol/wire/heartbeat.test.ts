// When an idle link says ping, and when the other side counts as dead.
import assert from 'node:assert/strict';
import { HEARTBEATS_MISSED_MAX } from '../../../protocol/base/limits.ts';
import { Heartbeat } from '../../../protocol/wire/heartbeat.ts';
import { ManualClock } from '../../support/simulation/manualClock.ts';

const INTERVAL_MS = 1_000;
const PING_BYTES = 16;

/** A link whose traffic the test makes up. */
class Link {
  readonly clock = new ManualClock();
  bytesIn = 0;
  bytesOut = 0;
  queuedBytes = 0;
  isHolding = false;
  pings = 0;
  /** When it counted as dead. */
  readonly silentAtMs: number[] = [];
  readonly heartbeat = new Heartbeat({
    clock: this.clock,
    intervalMs: INTERVAL_MS,
    traffic: () => ({ bytesIn: this.bytesIn, bytesOut: this.bytesOut, queuedBytes: this.queuedBytes }),
    isHolding: () => this.isHolding,
    onIdle: () => {
      this.pings++;
      this.bytesOut += PING_BYTES;
      if (this.queuedBytes > 0) this.queuedBytes += PING_BYTES; // behind what waits already
    },
    onSilent: () => void this.silentAtMs.push(this.clock.monotonicMs()),
  });

  /** Lets intervals pass; in the middle of each `traffic` happens. */
  async intervals(count: number, traffic: () => void = () => {}): Promise<void> {
    for (let n = 0; n < count; n++) {
      await this.clock.advance(INTERVAL_MS / 2);
      traffic();
      await this.clock.advance(INTERVAL_MS / 2);
    }
  }
}

describe('a heartbeat', () => {
  it('pings once per interval while nothing else is written', async () => {
    const link = new Link();
    await link.intervals(5, () => (link.bytesIn += PING_BYTES));
    assert.deepEqual([link.pings, link.silentAtMs], [5, []]);
  });

  it('does not ping while something else is written', async () => {
    const link = new Link();
    await link.intervals(5, () => {
      link.bytesIn += PING_BYTES;
      link.bytesOut += 100;
    });
    assert.equal(link.pings, 0);
  });

  it('finds a side dead, once, after as many silent intervals as may be missed', async () => {
    const link = new Link();
    await link.intervals(1, () => link.bytesIn++);
    await link.intervals(10);
    assert.deepEqual(link.silentAtMs, [(1 + HEARTBEATS_MISSED_MAX) * INTERVAL_MS]);
  });

  it('counts silent intervals anew after each sign of life', async () => {
    const link = new Link();
    for (let n = 0; n < 5; n++) {
      await link.intervals(HEARTBEATS_MISSED_MAX - 1);
      await link.intervals(1, () => link.bytesIn++);
    }
    assert.deepEqual(link.silentAtMs, []);
  });

  it('takes a queue that shrinks for a sign of life', async () => {
    const link = new Link();
    link.bytesOut = link.queuedBytes = 1_000_000;
    await link.intervals(10, () => (link.queuedBytes -= 1_000));
    assert.deepEqual(link.silentAtMs, []);
  });

  it('finds a side dead that sends and sends and takes nothing while its requests wait', async () => {
    const link = new Link();
    await link.intervals(1, () => link.bytesIn++);
    link.bytesOut += 1_000_000;
    link.queuedBytes = 1_000_000;
    link.isHolding = true;
    await link.intervals(10, () => (link.bytesIn += 100));
    assert.deepEqual(link.silentAtMs, [(1 + HEARTBEATS_MISSED_MAX) * INTERVAL_MS]);
  });

  it('stops', async () => {
    const link = new Link();
    link.heartbeat.stop();
    await link.intervals(10);
    assert.deepEqual([link.pings, link.silentAtMs], [0, []]);
  });
});
