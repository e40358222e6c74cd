// Downloads that are dragged to another place in the view Downloads: their turns follow. On the
// keyboard the same is Move Up and its siblings.
import * as vscode from 'vscode';
import type { Node } from './treeProvider.ts';

/** What VS Code calls the rows of that view. */
const ROWS = 'application/vnd.code.tree.shoal.downloads';

/** Puts downloads where another one stands. What goes wrong there is its own to say. */
type Move = (ids: readonly number[], target: number) => Promise<void>;

export const queueDrag = (move: Move): vscode.TreeDragAndDropController<Node> => ({
  dragMimeTypes: [ROWS],
  dropMimeTypes: [ROWS],
  handleDrag(nodes, data) {
    const ids = nodes.flatMap(({ row }) => row.subject.transfer ?? []);
    if (ids.length > 0) data.set(ROWS, new vscode.DataTransferItem(ids));
  },
  async handleDrop(target, data) {
    const ids = data.get(ROWS)?.value as unknown; // of this very window: what another one drags comes without a value
    const onto = target?.row.subject.transfer;
    if (onto !== undefined && Array.isArray(ids)) {
      await move(
        ids.filter((id) => typeof id === 'number'),
        onto,
      );
    }
  },
});
