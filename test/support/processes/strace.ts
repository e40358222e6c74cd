// What processes asked of the system, as strace wrote it down: which bytes went where, what was
// made durable, in the order in which it happened. Linux only: there is no other way to see that a
// program waited for its disk instead of believing that it does.
import { spawnSync } from 'node:child_process';

/** What a tracker writes, sends and makes durable; nothing else stops it. */
const CALLS = [
  'write',
  'writev',
  'pwrite64',
  'pwritev',
  'pwritev2',
  'sendto',
  'sendmsg',
  'sendmmsg',
  'sendfile',
  'fsync',
  'fdatasync',
];
/** Bytes of each write that are kept: all of what a tracker writes at once to a log or a link. */
const BYTES_KEPT = 128 * 1024;

export interface SystemCall {
  readonly name: string;
  /** A file's path, or a socket as `TCP:[LOCAL->REMOTE]`. */
  readonly target: string;
  readonly data: Buffer;
  /** What it returned: the bytes taken, 0 for an fsync that is done, below 0 for a failure. */
  readonly result: number;
  /**
   * When it began and when it was over, counted in lines: of any two moments one is earlier, also
   * in two processes.
   */
  readonly began: number;
  readonly ended: number;
}

/** Command and arguments that trace a shell's script with everything it starts, into a file. */
export const straceOf = (output: string, script: string, args: readonly string[]): readonly string[] => [
  'strace',
  '-f',
  '-yy',
  '-xx',
  '-s',
  String(BYTES_KEPT),
  '-e',
  `trace=${CALLS.join(',')}`,
  '-e',
  'signal=none',
  '-o',
  output,
  'sh',
  '-c',
  script,
  ...args,
];

/**
 * Sees to it that processes can be traced here. Debian's package is installed where that may be
 * (root, in a container or in CI).
 *
 * @returns why they cannot
 */
export function whyNoStrace(): string | undefined {
  if (process.platform !== 'linux') return 'strace is there on Linux only';
  if (!works() && process.getuid?.() === 0) {
    const install = 'apt-get install -y -qq strace';
    spawnSync('sh', ['-c', `${install} || { apt-get update -qq && ${install}; }`], {
      stdio: 'ignore',
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
  }
  return works()
    ? undefined
    : 'strace does not run here: install it (apt install strace), and let this user trace its own children';
}

/** Not whether it is there: whether it may trace. */
const works = (): boolean =>
  spawnSync('strace', ['-f', '-yy', '-o', '/dev/null', 'true'], { stdio: 'ignore' }).status === 0;

/** Reads what strace has written. What a process did not come back from is left out. */
export function readStrace(text: string): readonly SystemCall[] {
  const calls: SystemCall[] = [];
  /** Begun in a thread, and not over when another thread did something. */
  const begun = new Map<string, { readonly name: string; readonly rest: string; readonly began: number }>();
  for (const [at, line] of text.split('\n').entries()) {
    const [, thread = '', what = ''] = /^(\d+) +(.*)$/.exec(line) ?? [];
    const [, resumed, end = ''] = /^<\.\.\. (\w+) resumed>(.*)$/.exec(what) ?? [];
    const [, called = '', rest = ''] = /^(\w+)\((.*)$/.exec(what) ?? [];
    const before = resumed === undefined ? undefined : begun.get(thread);
    if (before) begun.delete(thread);
    if (rest.endsWith(' <unfinished ...>')) {
      begun.set(thread, { name: called, rest: rest.slice(0, -' <unfinished ...>'.length), began: at });
    } else if (before) add(before.name, before.rest + end, before.began, at);
    else if (called !== '') add(called, rest, at, at);
  }
  return calls;

  function add(name: string, rest: string, began: number, ended: number): void {
    const [, target = ''] = /^\d+<((?:->|[^>])*)>/.exec(rest) ?? [];
    const [, result] = /\) += (-?\d+)[^=]*$/.exec(rest) ?? [];
    if (target === '' || result === undefined) return;
    const data = [...rest.slice(target.length).matchAll(/"((?:\\x[0-9a-f]{2})*)"/g)].map(([, hex = '']) => unhex(hex));
    calls.push({
      name,
      target: target.startsWith('\\x') ? unhex(target).toString() : target,
      data: Buffer.concat(data),
      result: Number(result),
      began,
      ended,
    });
  }
}

const unhex = (text: string): Buffer => Buffer.from(text.replaceAll('\\x', ''), 'hex');
