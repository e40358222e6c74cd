// Rules of the catalog: which files a group shares, under which names, in which version, and who
// promised to share them.
import type { GroupId } from '../../protocol/base/ids.ts';
import { validatePieces } from '../../protocol/messages/fileSizes.ts';
import { FILE_BYTES_MAX } from '../../protocol/base/limits.ts';
import { fileNameKey, validateFileName } from '../../protocol/base/names.ts';
import { notMember } from './groups.ts';
import type { Op, Rule } from './rule.ts';
import { userOf } from './rule.ts';
import type { Account, Group, Refusal, SharedFile, State } from './state.ts';
import { refusal } from './state.ts';

type CatalogOperation = 'shareFile' | 'stopShare' | 'removeFile';

export const catalogRules: { readonly [N in CatalogOperation]: Rule<N> } = {
  shareFile: {
    check(state, op) {
      return notMember(state, op) ?? notShareable(op) ?? sharedByAnother(state, op);
    },
    effect(state, op, { stamp, undoLog }) {
      const { group, name, root, sizeBytes, pieceBytes, sha256, content } = op.body;
      const { files } = state.groups.get(group) as Group;
      const key = fileNameKey(name);
      const current = files.get(key);
      const { id: author } = state.accounts.get(op.account) as Account; // one text for all that one account shares
      if (current && hasContent(current, op)) return undoLog.add(current.sharers, author); // one more sharer
      undoLog.setSorted(files, key, {
        name,
        version: (current?.version ?? 0) + 1,
        root,
        sizeBytes,
        pieceBytes,
        sha256,
        author,
        atMs: stamp.ms,
        sharers: new Set([author]),
        ...(content === 'folder' && { content }),
      });
    },
  },

  stopShare: {
    check(state, op) {
      const file = fileOf(state, op.body);
      return (
        notMember(state, op) ??
        unknownFile(state, op, file) ??
        (file?.sharers.has(op.account) ? undefined : refusal('notSharer', namesOf(state, op)))
      );
    },
    effect(state, op, { undoLog }) {
      const file = fileOf(state, op.body);
      if (file) undoLog.remove(file.sharers, op.account); // nobody may be left: the entry stays until it is removed
    },
  },

  removeFile: {
    check(state, op) {
      const file = fileOf(state, op.body);
      const mayRemove = file?.author === op.account || state.groups.get(op.body.group)?.owner === op.account;
      return (
        notMember(state, op) ??
        unknownFile(state, op, file) ??
        (mayRemove ? undefined : refusal('notOwner', namesOf(state, op)))
      );
    },
    effect(state, op, { undoLog }) {
      const group = state.groups.get(op.body.group);
      if (group) undoLog.dropSorted(group.files, fileNameKey(op.body.name));
    },
  },
};

type NamesFile = { readonly body: { readonly group: GroupId; readonly name: string } };

/** A file of a group by its name; undefined when there is none. */
export const fileOf = (state: State, { group, name }: NamesFile['body']): SharedFile | undefined =>
  state.groups.get(group)?.files.get(fileNameKey(name));

const namesOf = (state: State, { body }: NamesFile): { name: string; group: string } => ({
  name: body.name,
  group: state.groups.get(body.group)?.name ?? '?',
});

const unknownFile = (state: State, op: NamesFile, file: SharedFile | undefined): Refusal | undefined =>
  file ? undefined : refusal('unknownFile', namesOf(state, op));

const hasContent = (file: SharedFile, { body }: Op<'shareFile'>): boolean =>
  file.root === body.root && file.sizeBytes === body.sizeBytes;

/** Other content of another person is replaced only on purpose; one's own at once. */
function sharedByAnother(state: State, op: Op<'shareFile'>): Refusal | undefined {
  const current = fileOf(state, op.body);
  if (!current || op.body.replace || current.author === op.account || hasContent(current, op)) return undefined;
  return refusal('fileExists', { ...namesOf(state, op), user: userOf(state, current.author) });
}

/**
 * What no tracker may hand out: a name that some system cannot write, or sizes that no
 * engine could have made.
 */
function notShareable({ body }: Op<'shareFile'>): Refusal | undefined {
  const { name, root, sizeBytes } = body;
  const why = validateFileName(name);
  if (why !== undefined) return refusal('badFileName', { name, why });
  if (sizeBytes > FILE_BYTES_MAX) return refusal('fileTooLarge', { path: name, max: FILE_BYTES_MAX });
  const wrong = (what: string): Refusal => refusal('badMessage', { type: 'shareFile', why: what });
  const whyPieces = validatePieces(body);
  if (whyPieces !== undefined) return wrong(whyPieces);
  if ((sizeBytes === 0) !== /^0+$/.test(root)) return wrong('its root and its size do not go together');
  return undefined;
}
