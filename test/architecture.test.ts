// docs/architecture.md against the code: its folders are those that there are, and the steps of its
// two walks are files and functions that exist, no more of them than it promises.
import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const page = read('docs/architecture.md');

/** The text below a heading, up to the next one. */
function section(heading: RegExp): string {
  const [, text = ''] = page.split(heading);
  return text.split(/^##/m)[0] ?? '';
}

/** The rows of the first table in a text, by cell. */
const rows = (text: string): readonly (readonly string[])[] =>
  [...text.matchAll(/^\| *(.*?) *\|$/gm)].map(([, row = '']) => row.split(/ *\| */)).slice(2);

/** What stands in back quotes. */
const quoted = (cell = ''): readonly string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, word = '']) => word);

describe('the page about the architecture', () => {
  const walks = [
    ['one piece', section(/^## One piece.*$/m), 14],
    ['one click', section(/^## One click.*$/m), 20],
  ] as const;

  for (const [what, text, filesMax] of walks) {
    const steps = rows(text).map(([, file, , places]) => ({ file: quoted(file)[0] ?? '', names: quoted(places) }));

    it(`walks with ${what} through functions that exist`, () => {
      assert.ok(steps.length > 5, 'found no steps: the check itself is broken');
      for (const { file, names } of steps) {
        assert.ok(existsSync(join(ROOT, file)), `${file} is not there`);
        assert.ok(names.length > 0, `${file}: no function is named`);
        for (const name of names) {
          assert.match(read(file), new RegExp(`[ #.]${name}(<[^(]*>)?[(:]`), `${name} in ${file}`);
        }
      }
    });

    it(`walks with ${what} through at most ${filesMax} files, each once`, () => {
      assert.ok(steps.length <= filesMax, `${steps.length} files`);
      assert.deepEqual(new Set(steps.map(({ file }) => file)).size, steps.length);
    });
  }

  for (const layer of ['protocol', 'tracker', 'extension', 'extension/engine']) {
    it(`names the folders of ${layer}/, and no others`, () => {
      const named = rows(section(new RegExp(`^### ${layer}/:.*$`, 'm')))
        .flatMap(([folders]) => quoted(folders))
        .map((folder) => posix.join(layer, folder, '.'));
      const sources = globSync(`${layer}/**/*.ts`, { cwd: ROOT }).map((path) =>
        posix.dirname(path.replaceAll('\\', '/')),
      );
      const isOther = (folder: string): boolean =>
        layer === 'extension' && `${folder}/`.startsWith('extension/engine/');
      const folders = new Set(sources.filter((folder) => folder !== layer && !isOther(folder)));
      assert.deepEqual(named.sort(), [...folders].sort());
    });
  }
});
