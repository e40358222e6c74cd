// One transfer's progress: a bar that redraws itself on a terminal, a plain line now and then elsewhere, NDJSON with --json.
import { printable } from '../../../protocol/errors.ts';
import type { Transfer } from '../../../protocol/engineLink.ts';
import type { Clock } from '../../../protocol/world.ts';
import { amount, counted, cut, duration, jsonLine, percent, rate, widthOf } from './output.ts';
import type { Terminal } from './terminal.ts';

/** Time between two plain lines, and between two lines of NDJSON, in ms. */
const PLAIN_MS = 5_000;
const JSON_MS = 1_000;
const BAR_CELLS_MAX = 30;
const BAR_CELLS_MIN = 8;

/** What is happening to a transfer, in a word or two that stand where the rate would. */
const DOING: Partial<Record<Transfer['state'], string>> = {
  hashing: 'hashing', checking: 'checking what is there', waiting: 'waiting: nobody online has it', paused: 'paused',
};

/** Facts beside a bar, the most important first; narrow terminals drop them from the end. */
export function facts(transfer: Transfer): readonly string[] {
  const { state, doneBytes, sizeBytes, downBytesPerS, peers } = transfer;
  const amounts = `${amount(doneBytes)} of ${amount(sizeBytes)}`;
  const doing = DOING[state];
  if (doing !== undefined) return [doing, amounts];
  if (downBytesPerS === 0) return [counted(peers, 'peer'), amounts];
  return [rate(downBytesPerS), amounts, counted(peers, 'peer'), `${duration((sizeBytes - doneBytes) / downBytesPerS)} left`];
}

/** One line no wider than the terminal: name, bar, per cent, facts. */
export function barLine(transfer: Transfer, columns: number, colors: boolean): string {
  const share = `${String(percent(transfer.doneBytes, transfer.sizeBytes)).padStart(3)} %`;
  const shown = facts(transfer);
  const name = printable(transfer.name);
  const widthMax = columns - 1; // the last cell of a line makes some terminals wrap
  for (let count = shown.length; count >= 0; count--) {
    const right = [share, ...shown.slice(0, count)].join('  ');
    const left = widthMax - widthOf(right) - 4;
    const nameCells = Math.min(widthOf(name), Math.max(12, left - BAR_CELLS_MAX));
    const barCells = Math.min(BAR_CELLS_MAX, left - nameCells);
    if (barCells >= BAR_CELLS_MIN) return `${cut(name, nameCells)}  ${bar(transfer, barCells, colors)}  ${right}`;
  }
  return cut(share.trim(), widthMax);
}

function bar({ doneBytes, sizeBytes }: Transfer, cells: number, colors: boolean): string {
  const full = sizeBytes === 0 ? cells : Math.floor((cells * Math.min(doneBytes, sizeBytes)) / sizeBytes);
  const paint = (text: string, code: number): string => (colors && text ? `\x1b[${code}m${text}\x1b[39m` : text);
  return paint('█'.repeat(full), 36) + paint('░'.repeat(cells - full), 90);
}

/** The same without a terminal. */
export function plainLine(transfer: Transfer): string {
  return `${printable(transfer.name)}: ${percent(transfer.doneBytes, transfer.sizeBytes)} %, ${facts(transfer).join(', ')}`;
}

/** What --json tells of a transfer under way. */
export function progressJson({ id, state, doneBytes, sizeBytes, heldPieces, pieces, downBytesPerS, peers }: Transfer): object {
  return { progress: { transfer: id, state, doneBytes, sizeBytes, heldPieces, pieces, downBytesPerS, peers } };
}

export class Progress {
  readonly #terminal: Terminal;
  readonly #clock: Clock;
  readonly #json: boolean;
  #painted = false;
  #saidAtMs = -Infinity;
  #said = '';

  constructor(terminal: Terminal, clock: Clock, json: boolean) {
    this.#terminal = terminal;
    this.#clock = clock;
    this.#json = json;
  }

  show(transfer: Transfer): void {
    const { hasScreen, colors } = this.#terminal;
    if (this.#json) return this.#say(JSON_MS, () => this.#terminal.out(jsonLine(progressJson(transfer))), transfer);
    if (!hasScreen) return this.#say(PLAIN_MS, () => this.#terminal.err(`${plainLine(transfer)}\n`), transfer);
    this.#terminal.err(`\r\x1b[K${barLine(transfer, this.#terminal.columns(), colors)}`);
    this.#painted = true;
  }

  /** Takes the bar away, so that other lines can be written. */
  clear(): void {
    if (this.#painted) this.#terminal.err('\r\x1b[K');
    this.#painted = false;
  }

  /** Not too often, but a new state at once; nothing when nothing has changed. */
  #say(everyMs: number, say: () => void, transfer: Transfer): void {
    const now = this.#clock.monotonicMs();
    const content = JSON.stringify(progressJson(transfer));
    const isNewState = !this.#said.startsWith(`${transfer.state} `);
    if (!isNewState && (now - this.#saidAtMs < everyMs || this.#said === `${transfer.state} ${content}`)) return;
    this.#saidAtMs = now;
    this.#said = `${transfer.state} ${content}`;
    say();
  }
}
