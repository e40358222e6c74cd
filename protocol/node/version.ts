// Which Shoal this is. The build puts the version into a bundle; sources that are run as they are
// have none and get along with all.

declare const __SHOAL_VERSION__: string | undefined;

/** Whether this code runs from a bundle, one file that can be copied. */
export const IS_BUNDLE = typeof __SHOAL_VERSION__ === 'string';

export const VERSION: string = typeof __SHOAL_VERSION__ === 'string' ? __SHOAL_VERSION__ : 'dev';

/** What a program calls itself in its greeting. */
export const programName = (version: string): string => `shoal ${version}`;

/** The version in a program's name. */
export const versionOf = (program: string): string => /^shoal (\S+)/.exec(program)?.[1] ?? 'dev';

/**
 * How an engine's version stands to a frontend's. Older engines retire, even for a fix; a newer one
 * may have learnt what this frontend does not know unless only fixes lie between them.
 */
export function compareVersions(engine: string, frontend: string): 'older' | 'fits' | 'tooNew' {
  const [theirs, ours] = [numbers(engine), numbers(frontend)];
  if (!theirs || !ours) return 'fits';
  const place = theirs.findIndex((number, i) => number !== ours[i]);
  if (place < 0) return 'fits';
  if ((theirs[place] ?? 0) < (ours[place] ?? 0)) return 'older';
  return place < 2 ? 'tooNew' : 'fits';
}

function numbers(version: string): readonly number[] | undefined {
  const match = /^(\d+)\.(\d+)\.(\d+)/.exec(version);
  return match?.slice(1).map(Number);
}
