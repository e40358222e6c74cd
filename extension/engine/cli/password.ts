// Where a password comes from: the command line (with a warning), SHOAL_PASSWORD, a person at a
// terminal, or a pipe. Never printed.
import { ShoalError } from '../../../protocol/base/errors.ts';
import type { Terminal } from './terminal.ts';

export interface PasswordSource {
  /** What stood on the command line. */
  readonly argument?: string | undefined;
  /** The variable it may be in. */
  readonly variable: string;
  readonly question: string;
  /** Asks twice: a new password that was mistyped locks its owner out. */
  readonly isNew?: boolean;
}

/** @throws ShoalError passwordMissing, usage */
export async function findPassword(
  terminal: Terminal,
  { argument, variable, question, isNew }: PasswordSource,
): Promise<string> {
  if (argument !== undefined) {
    terminal.err(
      'shoal: a password on the command line can be seen by others on this machine ' +
        `and stays in the shell's history; better type it, pipe it in, or set ${variable}\n`,
    );
    return argument;
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
  if (isNew && typed !== (await terminal.askHidden('the same again: '))) {
    throw new ShoalError('usage', { why: 'the two passwords differ; nothing was changed' });
  }
  return typed;
}
