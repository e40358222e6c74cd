// A line that a person types at a terminal and nobody sees: passwords, for both command lines.

/** As far as a hidden question needs it. */
interface KeyInput {
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
export function readHidden(
  input: KeyInput,
  output: { write(text: string): unknown },
  question: string,
): Promise<string | undefined> {
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
      for (const key of decoder.decode(keys, { stream: true })) {
        // a pasted password comes at once
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
