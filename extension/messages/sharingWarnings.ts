// What speaks against sharing something, in words. Pure; confirmSharing.ts finds it and asks.
import type { SecretKind } from '../../protocol/frontend/secretDetection.ts';
import { inMessage, t } from '../common/l10n.ts';

/** Lines of reasons in the question; the others are counted. */
const REASONS_MAX = 8;

/** What a person is asked about, by what it is called in the question. */
export interface SharingWarning {
  readonly name: string;
  readonly why: SecretKind | 'ignored';
}

export function sharingQuestion(warnings: readonly SharingWarning[], group: string): string {
  const [first] = warnings;
  if (warnings.every(({ why }) => why === 'ignored')) {
    return warnings.length === 1
      ? t('Git ignores {0}. Share it in {1}?', inMessage(first?.name ?? ''), inMessage(group))
      : t('Git ignores some of this. Share it in {0}?', inMessage(group));
  }
  return t('This may hold secrets. Share it in {0}?', inMessage(group));
}

/** A line for each, the worst first, and how many more there are. */
export function reasonsText(warnings: readonly SharingWarning[]): string {
  const sorted = [...warnings].sort((a, b) => Number(a.why === 'ignored') - Number(b.why === 'ignored'));
  const lines = sorted.slice(0, REASONS_MAX).map(({ name, why }) => t('{0}: {1}', inMessage(name), reasonText(why)));
  const more = warnings.length - lines.length;
  return [
    ...lines,
    ...(more > 0 ? [t('and {0} more', more)] : []),
    '',
    t('Every member of the group can download what you share, and what was downloaded cannot be taken back.'),
  ].join('\n');
}

function reasonText(why: SharingWarning['why']): string {
  switch (why) {
    case 'environment':
      return t('settings of this kind often hold passwords and tokens');
    case 'privateKey':
      return t('a private key');
    case 'credentials':
      return t('a program keeps credentials under this name');
    case 'passwords':
      return t('a store of passwords');
    case 'ignored':
      return t('git ignores it');
  }
}
