// The progress of several downloads on a terminal, redrawn in place, or as plain lines where there
// is none.
import { styleText } from 'node:util';
import { formatBytes } from '../../protocol/frontend/format.ts';
import type { RealEngine } from '../support/processes/realProcesses.ts';

const live = process.stdout.isTTY;
const say = (text: string): void => void process.stdout.write(`${text}\n`);

/** A bar for each person, redrawn in place on a terminal, as plain lines elsewhere. */
export class Bars {
  readonly #people: readonly RealEngine[];
  readonly #name: string;
  readonly #timer: NodeJS.Timeout;
  #drawn = 0;

  constructor(people: readonly RealEngine[], name: string) {
    this.#people = people;
    this.#name = name;
    this.#timer = setInterval(() => this.#draw(), live ? 200 : 2_000);
    this.#draw();
  }

  note(text: string): void {
    this.#clear();
    say(styleText('yellow', `  ${text}`));
    this.#draw();
  }

  end(): void {
    clearInterval(this.#timer);
    this.#draw();
  }

  #clear(): void {
    if (live && this.#drawn > 0) process.stdout.write(`\x1b[${this.#drawn}A\x1b[J`);
    this.#drawn = 0;
  }

  #draw(): void {
    this.#clear();
    for (const one of this.#people) {
      const part = fraction(one, this.#name);
      const transfer = [...one.transfers.values()].find((candidate) => candidate.name === this.#name);
      const full = Math.round(part * 30);
      const rate =
        transfer && transfer.downBytesPerS > 0 ? `${formatBytes(transfer.downBytesPerS)}/s from ${transfer.peers}` : '';
      say(
        `  ${one.name.padEnd(6)} ${'█'.repeat(full)}${'░'.repeat(30 - full)} ${String(Math.floor(part * 100)).padStart(3)} %  ${rate}`,
      );
      this.#drawn++;
    }
  }
}

/** How much of a file somebody has, 0 to 1. */
export function fraction(one: RealEngine, name: string): number {
  const transfer = [...one.transfers.values()].find((candidate) => candidate.name === name);
  if (!transfer) return 0;
  return transfer.state === 'seeding' ? 1 : transfer.doneBytes / Math.max(1, transfer.sizeBytes);
}
