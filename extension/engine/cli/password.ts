// Where a password comes from: the command line (with a warning), SHOAL_PASSWORD, a person at a terminal, or a pipe. Never printed.
import { ShoalError } from '../../../protocol/errors.ts';
import type { Terminal } from './terminal.ts';

export interface PasswordSource {
  /** What stood on the command line. */
  readonly given?: string | undefined;
  /** The variable it may be in. */
  readonly variable: string;
  readonly question: string;
  /** Asks twice: a new password that was mistyped locks its owner out. */
  readonly isNew?: boolean;
}

/** @throws ShoalError passwordMissing, usage */
export async function findPassword(terminal: Terminal, { given, variable, question, isNew }: PasswordSource): Promise<string> {
  if (given !== undefined) {
    terminal.err(`shoal: a password on the command line can be seen by others on this machine and stays in the shell's history; better type it, pipe it in, or set ${variable}\n`);
    return given;
  }
  const held = terminal.environment[variable];
  if (held) return held;
  if (!terminal.canAsk) {
    const line = await terminal.readLine();
    if (!line) throw new ShoalError('passwordMissing');
    return line;
  }
  const typed = await terminal.askHidden(`${question}: `);
  if (!typed) throw new ShoalError('passwordMissing');
  if (isNew && typed !== await terminal.askHidden('the same again: ')) throw new ShoalError('usage', { why: 'the two passwords differ; nothing was changed' });
  return typed;
}

/** As far as a hidden question needs it. */
export interface KeyInput {
  setRawMode(raw: boolean): unknown;
  on(event: 'data', take: (keys: Buffer) => void): unknown;
  off(event: 'data', take: (keys: Buffer) => void): unknown;
  resume(): unknown;
  pause(): unknown;
}

const CTRL_C = '\x03';
const CTRL_D = '\x04';
const CTRL_U = '\x15';
const BACKSPACES = ['\x7f', '\b'];

/** Reads a line from a terminal without showing it. Undefined after Ctrl-C or Ctrl-D. */
export function readHidden(input: KeyInput, output: { write(text: string): unknown }, question: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const decoder = new TextDecoder();
    let typed: string[] = [];
    const done = (answer: string | undefined): void => {
      input.off('data', take);
      input.setRawMode(false);
      input.pause();
      output.write('\n');
      resolve(answer);
    };
    const take = (keys: Buffer): void => {
      for (const key of decoder.decode(keys, { stream: true })) { // a pasted password comes at once
        if (key === '\r' || key === '\n') return done(typed.join(''));
        if (key === CTRL_C || key === CTRL_D) return done(undefined);
        if (key === CTRL_U) typed = [];
        else if (BACKSPACES.includes(key)) typed.pop();
        else if (key >= ' ') typed.push(key);
      }
    };
    input.setRawMode(true); // before the question: what is typed at once must not be shown either
    input.on('data', take);
    input.resume();
    output.write(question);
  });
}
