// One transfer's progress: a bar that redraws itself on a terminal, a plain line now and then
// elsewhere, NDJSON with --json.
import { styleText } from 'node:util';
import { printable } from '../../../protocol/base/errors.ts';
import type { Transfer } from '../../../protocol/messages/engineLink.ts';
import type { Clock } from '../../../protocol/base/world.ts';
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatPercent,
  formatRate,
} from '../../../protocol/frontend/format.ts';
import { jsonLine, truncate, widthOf } from './table.ts';
import type { Terminal } from './terminal.ts';

/** Time between two plain lines, and until the first: what is done sooner needs none. */
const PLAIN_MS = 5_000;
const PLAIN_FIRST_MS = 2_000;
/** Time between two lines of NDJSON. */
const JSON_MS = 1_000;
const BAR_CELLS_MAX = 30;
const BAR_CELLS_MIN = 8;

/** What is happening to a transfer, in a word or two that stand where the rate would. */
function stateText({ state, doneBytes, sizeBytes }: Transfer): string | undefined {
  switch (state) {
    case 'hashing':
      return doneBytes < sizeBytes ? 'hashing' : 'telling the group';
    case 'checking':
      return 'checking what is there';
    case 'waiting':
      return 'waiting for somebody who has it';
    case 'queued':
      return 'waiting for its turn';
    case 'choosing':
      return 'waiting for its files to be chosen';
    case 'paused':
      return 'paused';
    case 'seeding':
      return 'complete';
    default:
      return undefined;
  }
}

/** Facts beside a bar, the most important first; narrow terminals drop them from the end. */
export function transferFacts(transfer: Transfer): readonly string[] {
  const { doneBytes, sizeBytes, downBytesPerS, peers } = transfer;
  const amounts = `${formatBytes(doneBytes)} of ${formatBytes(sizeBytes)}`;
  const now = stateText(transfer);
  if (now !== undefined) return [now, amounts];
  if (downBytesPerS === 0) return [formatCount(peers, 'peer'), amounts];
  return [
    formatRate(downBytesPerS),
    amounts,
    formatCount(peers, 'peer'),
    `${formatDuration((sizeBytes - doneBytes) / downBytesPerS)} left`,
  ];
}

/**
 * Cells that the facts of a running download take at most, so that the bar beside them does not
 * tremble.
 */
const INDETERMINATE_CELLS = ['1023 MiB/s', '1023 MiB of 1023 MiB', '999 peers', '10 min 00 s left'].map(
  (text) => text.length,
);

/** One line no wider than the terminal: name, bar, per cent, facts. */
export function barLine(transfer: Transfer, columns: number, colors: boolean): string {
  const share = `${String(formatPercent(transfer.doneBytes, transfer.sizeBytes)).padStart(3)} %`;
  const running = stateText(transfer) === undefined && transfer.downBytesPerS > 0;
  const shown = transferFacts(transfer).map((fact, i) => (running ? fact.padEnd(INDETERMINATE_CELLS[i] ?? 0) : fact));
  const name = printable(transfer.name);
  const widthMax = columns - 1; // the last cell of a line makes some terminals wrap
  for (let count = shown.length; count >= 0; count--) {
    const right = [share, ...shown.slice(0, count)].join('  ');
    const left = widthMax - widthOf(right) - 4;
    const nameCells = Math.min(widthOf(name), Math.max(12, left - BAR_CELLS_MAX));
    const barCells = Math.min(BAR_CELLS_MAX, left - nameCells);
    if (barCells >= BAR_CELLS_MIN) {
      return `${truncate(name, nameCells)}  ${bar(transfer, barCells, colors)}  ${right}`.trimEnd();
    }
  }
  return truncate(share.trim(), widthMax);
}

function bar({ doneBytes, sizeBytes }: Transfer, cells: number, colors: boolean): string {
  const full = sizeBytes === 0 ? cells : Math.floor((cells * Math.min(doneBytes, sizeBytes)) / sizeBytes);
  // Whether there are colours was decided by terminal.ts, for the stream that the bar is drawn on.
  const paint = (color: 'cyan' | 'gray', text: string): string =>
    colors && text ? styleText(color, text, { validateStream: false }) : text;
  return paint('cyan', '█'.repeat(full)) + paint('gray', '░'.repeat(cells - full));
}

/** The same without a terminal. */
export function plainLine(transfer: Transfer): string {
  return `${printable(transfer.name)}: ${formatPercent(transfer.doneBytes, transfer.sizeBytes)} %, ${transferFacts(transfer).join(', ')}`;
}

/** What --json tells of a transfer under way. */
export function progressJson({
  id,
  state,
  doneBytes,
  sizeBytes,
  heldPieces,
  pieces,
  downBytesPerS,
  peers,
}: Transfer): object {
  return { progress: { transfer: id, state, doneBytes, sizeBytes, heldPieces, pieces, downBytesPerS, peers } };
}

export class ProgressBar {
  readonly #terminal: Terminal;
  readonly #clock: Clock;
  readonly #json: boolean;
  #painted = false;
  #nextAtMs: number | undefined;
  #printed = '';

  constructor(terminal: Terminal, clock: Clock, json: boolean) {
    this.#terminal = terminal;
    this.#clock = clock;
    this.#json = json;
  }

  show(transfer: Transfer): void {
    const { hasScreen, colors } = this.#terminal;
    if (this.#json) {
      return this.#printPeriodically(0, JSON_MS, transfer, () => this.#terminal.out(jsonLine(progressJson(transfer))));
    }
    if (!hasScreen) {
      return this.#printPeriodically(PLAIN_FIRST_MS, PLAIN_MS, transfer, () =>
        this.#terminal.err(`${plainLine(transfer)}\n`),
      );
    }
    this.#terminal.err(`\r\x1b[K${barLine(transfer, this.#terminal.columns(), colors)}`);
    this.#painted = true;
  }

  /** Takes the bar away, so that other lines can be written. */
  clear(): void {
    if (this.#painted) this.#terminal.err('\r\x1b[K');
    this.#painted = false;
  }

  /** Says nothing when nothing has changed since the last time. */
  #printPeriodically(firstMs: number, everyMs: number, transfer: Transfer, print: () => void): void {
    const now = this.#clock.monotonicMs();
    this.#nextAtMs ??= now + firstMs;
    const content = JSON.stringify(progressJson(transfer));
    if (now < this.#nextAtMs || content === this.#printed) return;
    this.#nextAtMs = now + everyMs;
    this.#printed = content;
    print();
  }
}
