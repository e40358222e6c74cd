// What a verb of the command line is: a row that says how it is used, and what it does.
import type { Session } from '../session.ts';

export interface CommandSpec {
  /** Its name and arguments: `download_file <group> <name> [dest]`. */
  readonly usage: string;
  /** Other names that do the same. */
  readonly aliases?: string;
  readonly summary: string;
  /** What else a person needs to know. */
  readonly details?: string;
  /** What --json prints. */
  readonly json: string;
  readonly options?: readonly (readonly [flags: string, description: string])[];
  /** The name the verb is written with in examples, and the rest. */
  readonly examples?: readonly string[];
  /** Resolves to the exit code if it is not 0. */
  run(session: Session, input: CommandInput): Promise<number | void>;
}

export interface CommandInput {
  /** Arguments in their order; those in angle brackets are there. */
  readonly args: readonly string[];
  readonly options: Readonly<Record<string, string | boolean | readonly string[] | undefined>>;
}

/**
 * Rows of one list that are read: more than anybody has. A tracker that goes on and on must not
 * fill the memory.
 */
export const ROWS_READ_MAX = 1_000_000;

/** A heading of the help and the verbs under it. */
export interface CommandFamily {
  readonly title: string;
  readonly commands: readonly CommandSpec[];
}

/** Prints what a change came to. */
export async function printDone(
  session: Session,
  sentence: string,
  json: object,
  { durability }: { readonly durability: string },
): Promise<void> {
  session.print(sentence, { ...json, durability });
  if (durability !== 'one' || session.json) return;
  const { overview } = await session.call('status', {});
  if (overview.trackers.length > 1) {
    session.note('Only one tracker holds this so far; the other gets it as soon as it is back.');
  }
}
