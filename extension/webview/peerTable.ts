// The table of peers: real rows and headers, sorted by a press on a header. Rows are kept as they
// change, so that nothing a person selects or reads is torn away.
import type { Column, ShownPeer, PageText } from './messages.ts';
import { COLUMNS } from './messages.ts';

/** Columns of numbers: on the right, and the largest first. */
const NUMBERS: readonly Column[] = ['has', 'down', 'up', 'gave', 'took'];

export interface Sorting {
  readonly sortBy: Column | undefined;
  readonly isDescending: boolean;
}

export class PeerTable {
  readonly #table: HTMLTableElement;
  readonly #empty: HTMLElement;
  readonly #sorted: (sorting: Sorting) => void;
  readonly #rows = new Map<string, HTMLTableRowElement>();
  #sorting: Sorting;
  #peers: readonly ShownPeer[] = [];

  /** @param sorted  told when the person sorts */
  constructor(table: HTMLTableElement, empty: HTMLElement, sorting: Sorting, sorted: (sorting: Sorting) => void) {
    this.#table = table;
    this.#empty = empty;
    this.#sorting = sorting;
    this.#sorted = sorted;
  }

  setPageText(pageText: PageText): void {
    this.#empty.textContent = pageText.noPeers;
    const row = document.createElement('tr');
    row.append(
      ...COLUMNS.map((column) => {
        const head = document.createElement('th');
        head.scope = 'col';
        head.dataset['column'] = column;
        if (NUMBERS.includes(column)) head.className = 'number';
        const button = document.createElement('button');
        button.type = 'button';
        button.textContent = pageText.columns[column];
        button.addEventListener('click', () => this.#sort(column));
        head.append(button);
        return head;
      }),
    );
    this.#table.tHead?.replaceChildren(row);
    this.#markSorting();
  }

  show(peers: readonly ShownPeer[]): void {
    this.#peers = peers;
    this.#table.hidden = peers.length === 0;
    this.#empty.hidden = peers.length > 0;
    const body = this.#table.tBodies[0];
    if (!body) return;
    const rows = this.#inOrder().map((peer) => this.#row(peer));
    for (const [pin, row] of this.#rows) {
      if (peers.some((peer) => peer.pin === pin)) continue;
      row.remove();
      this.#rows.delete(pin);
    }
    for (const [at, row] of rows.entries()) if (body.rows[at] !== row) body.insertBefore(row, body.rows[at] ?? null);
  }

  #row(peer: ShownPeer): HTMLTableRowElement {
    const row = this.#rows.get(peer.pin) ?? makeRow();
    this.#rows.set(peer.pin, row);
    row.className = peer.tone;
    for (const [at, column] of COLUMNS.entries()) {
      const cell = row.cells[at];
      if (cell && cell.textContent !== peer.cells[column]) cell.textContent = peer.cells[column];
    }
    if (row.title !== peer.about) row.title = peer.about;
    return row;
  }

  #inOrder(): readonly ShownPeer[] {
    const { sortBy, isDescending } = this.#sorting;
    if (sortBy === undefined) return this.#peers;
    const order = (a: ShownPeer, b: ShownPeer): number => {
      const [one, other] = [a.values[sortBy], b.values[sortBy]];
      return typeof one === 'number' && typeof other === 'number'
        ? one - other
        : String(one).localeCompare(String(other));
    };
    return [...this.#peers].sort((a, b) => (isDescending ? order(b, a) : order(a, b)));
  }

  #sort(column: Column): void {
    const { sortBy, isDescending } = this.#sorting;
    this.#sorting = { sortBy: column, isDescending: sortBy === column ? !isDescending : NUMBERS.includes(column) };
    this.#sorted(this.#sorting);
    this.#markSorting();
    this.show(this.#peers);
  }

  #markSorting(): void {
    for (const head of this.#table.querySelectorAll('th')) {
      const isIt = head.dataset['column'] === this.#sorting.sortBy;
      head.setAttribute('aria-sort', !isIt ? 'none' : this.#sorting.isDescending ? 'descending' : 'ascending');
    }
  }
}

function makeRow(): HTMLTableRowElement {
  const row = document.createElement('tr');
  row.append(
    ...COLUMNS.map((column) => {
      const cell = document.createElement(column === 'name' ? 'th' : 'td');
      if (cell instanceof HTMLTableCellElement && column === 'name') cell.scope = 'row';
      if (NUMBERS.includes(column)) cell.className = 'number';
      return cell;
    }),
  );
  return row;
}
