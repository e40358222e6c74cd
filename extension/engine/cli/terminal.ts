// What a command takes from the place it runs in: its streams, environment and signals. Tests hand
// in one of their own.
import readline from 'node:readline';
import { systemCode } from '../../../protocol/base/errors.ts';
import { readHidden } from '../../../protocol/node/passwordPrompt.ts';

export interface Terminal {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly workFolder: string;
  /** Whether a line that redraws itself makes sense. */
  readonly hasScreen: boolean;
  readonly colors: boolean;
  columns(): number;
  /** Results. */
  out(text: string): void;
  /** A result that is no text. Resolves when it is written: false when nobody reads any more. */
  bytes(chunk: Uint8Array): Promise<boolean>;
  /** Everything else: sentences, questions, progress. */
  err(text: string): void;
  /** Whether somebody can be asked. */
  readonly canAsk: boolean;
  /** Asks without showing what is typed; undefined when the person gave up (Ctrl-C, Ctrl-D). */
  askHidden(question: string): Promise<string | undefined>;
  /** The next line of what was piped in; undefined at its end. */
  readLine(): Promise<string | undefined>;
  /** Ctrl-C, or being asked to end. Returns how to stop listening. */
  onInterrupt(run: (signal: 'SIGINT' | 'SIGTERM') => void): () => void;
  /** Lets go of the input, which would keep the process. */
  close(): void;
}

export function nodeTerminal(): Terminal {
  const { stdin, stdout, stderr, env } = process;
  // `shoal list_files | head` ends the pipe early, which is nobody's fault.
  for (const stream of [stdout, stderr]) {
    stream.on('error', (error) => {
      if (systemCode(error) !== 'EPIPE') throw error;
    });
  }
  let lines: AsyncIterator<string> | undefined;
  let input: readline.Interface | undefined;
  return {
    environment: env,
    workFolder: process.cwd(),
    hasScreen: stderr.isTTY && env['TERM'] !== 'dumb',
    colors: stderr.isTTY && !env['NO_COLOR'] && env['TERM'] !== 'dumb',
    columns: () => stderr.columns || 80,
    out: (text) => void stdout.write(text),
    bytes: (chunk) => new Promise((resolve) => stdout.write(chunk, (error) => resolve(!error))),
    err: (text) => void stderr.write(text),
    canAsk: stdin.isTTY && stderr.isTTY,
    askHidden: (question) => readHidden(stdin, stderr, question),
    async readLine() {
      input ??= readline.createInterface({ input: stdin });
      lines ??= input[Symbol.asyncIterator]();
      const next = await lines.next();
      return next.done ? undefined : next.value;
    },
    onInterrupt(run) {
      const signals = ['SIGINT', 'SIGTERM'] as const;
      for (const signal of signals) process.on(signal, run);
      return () => {
        for (const signal of signals) process.off(signal, run);
      };
    },
    close() {
      input?.close();
      if (input) stdin.destroy();
    },
  };
}
