// A terminal that remembers what was printed, types what a test has written down, and can press
// Ctrl-C.
import type { Terminal } from '../../../extension/engine/cli/terminal.ts';

export class FakeTerminal implements Terminal {
  stdout = '';
  stderr = '';
  /** What was printed that is no text. */
  binary: Buffer = Buffer.alloc(0);
  /** Whether nobody reads what is printed any more: `shoal cat … | head`. */
  isDeaf = false;
  readonly environment: Record<string, string>;
  readonly workFolder: string;
  hasScreen = false;
  colors = false;
  canAsk = false;
  /** What the person types, or what is piped in. */
  readonly input: (string | undefined)[];
  readonly #interrupts = new Set<(signal: 'SIGINT' | 'SIGTERM') => void>();
  #written: (() => void)[] = [];

  constructor({
    environment = {},
    workFolder = '/work',
    input = [],
  }: { environment?: Record<string, string>; workFolder?: string; input?: readonly (string | undefined)[] } = {}) {
    this.environment = environment;
    this.workFolder = workFolder;
    this.input = [...input];
  }

  columns(): number {
    return 100;
  }
  out(text: string): void {
    this.stdout += text;
    this.#tell();
  }
  bytes(chunk: Uint8Array): Promise<boolean> {
    if (this.isDeaf) return Promise.resolve(false);
    this.binary = Buffer.concat([this.binary, chunk]);
    return Promise.resolve(true);
  }
  err(text: string): void {
    this.stderr += text;
    this.#tell();
  }
  askHidden(question: string): Promise<string | undefined> {
    this.err(question);
    return Promise.resolve(this.input.shift());
  }
  readLine(): Promise<string | undefined> {
    return Promise.resolve(this.input.shift());
  }
  onInterrupt(run: (signal: 'SIGINT' | 'SIGTERM') => void): () => void {
    this.#interrupts.add(run);
    this.#tell();
    return () => this.#interrupts.delete(run);
  }
  close(): void {}

  press(signal: 'SIGINT' | 'SIGTERM' = 'SIGINT'): void {
    for (const run of this.#interrupts) run(signal);
  }

  /** Resolves when what was printed, on either stream, fits. */
  async until(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.stdout + this.stderr)) await new Promise<void>((resolve) => this.#written.push(resolve));
  }

  #tell(): void {
    for (const tell of this.#written.splice(0)) tell();
  }
}
