// What makes `shoal` a command of a terminal: two small files that run the engine's bundle with the
// Node.js of VS Code. Pure.

export interface Shim {
  readonly name: string;
  readonly text: string;
  readonly mode: number;
}

/**
 * For the shells of this system.
 *
 * @param node  runs as Node.js when ELECTRON_RUN_AS_NODE is set: VS Code itself, or its server's
 *   own
 * @param entry  the engine's bundle
 */
export function shims(node: string, entry: string, isWindows: boolean): readonly Shim[] {
  return [
    {
      name: 'shoal',
      mode: 0o755,
      text: `#!/bin/sh
# Shoal's command line, for the terminals of VS Code. Written by the extension, and written anew when it is updated.
[ -f ${quoted(entry)} ] || { echo "shoal: the extension was updated or removed; reload the window of VS Code" >&2; exit 1; }
ELECTRON_RUN_AS_NODE=1 exec ${quoted(node)} ${quoted(entry)} "$@"
`,
    },
    ...(isWindows
      ? [
          {
            name: 'shoal.cmd',
            mode: 0o755,
            text: `@echo off\r\nsetlocal\r\nset ELECTRON_RUN_AS_NODE=1\r\n"${escaped(node)}" "${escaped(entry)}" %*\r\n`,
          },
        ]
      : []),
  ];
}

/** For sh: as it is, whatever is in it. */
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
/** For cmd.exe, inside double quotes, which no path on Windows has in it. */
const escaped = (text: string): string => text.replaceAll('%', '%%');
